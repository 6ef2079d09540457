//! A row's source as the table describes it, and the reading of its bytes in parts. It parses nothing.

use std::future::Future;

use serde::Deserialize;

use zerodb_hooks_delivery::outcome::HandlerError;

/// The longest source that is read, in bytes; `zerodb._summary_limit` is the same.
pub const LARGEST_SOURCE: u64 = 64 * 1024 * 1024;

/// The description of a source by `zerodb._summary_row`, which does not read it.
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
