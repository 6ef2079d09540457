//! Asks for the vectors of a text's chunks. A chunk that the model refuses for its length is cut in two until its
//! halves fit, so that nothing of a text is lost; chunks that are there already are not asked for. It writes nothing.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::super::requests::{self, TextVectors};
use super::chunked_text::{ChunkedText, TextChunk};
use super::context::ChunkContext;
use crate::spending::Spent;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_providers::{Class, TokenCounter, estimate_tokens};

/// The number of times that a chunk is halved.
const DEPTH: usize = 12;
/// A chunk of so few tokens that is refused is not too long: the model takes none.
const LEAST: u64 = 16;
/// Chunks of one text that are halved because they were refused for a reason that is not known.
const GUESSES: usize = 16;

/// The chunks of a text with their results.
pub struct EmbeddedChunks {
    pub chunks: Vec<TextChunk>,
    /// The vectors by the chunks' indexes; chunks that are stored already have none.
    pub vectors: HashMap<usize, Vec<f32>>,
    /// The chunks that the model will never take, by index.
    pub faults: HashMap<usize, HandlerError>,
    /// The reason why others have to wait.
    pub late: Option<HandlerError>,
}

/// The state of one row's chunks while they are asked for.
pub struct ChunkEmbedding<'a> {
    pub context: &'a ChunkContext<'a>,
    pub counter: Option<&'a TokenCounter>,
    /// The tokens of one input that the model takes.
    pub input_tokens: usize,
    /// The hashes of the chunks that are there.
    pub present: &'a [String],
    pub until: Instant,
    /// The vectors of this attempt, by hash.
    vectors: HashMap<String, Vec<f32>>,
    refused: HashMap<String, (Class, HandlerError)>,
    guesses: usize,
    late: Option<HandlerError>,
}

impl<'a> ChunkEmbedding<'a> {
    pub fn new(
        context: &'a ChunkContext<'a>,
        counter: Option<&'a TokenCounter>,
        present: &'a [String],
        until: Instant,
    ) -> Self {
        Self {
            context,
            counter,
            input_tokens: usize::MAX,
            present,
            until,
            vectors: HashMap::new(),
            refused: HashMap::new(),
            guesses: GUESSES,
            late: None,
        }
    }

    /// Embeds the chunks that are not there yet; equal ones once.
    pub async fn embed(&mut self, text: &ChunkedText, spent: &mut Spent) -> EmbeddedChunks {
        let there: HashSet<&str> = self.present.iter().map(String::as_str).collect();
        let mut open = Vec::new();
        for chunk in text.all() {
            self.fitting(text, chunk, &there, DEPTH, &mut open);
        }
        for _round in 0..DEPTH {
            self.ask(&open, spent).await;
            if self.late.is_some() {
                break;
            }
            let Some(smaller) = self.smaller(text, &open) else {
                break;
            };
            open = smaller;
        }
        self.ended(open)
    }

    /// Appends the chunk, or its halves where it is known to be too long: by the model's own count, by what the model
    /// refused, or because an earlier attempt has stored the halves.
    fn fitting(
        &self,
        text: &ChunkedText,
        chunk: TextChunk,
        there: &HashSet<&str>,
        depth: usize,
        open: &mut Vec<TextChunk>,
    ) {
        let is_there = there.contains(chunk.hash.as_str()) || self.vectors.contains_key(&chunk.hash);
        if !is_there
            && depth > 0
            && let Some(halves) = text.halves(&chunk)
            && (self.is_too_long(&chunk) || !there.is_empty() && self.are_there(text, &halves, there, depth))
        {
            for half in halves {
                self.fitting(text, half, there, depth - 1, open);
            }
        } else {
            open.push(chunk);
        }
    }

    fn is_too_long(&self, chunk: &TextChunk) -> bool {
        let ChunkContext {
            provider,
            recipe,
            learned,
            ..
        } = self.context;
        let input = chunk.input();
        if let Some(counter) = self.counter {
            return counter.count(&input) + counter.special > self.input_tokens;
        }
        estimate_tokens(&input) > LEAST && learned.is_too_long(provider.name(), &recipe.model, &input)
    }

    fn are_there(
        &self,
        text: &ChunkedText,
        halves: &[TextChunk; 2],
        there: &HashSet<&str>,
        depth: usize,
    ) -> bool {
        halves.iter().all(|half| {
            there.contains(half.hash.as_str())
                || depth > 1
                    && text
                        .halves(half)
                        .is_some_and(|halves| self.are_there(text, &halves, there, depth - 1))
        })
    }

