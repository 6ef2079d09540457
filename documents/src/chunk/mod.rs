//! From a text to chunks that a model can take: at headings, else between paragraphs, sentences or words.
//!
//! Filling one chunk after the other moves the later borders when a word is inserted, until one falls on its old place
//! by chance, and the summaries or vectors that are kept for those chunks are lost. So the text is first cut into
//! sections at places that their own neighbourhood decides (`sections`), and a section that is too large at its best
//! places: an edit changes the chunks that it touches, and one or two beside them. Only what has no such place, such as
//! a line that is longer than a chunk, is cut by filling.
//!
//! The crate text-splitter fills, and took a time that grows with the square of a paragraph: 0.1 s for 40 kB of words
//! in chunks of 90 tokens.

mod cutter;
mod front_matter;
mod halves;
mod headings;
mod options;
mod piece;
mod places;
mod sections;
mod tokens;

pub use front_matter::body;
pub use halves::Cut;
use headings::Outline;
pub use options::ChunkOptions;
pub use piece::Chunk;
pub use tokens::{dense_tokens, estimated_tokens};

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

/// The title that a Markdown text states: in its front matter, else by its first heading of the highest level.
pub(crate) fn title(markdown: &str) -> Option<String> {
    front_matter::title(markdown).or_else(|| Outline::of(markdown).title())
}
