//! Decides which entity of the graph a name means, as far as no model is needed. SQL has found exact names, aliases and
//! candidates that are near; this file decides what is near enough. Pure.

use std::cmp::Ordering;

use serde::Deserialize;
use zerodb_hooks_english::{is_fuzzy_matchable, trigram_similarity};

use super::fields::GENERIC;

/// The share of common trigrams from which on two names are spelled alike.
const ALIKE: f64 = 0.9;
/// The cosine of their vectors from which on two names mean the same.
const NEARLY_EQUAL: f64 = 0.95;
/// The likeness from which on two names may mean the same.
const MAYBE: f64 = 0.6;
/// The most entities that a model is asked to choose from for a name.
const CHOICES: usize = 15;

/// The answer of SQL for a name.
#[derive(Debug, Deserialize)]
pub struct Offer {
    pub place: usize,
    /// The name in the form in which names are compared.
    pub norm_name: String,
    #[serde(rename = "match")]
    pub known: Option<KnownEntity>,
    pub candidates: Vec<Candidate>,
}

/// The entity that has the name, or has it as an alias.
#[derive(Debug, Deserialize)]
pub struct KnownEntity {
    pub id: i64,
}

/// An entity that may be meant.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Candidate {
    pub id: i64,
    pub name: String,
    pub norm_name: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// It has the name as an alias, and is not the only one.
    pub by_alias: bool,
    /// `None` where no vectors were compared.
    pub cosine: Option<f64>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// An entity of the graph, by its name or alias.
    Known(i64),
    /// An entity of the graph, by likeness. `source` is the word under which its new alias is kept.
    Alike {
        id: i64,
        source: &'static str,
        score: f64,
    },
    /// Perhaps one of these, the likeliest first.
    Unclear(Vec<Candidate>),
    New,
}

/// Decides for a name of type `kind`. In order: known, spelled alike, meant alike, unclear, new.
pub fn decide(kind: &str, offer: &Offer) -> Decision {
    if let Some(known) = &offer.known {
        return Decision::Known(known.id);
    }
    let fitting: Vec<&Candidate> = offer
        .candidates
        .iter()
        .filter(|candidate| fits(kind, &candidate.kind))
        .collect();
    let spelled = by_spelling(&offer.norm_name, &fitting);
    if let Some((score, candidate)) = spelled.first()
        && *score >= ALIKE
        && is_fuzzy_matchable(&offer.norm_name)
    {
        return Decision::Alike {
            id: candidate.id,
            source: "fuzzy",
            score: *score,
        };
    }
    if let Some((score, id)) = nearest(kind, &fitting)
        && score >= NEARLY_EQUAL
    {
        return Decision::Alike {
            id,
            source: "embedding",
            score,
        };
    }
    unclear(&offer.norm_name, spelled)
}

/// The candidates with the likeness of their spelling, the most alike first.
fn by_spelling<'a>(name: &str, candidates: &[&'a Candidate]) -> Vec<(f64, &'a Candidate)> {
    let mut spelled: Vec<(f64, &Candidate)> = candidates
        .iter()
        .map(|candidate| (likeness(name, &candidate.norm_name), *candidate))
        .collect();
    spelled.sort_by(by_score);
    spelled
}

/// The cosine and the id of the candidate of the same type whose vector is nearest.
fn nearest(kind: &str, candidates: &[&Candidate]) -> Option<(f64, i64)> {
    let compared = candidates
        .iter()
        .filter(|candidate| kind == candidate.kind)
        .filter_map(|one| one.cosine.map(|cosine| (cosine, one.id)));
    compared.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
}

/// The candidates that a model chooses from; `New` where there are none.
fn unclear(name: &str, spelled: Vec<(f64, &Candidate)>) -> Decision {
    let mut unclear: Vec<(f64, &Candidate)> = spelled
        .into_iter()
        .map(|(spelling, candidate)| (chance(name, spelling, candidate), candidate))
        .filter(|(chance, _)| *chance >= MAYBE)
        .collect();
    if unclear.is_empty() {
        return Decision::New;
    }
    unclear.sort_by(by_score);
    unclear.truncate(CHOICES);
    let candidates = unclear.into_iter().map(|(_, candidate)| candidate.clone());
    Decision::Unclear(candidates.collect())
}

/// The highest score first; of equal ones the oldest entity.
fn by_score(a: &(f64, &Candidate), b: &(f64, &Candidate)) -> Ordering {
    b.0.total_cmp(&a.0).then(a.1.id.cmp(&b.1.id))
}

fn fits(kind: &str, other: &str) -> bool {
    kind == other || kind == GENERIC || other == GENERIC
}

