//! Owns what a verb in the active voice states with its arguments: "works at", "met", "moved from … to". It must not
//! find verbs or arguments.

use super::arguments::Argument;
use super::dates::Period;
use super::entities::EntityType::{self, Entity, Event, Location, Organization, Person};
use super::pieces::Look;
use super::predicates::Predicate;
use super::scene::{FAR, NEAR, Said, Scene};
use super::verbs::Verb;

/// A pronoun in the place of an object leaves this much of the confidence.
const PRONOUN: f32 = 0.8;

/// A verb whose arguments are being read, one after the other.
struct Reading<'a> {
    said: &'a Said<'a>,
    verb: &'a Verb,
    /// The form of the verb after which predicates are named.
    stem: &'a str,
    period: Period,
    /// Whether only dates stand between the verb and the argument.
    near: bool,
    objects: Vec<usize>,
    /// The event that the argument before named.
    event: Option<usize>,
}

impl<'a> Reading<'a> {
    fn new(said: &'a Said<'a>, verb: &'a Verb, arguments: &[Argument]) -> Self {
        let period = Scene::period(arguments);
        let stem = if verb.state && !said.is_over(&period) {
            &verb.present
        } else {
            &verb.past
        };
        Reading {
            said,
            verb,
            stem,
            period,
            near: true,
            objects: Vec::new(),
            event: None,
        }
    }

    fn confidence(&self) -> f32 {
        self.said.confidence * if self.near { NEAR } else { FAR }
    }
}

impl Scene<'_> {
    /// Claims what the verb says of its subjects and arguments.
    pub fn active(&mut self, said: &Said<'_>, verb: &Verb, arguments: &[Argument]) {
        let mut reading = Reading::new(said, verb, arguments);
        for argument in arguments {
            let belongs = match argument {
                Argument::Date(_) | Argument::Ongoing => continue,
                Argument::Noun(_) => verb.adjuncts,
                Argument::Names(_) | Argument::Pronoun(_) => self.by_object(&mut reading, argument),
                Argument::Preposition(preposition, ids) => {
                    self.by_preposition(&mut reading, preposition, ids)
                }
            };
            if !belongs {
                return;
            }
            reading.near = false;
        }
        self.mutually(&reading);
        self.where_it_was(&reading);
    }

    /// Claims what an object says; false where it no longer belongs to the verb.
    fn by_object(&mut self, reading: &mut Reading<'_>, argument: &Argument) -> bool {
        let (Some(ids), Some(object), true) = (
            self.named(argument, reading.said),
            reading.verb.object,
            reading.near,
        ) else {
            return false;
        };
        let pronoun = matches!(argument, Argument::Pronoun(_));
        let confidence = reading.confidence() * if pronoun { PRONOUN } else { 1.0 };
        let predicate = Predicate::verb(reading.stem, "", reading.verb.subject, object);
        self.claim(
            reading.said.subjects,
            &predicate,
            &ids,
            confidence,
            &reading.period,
        );
        reading.event = self.event_among(&ids);
        reading.objects = ids;
        true
    }

    /// Claims what a preposition after a verb says; false where it no longer belongs to the verb.
    fn by_preposition(&mut self, reading: &mut Reading<'_>, preposition: &str, ids: &[usize]) -> bool {
        let (said, verb) = (reading.said, reading.verb);
        let far = FAR * said.confidence;
        if let Some(event) = reading.event.filter(|_| preposition == "in") {
            self.claim(&[event], &Predicate::located(), ids, far, &Period::default());
        }
        let after_object = !reading.objects.is_empty() && !matches!(preposition, "in" | "at");
        let belongs = reading.near || verb.adjuncts || after_object;
        match verb.after(preposition).filter(|_| belongs) {
            Some(cue) => self.by_adjunct(reading, preposition, cue, ids),
            None if verb.together && matches!(preposition, "in" | "at" | "during") => {
                let people: Vec<usize> = said.subjects.iter().chain(&reading.objects).copied().collect();
                self.was_there(&people, preposition, ids, far, &reading.period);
            }
            None if verb.adjuncts => {}
            None => return false,
        }
        reading.event = self.event_among(ids);
        true
    }

    /// A preposition that the verb knows, with what an entity after it is.
    fn by_adjunct(&mut self, reading: &Reading<'_>, preposition: &str, cue: EntityType, ids: &[usize]) {
        let verb = reading.verb;
        for id in ids {
            let (preposition, cue) = match (verb.lemma, preposition, self.graph.entity_type(*id)) {
                ("work", "for", Person) => ("for", Person),
                ("work", "for", _) => ("at", cue),
                _ => (preposition, cue),
            };
            let predicate = Predicate::verb(reading.stem, preposition, verb.subject, cue);
            let confidence = reading.confidence();
            self.claim(
                reading.said.subjects,
                &predicate,
                &[*id],
                confidence,
                &reading.period,
            );
        }
    }

    fn event_among(&self, ids: &[usize]) -> Option<usize> {
        let is_event = |id: &usize| self.graph.entity_type(*id) == Event;
        ids.iter().copied().find(is_event)
    }

    /// People who met somewhere were there.
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
    fn mutually(&mut self, reading: &Reading<'_>) {
        let (said, verb) = (reading.said, reading.verb);
        let [first, second] = said.subjects else { return };
        let together = (said.end..said.end + 3).any(|at| said.pieces.word(at) == "together");
        let talks = matches!(verb.lemma, "talk" | "speak");
        let meets = talks || matches!(verb.lemma, "meet" | "marry");
        let predicate = if verb.together && reading.objects.is_empty() && meets {
            let preposition = if talks { "with" } else { "" };
            Predicate::verb(reading.stem, preposition, Person, Person)
        } else if together && verb.after("with").is_some() {
            Predicate::verb(reading.stem, "with", verb.subject, verb.subject)
        } else {
            return;
        };
        let confidence = NEAR * said.confidence;
        self.claim(&[*first], &predicate, &[*second], confidence, &reading.period);
    }

    /// "Berlin, where Alice lives": the place takes the preposition that the verb would have.
    fn where_it_was(&mut self, reading: &Reading<'_>) {
        let Some(place) = self.place else { return };
        let (said, verb) = (reading.said, reading.verb);
        let confidence = FAR * said.confidence;
        if verb.together {
            return self.was_there(said.subjects, "in", &[place], confidence, &reading.period);
        }
        let organization = self.graph.entity_type(place) == Organization;
        let at = verb
            .after("at")
            .filter(|_| organization || verb.after("in").is_none())
            .map(|cue| ("at", cue));
        if let Some((preposition, cue)) = at.or_else(|| verb.after("in").map(|cue| ("in", cue))) {
            let predicate = Predicate::verb(reading.stem, preposition, verb.subject, cue);
            self.claim(said.subjects, &predicate, &[place], confidence, &reading.period);
        }
    }
}