    /// Asks for the chunks that are neither there nor answered nor refused.
    async fn ask(&mut self, open: &[TextChunk], spent: &mut Spent) {
        self.late = None;
        let asked = self.unanswered(open);
        if asked.is_empty() {
            return;
        }
        let inputs: Vec<String> = asked.iter().map(|chunk| chunk.input()).collect();
        let ChunkContext {
            scope,
            provider,
            recipe,
            ..
        } = self.context;
        let (who, model) = (scope.principal(), scope.config.model.as_deref());
        let TextVectors {
            vectors,
            refused,
            spent: cost,
        } = requests::embed(provider, &who, model, recipe.dimensions, &inputs, self.time()).await;
        spent.add(cost);
        for (index, answer) in vectors.into_iter().enumerate() {
            let hash = asked[index].hash.clone();
            match (answer, refused.get(&index)) {
                (Ok(vector), _) => drop(self.vectors.insert(hash, vector)),
                (Err(error @ HandlerError::Permanent { .. }), class) => {
                    let class = class.copied().unwrap_or(Class::Refused);
                    if class == Class::InputTooLong {
                        self.context
                            .learned
                            .refused(provider.name(), &recipe.model, &inputs[index]);
                    }
                    self.refused.insert(hash, (class, error));
                }
                (Err(passing), _) => self.late = Some(passing),
            }
        }
    }

    /// The chunks that are to be asked for; equal ones once.
    fn unanswered<'b>(&self, open: &'b [TextChunk]) -> Vec<&'b TextChunk> {
        let mut seen = HashSet::new();
        let missing = missing(open, self.present).into_iter().map(|index| &open[index]);
        missing
            .filter(|chunk| {
                let is_known =
                    self.vectors.contains_key(&chunk.hash) || self.refused.contains_key(&chunk.hash);
                !is_known && seen.insert(chunk.hash.as_str())
            })
            .collect()
    }

    /// The chunks, with halves for those that were refused for their length, or perhaps for it; `None` when there are
    /// none of these.
    fn smaller(&mut self, text: &ChunkedText, open: &[TextChunk]) -> Option<Vec<TextChunk>> {
        let is_least = |chunk: &TextChunk| estimate_tokens(&chunk.content) <= LEAST;
        let too_long = |class: Class| class == Class::InputTooLong;
        let is_hopeless = |chunk: &TextChunk| {
            let refused = self.refused.get(&chunk.hash);
            is_least(chunk) && refused.is_some_and(|(class, _)| too_long(*class))
        };
        if open.iter().any(is_hopeless) {
            return None;
        }
        let mut smaller = Vec::with_capacity(open.len());
        let mut changed = false;
        for chunk in open {
            let class = self.refused.get(&chunk.hash).map(|(class, _)| *class);
            let is_guess = class == Some(Class::BadRequest) && self.guesses > 0 && !is_least(chunk);
            let halves = (is_guess || class.is_some_and(too_long))
                .then(|| text.halves(chunk))
                .flatten();
            match halves {
                Some(halves) => {
                    self.guesses -= usize::from(is_guess);
                    changed = true;
                    smaller.extend(halves);
                }
                None => smaller.push(chunk.clone()),
            }
        }
        changed.then_some(smaller)
    }

    fn ended(&self, chunks: Vec<TextChunk>) -> EmbeddedChunks {
        let (mut vectors, mut faults) = (HashMap::new(), HashMap::new());
        for index in missing(&chunks, self.present) {
            let hash = &chunks[index].hash;
            if let Some(vector) = self.vectors.get(hash) {
                vectors.insert(index, vector.clone());
            } else if let Some((_, error)) = self.refused.get(hash) {
                faults.insert(index, error.clone());
            }
        }
        EmbeddedChunks {
            chunks,
            vectors,
            faults,
            late: self.late.clone(),
        }
    }

    fn time(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

/// The indexes of the chunks that are not stored: of equal ones, as many as there are too few.
fn missing(chunks: &[TextChunk], present: &[String]) -> Vec<usize> {
    let mut left = HashMap::<&str, usize>::new();
    for hash in present {
        *left.entry(hash).or_default() += 1;
    }
    let mut is_missing = |chunk: &TextChunk| match left.get_mut(chunk.hash.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    let numbered = chunks.iter().enumerate();
    numbered
        .filter_map(|(index, chunk)| is_missing(chunk).then_some(index))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use zerodb_hooks_documents::ChunkOptions;

    use super::super::super::recipe::EmbedRecipe;
    use super::*;

    #[test]
    fn only_parts_without_a_chunk_are_missing() {
        let recipe = EmbedRecipe {
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
        let chunks = ChunkedText::of(text, &options, &recipe, None).all();
        let [a, b, c] = [0, 1, 3].map(|index| chunks[index].hash.clone());
        let present = |hashes: &[&String]| {
            let hashes: Vec<String> = hashes.iter().map(|hash| (*hash).clone()).collect();
            missing(&chunks, &hashes)
        };
        assert_eq!(present(&[]), [0, 1, 2, 3, 4]);
        assert_eq!(present(&[&a, &c, &a, &"x".to_owned()]), [1, 4]);
        assert!(present(&[&a, &a, &a, &b, &c]).is_empty());
    }
}
