//! From a text to chunks that a model can take: at headings, else between paragraphs, sentences or words.
//!
//! Filling one chunk after the other moves the later borders when a word is inserted, until one falls on its old place by
//! chance, and the summaries or vectors that are kept for those chunks are lost. So the text is first cut into sections
//! at places that their own neighbourhood decides (`sections`), and a section that is too large at its best places: an
//! edit changes the chunks that it touches, and one or two beside them. Only what has no such place, such as a line that
//! is longer than a chunk, is cut by filling.
//!
//! The crate text-splitter fills, and took a time that grows with the square of a paragraph: 0.1 s for 40 kB of words
//! in chunks of 90 tokens.

mod cutter;
mod front_matter;
mod halves;
mod headings;
mod places;
mod sections;
mod tokens;

use std::ops::Range;

use cutter::Cutter;
pub use front_matter::body;
pub use halves::Cut;
use headings::Outline;
use tokens::{By, Estimate, Measure};
pub use tokens::{dense_tokens, estimated_tokens};

/// How a text is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChunkOptions {
    /// The most tokens of a chunk, its overlap included.
    pub max_tokens: usize,
    /// The most tokens that a chunk repeats of the end of the one before it. At a heading nothing is repeated.
    pub overlap_tokens: usize,
    /// Whether the text is Markdown, so that headings, tables and code are respected, and front matter is left out. Of a
    /// text that is none, a `#` is a comment or a number: it has no headings.
    pub markdown: bool,
}

impl ChunkOptions {
    /// For summaries that are put together of summaries: 4,000 tokens with 10 % overlap; some 2,500 on the average.
    #[must_use]
    pub fn for_summaries(markdown: bool) -> Self {
        Self {
            max_tokens: 4000,
            overlap_tokens: 400,
            markdown,
        }
    }

    /// For embeddings: 400 tokens with 10 % overlap.
    #[must_use]
    pub fn for_embeddings(markdown: bool) -> Self {
        Self {
            max_tokens: 400,
            overlap_tokens: 40,
            markdown,
        }
    }
}

/// A part of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chunk {
    /// Its number, from 0.
    pub index: usize,
    /// Its bytes in the text; it overlaps the chunk before. Without white space at its ends.
    pub range: Range<usize>,
    /// The headings above it, from the outermost, joined by ` > `; one with which it begins included. Not for
    /// hashing: a new title of the document changes it for all chunks.
    pub heading: Option<String>,
}

impl Chunk {
    /// The words of the chunk in the text that was cut.
    #[must_use]
    pub fn text<'text>(&self, text: &'text str) -> &'text str {
        &text[self.range.clone()]
    }
}

/// Cuts a text by [`estimated_tokens`].
#[must_use]
pub fn chunks(text: &str, options: &ChunkOptions) -> Vec<Chunk> {
    Cut::new(text, options).chunks
}

/// Cuts a text by the tokens that `tokens` counts. The same text gives the same chunks, in every process and version
/// that has the same rules.
#[must_use]
pub fn chunks_by(text: &str, options: &ChunkOptions, tokens: impl Fn(&str) -> usize) -> Vec<Chunk> {
    Cut::by(text, options, tokens).chunks
}

/// What a Markdown text says its title is: in its front matter, else by its first heading of the highest level.
pub(crate) fn title(markdown: &str) -> Option<String> {
    front_matter::title(markdown).or_else(|| Outline::of(markdown).title())
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let words = &text[range.clone()];
    let start = range.end - words.trim_start().len();
    start..start + words.trim().len()
}
