//! Owns what the passive voice and a verb that is not known state: "was founded by", "is located in", "orchestrates".
//! It must not find verbs or arguments.

use super::arguments::Argument;
use super::dates::Period;
use super::entities::EntityType::Entity;
use super::lexicon::{Class, is};
use super::pieces::{Look, Piece};
use super::predicates::Predicate;
use super::roles::mutual;
use super::scene::{FAR, NEAR, Said, Scene};
use super::verbs::{adjectival, lookup};

/// Confidence in a fact of a verb that is not known.
const UNKNOWN: f32 = 0.6;

impl Scene<'_> {
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
