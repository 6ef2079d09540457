//! Reads a file by its kind, in this process.

use std::borrow::Cow;

use crate::document::{Document, MAX_INPUT, MAX_TEXT};
use crate::error::ParseError;
use crate::kind::Kind;
use crate::payload::without_payloads;
use crate::unread::Unread;
use crate::{chunk, docx, epub, html, mail, notebook, opendocument, pdf, rtf, sheets, slides, text};

/// Reads a file. `content_type` and `file_name` may be empty: the first bytes count first, then the content type,
/// then the end of the name.
///
/// # Errors
/// See [`ParseError`]; not its `parser_` classes, which only [`crate::Parser`] can tell.
///
/// # Panics
/// A malformed file may make a parser panic, overflow the stack or take memory without end: see [`crate::Parser`].
pub fn parse(bytes: &[u8], content_type: &str, file_name: &str) -> Result<Document, ParseError> {
    if bytes.len() > MAX_INPUT {
        return Err(ParseError::TooLarge {
            limit: MAX_INPUT as u64,
        });
    }
    if bytes.is_empty() {
        return Err(ParseError::EmptyDocument);
    }
    let kind = Kind::detect(bytes, content_type, file_name)?;
    let mut document = read(bytes, kind, text::charset(content_type))?;
    if document.text.trim().is_empty() {
        return Err(ParseError::EmptyDocument);
    }
    if let Cow::Owned(words) = without_payloads(&document.text) {
        document.text = words;
    }
    if document.text.trim().is_empty() {
        Err(ParseError::Unread(Unread::Base64))
    } else {
        Ok(document)
    }
}

fn read(bytes: &[u8], kind: Kind, charset: Option<&str>) -> Result<Document, ParseError> {
    match kind {
        Kind::Pdf => pdf::parse(bytes),
        Kind::Docx if bytes.starts_with(b"PK") => docx::parse(bytes),
        Kind::Docx => docx::parse_flat(bytes),
        Kind::Spreadsheet => sheets::parse(bytes),
        Kind::Slides => slides::parse(bytes),
        Kind::OpenDocument => opendocument::parse(bytes),
        Kind::Epub => epub::parse(bytes),
        Kind::Rtf => rtf::parse(bytes),
        Kind::Mail => mail::parse(bytes),
        Kind::WebArchive => mail::parse_page(bytes),
        Kind::Notebook => notebook::parse(bytes),
        Kind::Html => html::parse(bytes, charset),
        Kind::PlainText | Kind::Markdown | Kind::Json | Kind::Csv | Kind::Source => {
            plain(bytes, charset, kind)
        }
    }
}

fn plain(bytes: &[u8], charset: Option<&str>, kind: Kind) -> Result<Document, ParseError> {
    let named = text::labelled(charset)?;
    let (text, truncated) = text::decode(bytes, named, MAX_TEXT)?;
    let title = match kind {
        Kind::Markdown => chunk::title(&text),
        _ => None,
    };
    Ok(Document {
        text,
        kind,
        title,
        truncated,
    })
}
