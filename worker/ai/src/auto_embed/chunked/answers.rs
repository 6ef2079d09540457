//! The vectors of a text's parts. A part that the model refuses for its length is cut in two until its parts fit, so that nothing
//! of a text is lost; parts that are there already are not asked for.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::super::requests::{self, Answered};
use super::Documents;
use super::pieces::{Piece, Pieces};
use crate::spending::Spent;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_providers::{Class, TokenCounter, estimate_tokens};

/// How often a part is halved.
const DEPTH: usize = 12;
/// A part of so many tokens that is refused is not too long: the model takes none.
const LEAST: u64 = 16;
/// Parts of a text that are halved because they were refused for a reason that is not known.
const GUESSES: usize = 16;

/// The parts of a text with what became of them.
pub struct Answers {
    pub pieces: Vec<Piece>,
    /// By place; those that are there already have none.
    pub vectors: HashMap<usize, Vec<f32>>,
    /// The parts that the model will never take.
    pub faults: HashMap<usize, HandlerError>,
    /// Why others have to wait.
    pub late: Option<HandlerError>,
}

/// What is known of a row's parts while they are asked for.
pub struct Asking<'a> {
    pub documents: &'a Documents<'a>,
    pub counter: Option<&'a TokenCounter>,
    /// Tokens of an input.
    pub takes: usize,
    /// The hashes of the chunks that are there.
    pub present: &'a [String],
    pub until: Instant,
    /// The vectors of this attempt, by hash.
    vectors: HashMap<String, Vec<f32>>,
    refused: HashMap<String, (Class, HandlerError)>,
    guesses: usize,
    late: Option<HandlerError>,
}

impl<'a> Asking<'a> {
    pub fn new(
        documents: &'a Documents<'a>,
        counter: Option<&'a TokenCounter>,
        present: &'a [String],
        until: Instant,
    ) -> Self {
        Self {
            documents,
            counter,
            takes: usize::MAX,
            present,
            until,
            vectors: HashMap::new(),
            refused: HashMap::new(),
            guesses: GUESSES,
            late: None,
        }
    }

    /// Embeds the parts that are not there yet; equal ones once.
    pub async fn answers(&mut self, pieces: &Pieces, spent: &mut Spent) -> Answers {
        let there: HashSet<&str> = self.present.iter().map(String::as_str).collect();
        let mut open = Vec::new();
        for piece in pieces.all() {
            self.fitting(pieces, piece, &there, DEPTH, &mut open);
        }
        for _round in 0..DEPTH {
            self.ask(&open, spent).await;
            if self.late.is_some() {
                break;
            }
            let Some(smaller) = self.smaller(pieces, &open) else {
                break;
            };
            open = smaller;
        }
        self.ended(open)
    }

    /// Appends the part, or its halves where it is known to be too long: by the model's own count, by what the model refused,
    /// or because an earlier attempt has stored them.
    fn fitting(
        &self,
        pieces: &Pieces,
        piece: Piece,
        there: &HashSet<&str>,
        depth: usize,
        open: &mut Vec<Piece>,
    ) {
        let is_there = there.contains(piece.hash.as_str()) || self.vectors.contains_key(&piece.hash);
        if !is_there
            && depth > 0
            && let Some(halves) = pieces.halves(&piece)
            && (self.is_too_long(&piece)
                || !there.is_empty() && self.are_there(pieces, &halves, there, depth))
        {
            for half in halves {
                self.fitting(pieces, half, there, depth - 1, open);
            }
        } else {
            open.push(piece);
        }
    }

    fn is_too_long(&self, piece: &Piece) -> bool {
        let Documents {
            provider,
            recipe,
            learned,
            ..
        } = self.documents;
        let input = piece.input();
        if let Some(counter) = self.counter {
            return counter.count(&input) + counter.special > self.takes;
        }
        estimate_tokens(&input) > LEAST && learned.is_too_long(provider.name(), &recipe.model, &input)
    }

    fn are_there(&self, pieces: &Pieces, halves: &[Piece; 2], there: &HashSet<&str>, depth: usize) -> bool {
        halves.iter().all(|half| {
            there.contains(half.hash.as_str())
                || depth > 1
                    && pieces
                        .halves(half)
                        .is_some_and(|halves| self.are_there(pieces, &halves, there, depth - 1))
        })
    }

