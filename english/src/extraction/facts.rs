//! Owns what a clause states: from a subject, a verb and its arguments to relations. It must not find any of the three.

use super::EntityType::{Entity, Event, Location, Organization, Person};
use super::arguments::Argument;
use super::coreference::Context;
use super::dates::Period;
use super::graph::{Claim, Graph};
use super::lexicon::{Class, is};
use super::pieces::{Look, Piece};
use super::predicates::Predicate;
use super::roles::mutual;
use super::verbs::{Verb, adjectival, lookup};

/// Confidence of what stands right after a known verb, of what stands further away, and after a verb that is not known.
pub(super) const NEAR: f32 = 0.9;
pub(super) const FAR: f32 = 0.75;
const UNKNOWN: f32 = 0.6;

/// A sentence that is being read, with what is known from before it.
pub(super) struct Scene<'a> {
    pub graph: &'a mut Graph,
    context: &'a mut Context,
    sentence: (usize, usize),
    /// The place that a clause with "where" is about.
    pub place: Option<usize>,
}

/// A clause up to its verb.
pub(super) struct Said<'a> {
    pub subjects: &'a [usize],
    pub past: bool,
    pub perfect: bool,
    pub confidence: f32,
    pub pieces: &'a [Piece],
    /// Where its verb group ends.
    pub end: usize,
}

impl Said<'_> {
    fn is_over(&self, period: &Period) -> bool {
        self.past && !(self.perfect && period.ongoing)
    }
}

impl<'a> Scene<'a> {
    pub fn new(graph: &'a mut Graph, context: &'a mut Context, sentence: (usize, usize)) -> Self {
        Scene {
            graph,
            context,
            sentence,
            place: None,
        }
    }

    pub fn subject(&mut self, place: usize, ids: &[usize]) {
        self.context.subject(place, ids);
    }

    pub fn resolve(&self, pronoun: &str, place: usize, own: &[usize]) -> Option<Vec<usize>> {
        self.context.resolve(pronoun, place, own, self.graph)
    }

    /// Claims a predicate between each source and each target.
    pub fn claim(
        &mut self,
        sources: &[usize],
        predicate: &Predicate,
        targets: &[usize],
        confidence: f32,
        period: &Period,
    ) {
        for source in sources {
            for target in targets {
                self.graph.vote(*source, predicate.source);
                self.graph.vote(*target, predicate.target);
                self.graph.claim(Claim {
                    source: *source,
                    predicate: predicate.name.clone(),
                    target: *target,
                    phrase: predicate.phrase(),
                    confidence,
                    period: period.clone(),
                    sentence: self.sentence,
                });
            }
        }
    }

    /// "works at", "met", "moved from … to".
    pub fn active(&mut self, said: &Said<'_>, verb: &Verb, arguments: &[Argument]) {
        let period = Scene::period(arguments);
        let stem = if verb.state && !said.is_over(&period) {
            &verb.present
        } else {
            &verb.past
        };
        let mut near = true;
        let mut objects: Vec<usize> = Vec::new();
        let mut event = None;
        for argument in arguments {
            match argument {
                Argument::Date(_) | Argument::Ongoing => continue,
                Argument::Noun(_) if !verb.adjuncts => return,
                Argument::Noun(_) => {}
                Argument::Names(_) | Argument::Pronoun(_) => {
                    let (Some(ids), Some(object), true) = (self.named(argument, said), verb.object, near)
                    else {
                        return;
                    };
                    let confidence = NEAR
                        * said.confidence
                        * if matches!(argument, Argument::Pronoun(_)) {
                            0.8
                        } else {
                            1.0
                        };
                    self.claim(
                        said.subjects,
                        &Predicate::verb(stem, "", verb.subject, object),
                        &ids,
                        confidence,
                        &period,
                    );
                    event = ids
                        .iter()
                        .copied()
                        .find(|id| self.graph.entity_type(*id) == Event);
                    objects = ids;
                }
                Argument::Preposition(preposition, ids) => {
                    if let Some(event) = event.filter(|_| preposition == "in") {
                        self.claim(
                            &[event],
                            &Predicate::located(),
                            ids,
                            FAR * said.confidence,
                            &Period::default(),
                        );
                    }
                    let confidence = said.confidence * if near { NEAR } else { FAR };
                    if !self.by_preposition(
                        said,
                        verb,
                        (stem, preposition),
                        ids,
                        (near, &objects),
                        (confidence, &period),
                    ) {
                        return;
                    }
                    event = ids
                        .iter()
                        .copied()
                        .find(|id| self.graph.entity_type(*id) == Event);
                }
            }
            near = false;
        }
        self.mutually(said, verb, stem, &objects, &period);
        self.where_it_was(said, verb, stem, &period);
    }

