//! Why a file gave no text. Owns the names of the error classes and must not hold anything of a file's content.

use serde::{Deserialize, Serialize};
use zerodb_hooks_child::Clock;

use crate::kind::Kind;
use crate::unread::Unread;

/// Why a file gave no text. Each has a name for logs, metrics and rows: [`ParseError::class`].
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ParseError {
    /// Neither the first bytes nor the content type nor the name tell of a type that is read.
    #[error("files of this type are not read")]
    UnsupportedType,
    /// It is known and not read.
    #[error("files of this type are not read: {0}")]
    Unread(Unread),
    /// The file breaks the rules of its own type.
    #[error("the file is not a valid {0} document")]
    MalformedDocument(Kind),
    /// It cannot be read without a password.
    #[error("the {0} document needs a password")]
    EncryptedDocument(Kind),
    /// Its content type names an encoding that nobody knows.
    #[error(
        "the charset in its content type is not known; give one of the web's, such as text/plain; charset=windows-1251"
    )]
    UnknownCharset,
    /// Nothing says in which encoding its text is, and it looks like none in particular.
    #[error(
        "its text is not UTF-8, and nothing says what else; give the content type a charset, such as text/plain; \
         charset=windows-1251"
    )]
    UnknownEncoding,
    /// Most of what a page draws stands for no letter that is known: its fonts do not say what they draw.
    #[error(
        "the document is unreadable: its fonts name no letter for {unknown} of the {glyphs} glyphs of page {page}"
    )]
    UnreadableDocument { page: u32, unknown: u32, glyphs: u32 },
    /// There is no text in it, such as in a scanned page.
    #[error("the file holds no text")]
    EmptyDocument,
    /// It was not looked at: larger than [`crate::MAX_INPUT`].
    #[error("the file is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    /// An archive that inflates to more than a document ever does.
    #[error("the archive inflates to more than it may")]
    ZipBomb,
    /// The parser panicked, was killed by a signal or gave no complete answer.
    #[error("the parser crashed{}", signal_text(*.signal))]
    ParserCrashed { signal: Option<i32> },
    /// The parser took longer than it may.
    #[error("the parser took too long ({0})")]
    ParserTimeout(Clock),
    /// The parser needed more memory than it may have.
    #[error("the parser needed more memory than it may have")]
    ParserMemory,
    /// The parser could not be started. That says nothing about the file.
    #[error("the parser could not be started")]
    ParserUnavailable,
}

impl ParseError {
    /// The stable name of the error, for counting and for the eyes of users.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::UnsupportedType | Self::Unread(_) => "unsupported_type",
            Self::MalformedDocument(_) => "malformed_document",
            Self::EncryptedDocument(_) => "encrypted_document",
            Self::UnknownCharset => "unknown_charset",
            Self::UnknownEncoding => "unknown_encoding",
            Self::UnreadableDocument { .. } => "unreadable_document",
            Self::EmptyDocument => "empty_document",
            Self::TooLarge { .. } => "too_large",
            Self::ZipBomb => "zip_bomb",
            Self::ParserCrashed { .. } => "parser_crashed",
            Self::ParserTimeout(_) => "parser_timeout",
            Self::ParserMemory => "parser_memory",
            Self::ParserUnavailable => "parser_unavailable",
        }
    }

    /// Whether the same bytes would meet the same error again, so that another try is of no use.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::ParserTimeout(Clock::Wall) | Self::ParserUnavailable)
    }
}

fn signal_text(signal: Option<i32>) -> String {
    signal.map_or_else(String::new, |number| format!(" by signal {number}"))
}
