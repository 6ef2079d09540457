//! Rules that read and shorten text without a model: sentences, extractive summaries, facts of plain English prose.
//!
//! The crate `zerodb_hooks_lexical`, on which this one stands, must never change a result, because stored vectors
//! depend on it. Nothing that is stored depends on the rules here: they may become better with any version. Only the
//! worker links them.
//!
//! - [`sentences`]: the sentences of plain text or Markdown, in any language with sentence marks.
//! - [`summarize`]: a choice of the text's own sentences by TextRank, in any language with sentence marks. It writes
//!   none.
//! - [`extract`]: names and the relations between them, by rules for plain English prose. It misses much that a model
//!   would find, and prefers that to inventing a fact.
//! - [`cut_at_sentence`]: makes a model's answer fit a length.
//! - [`trigram_similarity`], [`is_fuzzy_matchable`]: how alike two names look.
//!
//! Nothing here does I/O, starts threads or looks at a clock, and no text makes it panic.

mod abbreviations;
mod blocks;
mod cutting;
mod extraction;
mod ranking;
mod sentences;
mod similarity;
mod summary;

pub use cutting::cut_at_sentence;
pub use extraction::{Entity, EntityType, Extraction, Limits, MAX_TEXT, Relation, extract};
pub use sentences::sentences;
pub use similarity::{is_fuzzy_matchable, trigram_similarity};
pub use summary::{MAX_SENTENCES, summarize};
