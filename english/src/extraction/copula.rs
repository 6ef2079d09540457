//! Owns what "is" and "was" state: "is the CEO of Acme", "is in Berlin", "is Bob's sister". It must not look for
//! subjects.

use super::arguments::{Argument, arguments};
use super::dates::Period;
use super::entities::EntityType::{Entity, Location, Organization, Person};
use super::groups::is_adverb;
use super::lexicon::{Class, is};
use super::pieces::{Look, Piece};
use super::predicates::Predicate;
use super::roles::{Role, is_profession, mutual, role_of, singular};
use super::scene::{FAR, NEAR, Said, Scene};
use super::verbs::{is_adjectival, is_participle, lookup};

impl Scene<'_> {
    /// "is the CEO of Acme", "is in Berlin", "is Bob's sister".
    pub fn copula(&mut self, said: &Said<'_>) {
        let mut at = said.end;
        while is_adverb(said.pieces.word(at)) {
            at += 1;
        }
        let arguments_here = arguments(said.pieces, at);
        if let Some(Argument::Preposition(preposition, ids)) = arguments_here.first() {
            return self.is_somewhere(said, preposition, ids, &Scene::period(&arguments_here));
        }
        if let Some((owner, role)) = self.owned_role(said, at) {
            let confidence = NEAR * said.confidence;
            return self.claim(
                said.subjects,
                &Predicate::role(role, said.past),
                &[owner],
                confidence,
                &Period::default(),
            );
        }
        let (nouns, end) = nouns(said.pieces, at);
        self.is_something(said, &nouns, end);
    }

    fn is_somewhere(&mut self, said: &Said<'_>, preposition: &str, ids: &[usize], period: &Period) {
        let predicate = match (preposition, said.past) {
            ("in", false) => Predicate::located(),
            ("in", true) => Predicate::new("WAS_IN", Entity, Location),
            ("from", _) => Predicate::new("COMES_FROM", Person, Location),
            _ => return,
        };
        self.claim(said.subjects, &predicate, ids, FAR * said.confidence, period);
    }

    /// "Bob's sister", "her brother".
    fn owned_role(&self, said: &Said<'_>, at: usize) -> Option<(usize, Role)> {
        let (owner, mut noun) = match said.pieces.name(at) {
            Some(owner) if said.pieces.get(at + 1) == Some(&Piece::Possessive) => (owner, at + 2),
            Some(_) => return None,
            None if matches!(said.pieces.word(at), "his" | "her" | "its") => {
                let owners = self.resolve(said.pieces.word(at), at, said.subjects)?;
                (*owners.first()?, at + 1)
            }
            None => return None,
        };
        while is(said.pieces.word(noun), Class::ADJECTIVE) {
            noun += 1;
        }
        role_of(said.pieces.word(noun)).map(|role| (owner, role))
    }

    fn is_something(&mut self, said: &Said<'_>, nouns: &[String], end: usize) {
        let found = arguments(said.pieces, end);
        let period = Scene::period(&found);
        if let ([first, second], [noun, ..]) = (said.subjects, nouns)
            && let Some(predicate) = mutual(noun).filter(|_| {
                !found
                    .iter()
                    .any(|argument| matches!(argument, Argument::Preposition(..)))
            })
        {
            self.claim(
                &[*first],
                &Predicate::mutual(predicate),
                &[*second],
                NEAR * said.confidence,
                &period,
            );
        }
        let word = said.pieces.word(end);
        if lookup(word).is_some_and(|(_, form)| is_participle(form)) || is_adjectival(word) {
            // "a database developed by Acme"
            let after = arguments(said.pieces, end + 1);
            return self.passive(
                &Said {
                    end: end + 1,
                    past: said.past,
                    ..*said
                },
                word,
                &after,
            );
        }
        let mut worker = false;
        let prepositions = found.iter().filter_map(|argument| match argument {
            Argument::Preposition(preposition, ids) => Some((preposition.as_str(), ids)),
            _ => None,
        });
        for (place, (preposition, ids)) in prepositions.enumerate() {
            let confidence = said.confidence * if place == 0 { NEAR } else { FAR };
            // "is friends with Bob"
            if let (0, "with", [noun]) = (place, preposition, nouns)
                && let Some(predicate) = mutual(noun)
            {
                self.claim(
                    said.subjects,
                    &Predicate::mutual(predicate),
                    ids,
                    confidence,
                    &period,
                );
            }

            for noun in nouns {
                let after = if place == 0 {
                    of_noun(noun, preposition, said.past)
                } else {
                    None
                };
                let later = || worker.then(|| works(preposition, said.past)).flatten();
                if let Some(predicate) = after.or_else(later) {
                    worker |= predicate.source == Person;
                    self.claim(said.subjects, &predicate, ids, confidence, &period);
                }
            }
        }
    }
}

/// The nouns that say what a subject is ("the founder and first CEO"), and where they end.
fn nouns(pieces: &[Piece], start: usize) -> (Vec<String>, usize) {
    let (mut nouns, mut last, mut at) = (Vec::new(), String::new(), start);
    while at < start + 9 {
        match &pieces.get(at) {
            Some(Piece::Word(word)) if is(word, Class::PREPOSITION | Class::CONJUNCTION) => break,
            Some(Piece::Word(word))
                if !last.is_empty() && lookup(word).is_some_and(|(_, form)| is_participle(form)) =>
            {
                break;
            }
            Some(Piece::Word(word)) if !last.is_empty() && is_adjectival(word) => break,
            Some(Piece::Word(word)) if !is(word, Class::DETERMINER | Class::FUNCTION) => {
                last.clone_from(word)
            }
            Some(Piece::Word(_)) => {}
            Some(Piece::And) if !last.is_empty() => nouns.push(std::mem::take(&mut last)),
            _ => break,
        }
        at += 1;
    }
    nouns.push(last);
    (nouns, at)
}

/// The predicate of "a NOUN PREPOSITION Y" between its bearer and Y.
fn of_noun(noun: &str, preposition: &str, past: bool) -> Option<Predicate> {
    let role = role_of(noun);
    let applies = |role: &Role| {
        preposition == "of" || role.predicate.ends_with("_OF") && matches!(preposition, "at" | "for")
    };
    if let Some(role) = role.filter(applies) {
        return Some(Predicate::role(role, past));
    }
    if is_profession(noun) || role.is_some_and(|role| role.bearer == Person) {
        return works(preposition, past);
    }
    let (kind, noun) = (Class::PLACE | Class::ORGANIZATION | Class::EVENT, singular(noun));
    let has_place = is(&noun, kind) && noun != "team";
    let located = preposition == "in" || preposition == "from" && is(&noun, Class::ORGANIZATION);
    (has_place && located && !past).then(Predicate::located)
}

/// The predicate of "an engineer PREPOSITION Y".
fn works(preposition: &str, past: bool) -> Option<Predicate> {
    let target = match preposition {
        "at" | "for" => Organization,
        "in" => Location,
        _ => return None,
    };
    let preposition = if preposition == "for" { "at" } else { preposition };
    Some(Predicate::verb(
        if past { "worked" } else { "works" },
        preposition,
        Person,
        target,
    ))
}