    /// Claims what a preposition after a verb says; false where it no longer belongs to the verb.
    fn by_preposition(
        &mut self,
        said: &Said<'_>,
        verb: &Verb,
        (stem, preposition): (&str, &str),
        ids: &[usize],
        (near, objects): (bool, &[usize]),
        (confidence, period): (f32, &Period),
    ) -> bool {
        let belongs = near || verb.adjuncts || !objects.is_empty() && !matches!(preposition, "in" | "at");
        match verb.after(preposition).filter(|_| belongs) {
            Some(cue) => {
                for id in ids {
                    let (preposition, cue) = match (verb.lemma, preposition, self.graph.entity_type(*id)) {
                        ("work", "for", Person) => ("for", Person),
                        ("work", "for", _) => ("at", cue),
                        _ => (preposition, cue),
                    };
                    let predicate = Predicate::verb(stem, preposition, verb.subject, cue);
                    self.claim(said.subjects, &predicate, &[*id], confidence, period);
                }
                true
            }
            None if verb.together && matches!(preposition, "in" | "at" | "during") => {
                let people: Vec<usize> = said.subjects.iter().chain(objects).copied().collect();
                self.was_there(&people, preposition, ids, FAR * said.confidence, period);
                true
            }
            None => verb.adjuncts,
        }
    }

    /// Those who met somewhere were there.
    fn was_there(
        &mut self,
        people: &[usize],
        preposition: &str,
        ids: &[usize],
        confidence: f32,
        period: &Period,
    ) {
        for id in ids {
            let (name, cue) = match (preposition, self.graph.entity_type(*id)) {
                (_, Event) => ("ATTENDED", Event),
                ("in", Entity | Location) => ("WAS_IN", Location),
                ("at", _) => ("WAS_AT", Entity),
                _ => continue,
            };
            self.claim(
                people,
                &Predicate::new(name, Person, cue),
                &[*id],
                confidence,
                period,
            );
        }
    }

    /// "Alice and Bob met", "Alice and Bob work together".
    fn mutually(&mut self, said: &Said<'_>, verb: &Verb, stem: &str, objects: &[usize], period: &Period) {
        let [first, second] = said.subjects else { return };
        let together = (said.end..said.end + 3).any(|at| said.pieces.word(at) == "together");
        if verb.together && objects.is_empty() && matches!(verb.lemma, "meet" | "marry" | "talk" | "speak") {
            let preposition = if matches!(verb.lemma, "talk" | "speak") {
                "with"
            } else {
                ""
            };
            let predicate = Predicate::verb(stem, preposition, Person, Person);
            self.claim(&[*first], &predicate, &[*second], NEAR * said.confidence, period);
        } else if together && verb.after("with").is_some() {
            let predicate = Predicate::verb(stem, "with", verb.subject, verb.subject);
            self.claim(&[*first], &predicate, &[*second], NEAR * said.confidence, period);
        }
    }

