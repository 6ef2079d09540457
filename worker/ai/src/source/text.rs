//! The text of a source and the labels of its file: what reading and parsing have in common. Pure.

/// The text of a source.
pub struct Text {
    pub text: String,
    /// There was more of it.
    pub truncated: bool,
    /// It is Markdown: it has headings, and perhaps front matter.
    pub is_markdown: bool,
}

/// The name and the type that a table gives a file, beside its bytes.
#[derive(Debug, Clone, Copy)]
pub struct FileLabel<'a> {
    pub name: Option<&'a str>,
    pub content_type: Option<&'a str>,
}
