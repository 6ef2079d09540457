//! What the `local` provider computes without a model: hashed embeddings, extractive summaries, rule-based facts. Pure.
//!
//! What it is: a provider that works at once, on any machine, for nothing. What it is not: a model. It finds shared words
//! and parts of words, not meaning: "car" and "automobile" are strangers to it. A summary is a choice of the text's own
//! sentences. One text always gives the same result.
//!
//! Nothing here does I/O, keeps state, starts threads or looks at a clock, and no text makes it panic.

mod blocks;
mod cutting;
pub mod embedding;
mod ranking;
pub mod sentences;
mod similarity;
mod stems;
mod summary;
mod words;

pub use cutting::cut_at_sentence;
pub use embedding::{EMBEDDING_VERSION, MODEL, embed};
pub use similarity::{is_fuzzy_matchable, trigram_similarity};
pub use summary::{MAX_SENTENCES, summarize};
