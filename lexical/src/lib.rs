//! What the `local` provider computes without a model: hashed embeddings, extractive summaries, rule-based facts.
//!
//! What it is: a provider that works at once, on any machine, for nothing, and always gives the same result for a text.
//! What it is not: a model. It finds shared words and parts of words, not meaning.
//!
//! - [`embed`]: the cosine of two vectors says how many words and pieces of words two texts share, in any language. "car" and
//!   "automobile" are strangers to it; "deploying" and "deployment" are not.
//! - [`summarize`]: a choice of the text's own sentences by TextRank, in any language with sentence marks. It writes none.
//! - [`extract`]: names and the relations between them, by rules for plain English prose. It misses much that a model would
//!   find, and prefers that to inventing a fact.
//! - [`stops`]: the marks that end sentences, for whoever cuts texts.
//! - [`nearest`]: which of some names was meant, for hints.
//! - [`cut_at_sentence`], [`trigram_similarity`], [`is_fuzzy_matchable`]: what the worker needs around a model's answers.
//!
//! Nothing here does I/O, starts threads or looks at a clock, and no text makes it panic. The worker uses it, and so may the
//! extension, inside a backend: dependencies stay few.

mod blocks;
mod cutting;
pub mod embedding;
mod extraction;
mod nearest;
mod ranking;
pub mod sentences;
mod similarity;
mod stems;
pub mod stops;
mod summary;
mod words;

pub use cutting::cut_at_sentence;
pub use embedding::{EMBEDDING_VERSION, MODEL, embed, embed_between};
pub use extraction::{Entity, EntityType, Extraction, Limits, MAX_TEXT, Relation, extract};
pub use nearest::nearest;
pub use similarity::{is_fuzzy_matchable, trigram_similarity};
pub use summary::{MAX_SENTENCES, summarize};