/// The likeness of the spelling of two names, with `Turing, Alan` read as `Alan Turing`.
fn likeness(one: &str, other: &str) -> f64 {
    let (one, other) = (forward(one), forward(other));
    f64::from(trigram_similarity(&one, &other))
}

fn forward(name: &str) -> String {
    match name.split_once(", ") {
        Some((last, first)) if !last.contains(' ') && !first.contains(',') => format!("{first} {last}"),
        _ => name.to_owned(),
    }
}

/// The likeness by which the candidates for a model are chosen.
fn chance(name: &str, spelling: f64, candidate: &Candidate) -> f64 {
    let words = |text: &str| -> Vec<String> {
        let words = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let (own, others) = (words(name), words(&candidate.norm_name));
    let holds =
        |all: &[String], some: &[String]| !some.is_empty() && some.iter().all(|word| all.contains(word));
    let is_part = holds(&own, &others) || holds(&others, &own);
    let by_name = if candidate.by_alias {
        1.0
    } else if is_part {
        MAYBE
    } else {
        0.0
    };
    spelling.max(by_name).max(candidate.cosine.unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(id: i64, name: &str, kind: &str) -> Candidate {
        Candidate {
            id,
            name: name.into(),
            norm_name: name.to_lowercase(),
            kind: kind.into(),
            by_alias: false,
            cosine: None,
        }
    }

    fn offer(name: &str, candidates: &[Candidate]) -> Offer {
        Offer {
            place: 0,
            norm_name: name.to_lowercase(),
            known: None,
            candidates: candidates.to_vec(),
        }
    }

    fn ids(decision: &Decision) -> Vec<i64> {
        match decision {
            Decision::Unclear(candidates) => candidates.iter().map(|one| one.id).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_known_name_needs_no_likeness() {
        let known = Offer {
            known: Some(KnownEntity { id: 7 }),
            ..offer("Bob", &[candidate(1, "Bob Smith", "person")])
        };
        assert_eq!(decide("person", &known), Decision::Known(7));
    }

    #[test]
    fn names_spelled_almost_alike_are_one_if_they_tell_enough() {
        let machines = [candidate(1, "International Business Machines", "organization")];
        let decision = decide(
            "organization",
            &offer("International Busines Machines", &machines),
        );
        assert!(matches!(decision, Decision::Alike { id: 1, source: "fuzzy", score } if score >= ALIKE));
        let turing = decide(
            "person",
            &offer("Turing, Alan", &[candidate(2, "Alan Turing", "person")]),
        );
        assert!(matches!(turing, Decision::Alike { id: 2, .. }), "{turing:?}");
        assert_eq!(
            decide(
                "person",
                &offer("aaaaaaaaa", &[candidate(3, "aaaaaaaa", "person")])
            ),
            Decision::Unclear(vec![candidate(3, "aaaaaaaa", "person")])
        );
        assert!(matches!(
            decide(
                "person",
                &offer("Thomas Alan", &[candidate(4, "Alan Thomas", "person")])
            ),
            Decision::Unclear(_)
        ));
    }

    #[test]
    fn another_particular_type_is_another_thing() {
        let machines = [candidate(1, "International Business Machines", "product")];
        assert_eq!(
            decide(
                "organization",
                &offer("International Business Machine", &machines)
            ),
            Decision::New
        );
        assert!(matches!(
            decide("entity", &offer("International Business Machine", &machines)),
            Decision::Alike { .. }
        ));
    }

    #[test]
    fn vectors_make_one_only_within_a_type_and_only_when_nearly_equal() {
        let near = |cosine: f64, kind: &str| Candidate {
            cosine: Some(cosine),
            ..candidate(1, "Automobile", kind)
        };
        assert!(matches!(
            decide("product", &offer("Motor car", &[near(0.96, "product")])),
            Decision::Alike {
                id: 1,
                source: "embedding",
                ..
            }
        ));
        assert_eq!(
            ids(&decide("product", &offer("Motor car", &[near(0.96, "entity")]))),
            [1]
        );
        assert_eq!(
            ids(&decide("product", &offer("Motor car", &[near(0.7, "product")]))),
            [1]
        );
        assert_eq!(
            decide("product", &offer("Motor car", &[near(0.59, "product")])),
            Decision::New
        );
    }

    #[test]
    fn the_likeliest_are_asked_about_first_and_not_too_many() {
        let mut known: Vec<Candidate> = (0..30)
            .map(|id| candidate(id, &format!("Bob Smith {id}"), "person"))
            .collect();
        known.push(Candidate {
            by_alias: true,
            ..candidate(99, "Robert", "person")
        });
        let asked = ids(&decide("person", &offer("Bob Smith", &known)));
        assert_eq!((asked[0], asked.len()), (99, CHOICES));
        assert_eq!(decide("person", &offer("Zoe", &known[..30])), Decision::New);
    }
}
