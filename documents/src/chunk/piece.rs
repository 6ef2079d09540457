//! A chunk: a part of a text, and its bounds without white space. It must not choose where to cut.

use std::ops::Range;

/// A part of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chunk {
    /// Its number, from 0.
    pub index: usize,
    /// Its bytes in the text; it overlaps the chunk before. Without white space at its end, and at its beginning where
    /// nothing is repeated.
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

/// The range without the white space at its ends.
pub(super) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let words = &text[range.clone()];
    let start = range.end - words.trim_start().len();
    start..start + words.trim().len()
}