    /// "Berlin, where Alice lives": the place takes the preposition that the verb would have.
    fn where_it_was(&mut self, said: &Said<'_>, verb: &Verb, stem: &str, period: &Period) {
        let Some(place) = self.place else { return };
        if verb.together {
            return self.was_there(said.subjects, "in", &[place], FAR * said.confidence, period);
        }
        let organization = self.graph.entity_type(place) == Organization;
        let at = verb
            .after("at")
            .filter(|_| organization || verb.after("in").is_none())
            .map(|cue| ("at", cue));
        if let Some((preposition, cue)) = at.or_else(|| verb.after("in").map(|cue| ("in", cue))) {
            let predicate = Predicate::verb(stem, preposition, verb.subject, cue);
            self.claim(said.subjects, &predicate, &[place], FAR * said.confidence, period);
        }
    }

    /// A verb that is not known, between two names with nothing else between them.
    pub fn unknown(&mut self, said: &Said<'_>, word: &str, arguments: &[Argument]) {
        let after = said.pieces.get(said.end);
        let direct =
            matches!(after, Some(Piece::Name(_))) || is(said.pieces.word(said.end), Class::DETERMINER);
        let (preposition, ids) = match arguments.first() {
            Some(Argument::Names(ids)) if direct => ("", ids),
            // "bindings to": before a preposition a word in s is more often a noun.
            Some(Argument::Preposition(preposition, ids))
                if word.ends_with("ed") && matches!(preposition.as_str(), "to" | "with" | "on" | "into") =>
            {
                (preposition.as_str(), ids)
            }
            _ => return,
        };
        if said.subjects.iter().all(|id| self.graph.is_solid(*id)) {
            let predicate = Predicate::verb(word, preposition, Entity, Entity);
            self.claim(
                said.subjects,
                &predicate,
                ids,
                UNKNOWN * said.confidence,
                &Scene::period(arguments),
            );
        }
    }

    /// "was founded by", "is located in".
    pub fn passive(&mut self, said: &Said<'_>, participle: &str, arguments: &[Argument]) {
        let period = Scene::period(arguments);
        for argument in arguments {
            let Argument::Preposition(preposition, ids) = argument else {
                continue;
            };
            if preposition == "by" {
                self.by_agent(said, participle, ids, &period);
            } else if let Some(row) = adjectival(participle, preposition) {
                self.claim(
                    said.subjects,
                    &Predicate::adjectival(row, said.past),
                    ids,
                    NEAR * said.confidence,
                    &period,
                );
            } else if (participle, preposition.as_str()) == ("known", "as")
                && said.subjects.len() == 1
                && ids.len() == 1
            {
                self.graph.alias(said.subjects[0], ids[0]);
            }
        }
        if let (Some(place), Some(row)) = (self.place, adjectival(participle, "in")) {
            let predicate = Predicate::adjectival(row, said.past);
            self.claim(
                said.subjects,
                &predicate,
                &[place],
                FAR * said.confidence,
                &period,
            );
        }
        let to_another = arguments
            .iter()
            .any(|found| matches!(found, Argument::Preposition(to, _) if to == "to"));
        let [first, second] = said.subjects else { return };
        if let Some(predicate) = mutual(participle).filter(|_| !to_another) {
            self.claim(
                &[*first],
                &Predicate::mutual(predicate),
                &[*second],
                NEAR * said.confidence,
                &period,
            );
        }
    }

    fn by_agent(&mut self, said: &Said<'_>, participle: &str, agents: &[usize], period: &Period) {
        let (predicate, confidence) = match lookup(participle) {
            Some((verb, _)) => {
                let stem = if verb.state && !verb.makes && !said.is_over(period) {
                    &verb.present
                } else {
                    &verb.past
                };
                (
                    Predicate::verb(stem, "", verb.subject, verb.object.unwrap_or_default()),
                    NEAR,
                )
            }
            None => (Predicate::verb(participle, "", Entity, Entity), UNKNOWN),
        };
        self.claim(
            agents,
            &predicate,
            said.subjects,
            confidence * said.confidence,
            period,
        );
    }
}
