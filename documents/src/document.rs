//! The text of a file, whatever its kind, and the bounds of both. It must not know how any is read.

use serde::{Deserialize, Serialize};

use crate::kind::Kind;

/// The largest file that is looked at, in bytes: 128 MiB. A larger one is `too_large`.
pub const MAX_INPUT: usize = 128 << 20;
/// The most text that is taken from a file, in bytes of UTF-8: 10 MiB. What follows is cut off and flagged.
pub const MAX_TEXT: usize = 10 << 20;

/// The text of a file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Document {
    /// UTF-8 with `\n` for line ends and without control characters. Where [`Kind::is_markdown`] says so it is cut as
    /// Markdown; of a page or an office document only headings, lists, tables and code are, and its words are as they
    /// stand there: what [`crate::unguarded`] gives is what a reader reads.
    pub text: String,
    pub kind: Kind,
    /// The title that the document itself states.
    pub title: Option<String>,
    /// Whether `text` is only the beginning.
    pub truncated: bool,
}
