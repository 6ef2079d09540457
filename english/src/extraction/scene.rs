//! Owns a sentence while it is read: its subjects so far, the claims that it makes, and the clause that is being read.
//! It must not know what a verb means.

use super::arguments::Argument;
use super::coreference::{Context, is_pronoun};
use super::dates::Period;
use super::graph::{Claim, Graph};
use super::pieces::{Look, Piece};
use super::predicates::Predicate;

/// Confidence in a fact right after a known verb, and in one further away.
pub(super) const NEAR: f32 = 0.9;
pub(super) const FAR: f32 = 0.75;

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
    /// The end of its verb group.
    pub end: usize,
}

impl Said<'_> {
    /// Whether the state is over: said in the past, and nothing says that it goes on.
    pub fn is_over(&self, period: &Period) -> bool {
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

    /// The period that the arguments state, and whether it goes on.
    pub fn period(arguments: &[Argument]) -> Period {
        let mut whole = Period::default();
        for argument in arguments {
            match argument {
                Argument::Date(period) => {
                    whole.from = whole.from.or_else(|| period.from.clone());
                    whole.until = whole.until.or_else(|| period.until.clone());
                    whole.ongoing |= period.ongoing;
                }
                Argument::Ongoing => whole.ongoing = true,
                _ => {}
            }
        }
        whole
    }

    /// The entities that an argument names, by name or pronoun.
    pub fn named(&self, argument: &Argument, said: &Said<'_>) -> Option<Vec<usize>> {
        match argument {
            Argument::Names(ids) | Argument::Preposition(_, ids) => Some(ids.clone()),
            Argument::Pronoun(place) => {
                let pronoun = said.pieces.word(*place);
                is_pronoun(pronoun)
                    .then(|| self.resolve(pronoun, *place, said.subjects))
                    .flatten()
            }
            _ => None,
        }
    }
}
