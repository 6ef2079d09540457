//! The text of a row: reads its source in parts, and has files parsed.

use std::time::Duration;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zerodb_hooks_documents::{Kind, clean, without_payloads};

use super::files::Files;
use super::format;
use super::row::{LARGEST_SOURCE, Parts, Source};
use super::text::{FileLabel, Text};
use crate::digest::source_of;
use zerodb_hooks_delivery::outcome::HandlerError;

/// Bytes that are read at once.
const PART: usize = 4 * 1024 * 1024;
/// The size in bytes from which a worker reads one source at a time.
const LARGE: u64 = 1024 * 1024;
/// The longest text in bytes; the rest is cut off. A parser gives no more either.
const LONGEST_TEXT: usize = 10 * 1024 * 1024;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The text of a row's source; `None` when the row has changed since it was read.
///
/// # Errors
/// Permanent, for a file that cannot be read; otherwise what the table or the system has.
pub async fn read_text(
    table: &impl Parts,
    files: &Files,
    row: &Source,
    source: &str,
    time: Duration,
) -> Result<Option<Text>, HandlerError> {
    let _turn = if row.size > LARGE {
        Some(files.turn_of_large(time).await?)
    } else {
        None
    };
    let Some(bytes) = read_bytes(table, source).await? else {
        return Ok(None);
    };
    let is_text = row.is_text.unwrap_or(false);
    let label = FileLabel {
        name: row.name.as_deref(),
        content_type: row.content_type.as_deref(),
    };
    let content_type = match is_text.then(|| wrapping(&bytes, label)) {
        Some(None) => {
            let text = String::from_utf8_lossy(&bytes);
            let text = clean(without_payloads(&text).into_owned());
            let is_markdown = format::is_markdown(&text, label);
            return Ok(Some(clipped(text, is_markdown)));
        }
        // It has been decoded, whatever a page says of the bytes that it was.
        Some(Some(Kind::Html)) => Some("text/html; charset=utf-8"),
        _ => label.content_type,
    };
    let label = FileLabel {
        content_type,
        ..label
    };
    files.parse(&bytes, label, time).await.map(Some)
}

/// The bytes of the source; `None` where they no longer are those of its hash.
async fn read_bytes(table: &impl Parts, source: &str) -> Result<Option<Vec<u8>>, HandlerError> {
    let mut bytes = Vec::new();
    loop {
        let Some(part) = table.part(bytes.len(), PART).await? else {
            return Ok(None);
        };
        let decoded = decoded(part)?;
        let is_last = decoded.len() < PART;
        bytes.extend(decoded);
        if is_last {
            break;
        }
        if bytes.len() as u64 > LARGEST_SOURCE {
            return Ok(None);
        }
    }
    Ok((source_of(&bytes) == source).then_some(bytes))
}

/// The format of a text that is no text for readers, such as HTML.
fn wrapping(bytes: &[u8], label: FileLabel<'_>) -> Option<Kind> {
    Kind::of_wrapped_text(bytes, label.content_type.unwrap_or(""), label.name.unwrap_or(""))
}

/// Decodes base64 in lines, the form that Postgres writes.
fn decoded(mut part: String) -> Result<Vec<u8>, HandlerError> {
    part.retain(|letter| letter != '\n');
    let bytes = BASE64.decode(part);
    bytes.map_err(|_| HandlerError::transient("table: a part of the source is not base64"))
}

fn clipped(mut text: String, is_markdown: bool) -> Text {
    let truncated = text.len() > LONGEST_TEXT;
    text.truncate(text.floor_char_boundary(LONGEST_TEXT));
    Text {
        text,
        truncated,
        is_markdown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_base64_become_bytes() {
        assert_eq!(
            decoded("QWxpY2Ug\nYW5kIEJvYg==".into()).unwrap(),
            b"Alice and Bob"
        );
        assert!(decoded("%".into()).is_err());
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let long = clipped("é".repeat(LONGEST_TEXT), false);
        assert!(long.truncated && long.text.len() <= LONGEST_TEXT);
        assert!(!clipped("short".into(), false).truncated);
    }
}
