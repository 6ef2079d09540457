//! The text of a row: reads its source in parts, and has files parsed.

use std::time::Duration;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zerodb_hooks_documents::{Kind, clean, without_payloads};

use super::files::{File, Files};
use super::format;
use super::{LARGEST_SOURCE, Parts, Source, source_of};
use zerodb_hooks_delivery::outcome::HandlerError;

/// Bytes that are read at once.
const PART: usize = 4 * 1024 * 1024;
/// A source above this needs the turn of the large ones: one at a time in a worker.
const LARGE: u64 = 1024 * 1024;
/// The most of a text that is looked at, in bytes; a parser gives no more either.
const LONGEST_TEXT: usize = 10 * 1024 * 1024;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The text of a source.
pub struct Text {
    pub text: String,
    /// There was more of it.
    pub truncated: bool,
    /// It is Markdown: it has headings, and perhaps front matter.
    pub is_markdown: bool,
}

/// The text of a row's source; `None` when the row has changed since it was read.
///
/// # Errors
/// Permanent, for a file that cannot be read; otherwise what the table or the system has.
pub async fn text(
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
    let Some(bytes) = read(table, source).await? else {
        return Ok(None);
    };
    let is_text = row.is_text.unwrap_or(false);
    let file = File {
        name: row.name.as_deref(),
        content_type: row.content_type.as_deref(),
    };
    let content_type = match is_text.then(|| wrapping(&bytes, file)) {
        Some(None) => {
            let text = String::from_utf8_lossy(&bytes);
            let text = clean(without_payloads(&text).into_owned());
            let is_markdown = format::is_markdown(&text, file);
            return Ok(Some(clipped(text, is_markdown)));
        }
        // It has been decoded, whatever a page says of the bytes that it was.
        Some(Some(Kind::Html)) => Some("text/html; charset=utf-8"),
        _ => file.content_type,
    };
    let file = File { content_type, ..file };
    files.parse(&bytes, file, time).await.map(Some)
}

/// All bytes of the source, if they still are those of its hash.
async fn read(table: &impl Parts, source: &str) -> Result<Option<Vec<u8>>, HandlerError> {
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

/// What the words of a text are wrapped in, if it is no text for readers.
fn wrapping(bytes: &[u8], file: File<'_>) -> Option<Kind> {
    Kind::of_wrapped_text(bytes, file.content_type.unwrap_or(""), file.name.unwrap_or(""))
}

/// From base64 in lines, as Postgres writes it.
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
