//! The options for cutting a text. Pure values.

/// The way in which a text is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChunkOptions {
    /// The most tokens of a chunk, its overlap included.
    pub max_tokens: usize,
    /// The most tokens that a chunk repeats of the end of the one before it. At a heading nothing is repeated.
    pub overlap_tokens: usize,
    /// Whether the text is Markdown, so that headings, tables and code are respected, and front matter is left out. Of
    /// a text that is none, a `#` is a comment or a number: it has no headings.
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
