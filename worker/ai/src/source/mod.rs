//! The text of a row that may be a file: read in parts, parsed in a child process. For the handlers that take whole documents;
//! it writes nothing.

mod content;
mod files;
mod format;

use std::future::Future;

use serde::Deserialize;
use sha2::{Digest, Sha256};

pub use content::{Text, text};
pub use files::Files;

use zerodb_hooks_delivery::outcome::HandlerError;

/// The longest source that is read, in bytes; `zerodb._summary_limit` is the same.
pub const LARGEST_SOURCE: u64 = 64 * 1024 * 1024;

/// What `zerodb._summary_row` says of a source without reading it.
#[derive(Debug, Clone, Deserialize)]
pub struct Source {
    /// SHA-256 of the content in hex; empty where there is none, `None` where it is too large.
    #[serde(rename = "source")]
    pub hash: Option<String>,
    /// Bytes of the content.
    pub size: u64,
    /// The content is text of the table, not a file.
    pub is_text: Option<bool>,
    /// The table says where the content lies.
    pub is_elsewhere: bool,
    pub name: Option<String>,
    #[serde(rename = "type")]
    pub content_type: Option<String>,
}

impl Source {
    /// The hash of a source that can be read; empty where there is none.
    ///
    /// # Errors
    /// Permanent, when it is too large, or not in the table.
    pub fn readable(&self) -> Result<&str, HandlerError> {
        let Some(hash) = &self.hash else {
            return Err(HandlerError::permanent(format!(
                "input_too_large: the source has {} bytes, and at most {LARGEST_SOURCE} are read",
                self.size
            )));
        };
        if hash.is_empty() && self.is_elsewhere {
            return Err(HandlerError::permanent(
                "unreadable_source: the file lies at its storage_uri; store its bytes in content_bytes, or its text in content",
            ));
        }
        Ok(hash)
    }
}

/// A row whose source can be read in parts.
pub trait Parts: Sync {
    /// Bytes of the source in base64; `None` when the row is gone or has no source.
    fn part(
        &self,
        start: usize,
        count: usize,
    ) -> impl Future<Output = Result<Option<String>, HandlerError>> + Send;
}

/// Of several texts, as SHA-256. Each is preceded by its length, so that no two lists meet.
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().to_vec()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 in hex, as `Source::hash` has it.
pub fn source_of(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}