    /// Asks for what is neither there nor answered nor refused.
    async fn ask(&mut self, open: &[Piece], spent: &mut Spent) {
        self.late = None;
        let mut asked: Vec<&Piece> = Vec::new();
        let mut seen = HashSet::new();
        for place in missing(open, self.present) {
            let piece = &open[place];
            let is_known = self.vectors.contains_key(&piece.hash) || self.refused.contains_key(&piece.hash);
            if !is_known && seen.insert(piece.hash.as_str()) {
                asked.push(piece);
            }
        }
        if asked.is_empty() {
            return;
        }
        let inputs: Vec<String> = asked.iter().map(|piece| piece.input()).collect();
        let Documents {
            scope,
            provider,
            recipe,
            ..
        } = self.documents;
        let (hook, tenant) = (scope.hook, scope.user_id);
        let Answered {
            vectors,
            refused,
            spent: cost,
        } = requests::embed(provider, hook, tenant, recipe.dimensions, &inputs, self.time()).await;
        spent.add(cost);
        for (place, answer) in vectors.into_iter().enumerate() {
            let hash = asked[place].hash.clone();
            match (answer, refused.get(&place)) {
                (Ok(vector), _) => drop(self.vectors.insert(hash, vector)),
                (Err(error @ HandlerError::Permanent { .. }), class) => {
                    let class = class.copied().unwrap_or(Class::Refused);
                    if class == Class::InputTooLong {
                        self.documents
                            .learned
                            .refused(provider.name(), &recipe.model, &inputs[place]);
                    }
                    self.refused.insert(hash, (class, error));
                }
                (Err(passing), _) => self.late = Some(passing),
            }
        }
    }

    /// The parts with halves for those that were refused for their length, or perhaps for it; `None` when there are none.
    fn smaller(&mut self, pieces: &Pieces, open: &[Piece]) -> Option<Vec<Piece>> {
        let is_least = |piece: &Piece| estimate_tokens(&piece.content) <= LEAST;
        let too_long = |class: Class| class == Class::InputTooLong;
        let is_hopeless = |piece: &Piece| {
            let refused = self.refused.get(&piece.hash);
            is_least(piece) && refused.is_some_and(|(class, _)| too_long(*class))
        };
        if open.iter().any(is_hopeless) {
            return None;
        }
        let mut smaller = Vec::with_capacity(open.len());
        let mut changed = false;
        for piece in open {
            let class = self.refused.get(&piece.hash).map(|(class, _)| *class);
            let is_guess = class == Some(Class::BadRequest) && self.guesses > 0 && !is_least(piece);
            let halves = (is_guess || class.is_some_and(too_long))
                .then(|| pieces.halves(piece))
                .flatten();
            match halves {
                Some(halves) => {
                    self.guesses -= usize::from(is_guess);
                    changed = true;
                    smaller.extend(halves);
                }
                None => smaller.push(piece.clone()),
            }
        }
        changed.then_some(smaller)
    }

    fn ended(&self, pieces: Vec<Piece>) -> Answers {
        let (mut vectors, mut faults) = (HashMap::new(), HashMap::new());
        for place in missing(&pieces, self.present) {
            let hash = &pieces[place].hash;
            if let Some(vector) = self.vectors.get(hash) {
                vectors.insert(place, vector.clone());
            } else if let Some((_, error)) = self.refused.get(hash) {
                faults.insert(place, error.clone());
            }
        }
        Answers {
            pieces,
            vectors,
            faults,
            late: self.late.clone(),
        }
    }

    fn time(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

/// The places of the parts that no chunk is there for: of equal ones, as many as there are too few.
fn missing(pieces: &[Piece], present: &[String]) -> Vec<usize> {
    let mut left = HashMap::<&str, usize>::new();
    for hash in present {
        *left.entry(hash).or_default() += 1;
    }
    let mut is_missing = |piece: &Piece| match left.get_mut(piece.hash.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    let places = pieces.iter().enumerate();
    places
        .filter_map(|(place, piece)| is_missing(piece).then_some(place))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use zerodb_hooks_documents::ChunkOptions;

    use super::super::super::input::Recipe;
    use super::*;

    #[test]
    fn only_parts_without_a_chunk_are_missing() {
        let recipe = Recipe {
            template: None,
            model: "m".into(),
            dimensions: None,
            replaces_given: false,
        };
        let options = ChunkOptions {
            max_tokens: 4,
            overlap_tokens: 0,
            markdown: false,
        };
        let text: Arc<str> = "alpha one.\n\nbravo two.\n\nalpha one.\n\nchale six.\n\nalpha one.".into();
        let pieces = Pieces::of(text, &options, &recipe, None).all();
        let [a, b, c] = [0, 1, 3].map(|place| pieces[place].hash.clone());
        let present = |hashes: &[&String]| {
            let hashes: Vec<String> = hashes.iter().map(|hash| (*hash).clone()).collect();
            missing(&pieces, &hashes)
        };
        assert_eq!(present(&[]), [0, 1, 2, 3, 4]);
        assert_eq!(present(&[&a, &c, &a, &"x".to_owned()]), [1, 4]);
        assert!(present(&[&a, &a, &a, &b, &c]).is_empty());
    }
}
