//! Tells the kind of a document. Owns the order of the evidence: first bytes, content type, name.

use crate::claim::{Claim, claim};
use crate::error::ParseError;
use crate::kind::Kind;
use crate::office;
use crate::sniff::{self, is_text, text_start, within};
use crate::unread::Unread;

/// A Compound File: Office documents before 2007, and the wrapping of newer ones that have a password.
const COMPOUND_FILE: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
/// Readers accept a PDF whose header begins within the first 1,024 bytes.
const PDF_HEADER_WITHIN: usize = 1024;

impl Kind {
    /// The kind that the words of a text are wrapped in, so that it must go through [`crate::parse`] although it lies
    /// in a table as text: tags, headers and encodings, or the JSON of a notebook. Nothing for text that is for
    /// readers.
    #[must_use]
    pub fn of_wrapped_text(bytes: &[u8], content_type: &str, file_name: &str) -> Option<Self> {
        let kind = Self::detect(bytes, content_type, file_name).ok()?;
        let wraps = match kind {
            Self::Html | Self::Rtf | Self::Mail | Self::WebArchive | Self::Notebook => true,
            // Text is no PDF and no archive, whatever the file was that it came from: these are then one XML file.
            Self::Docx | Self::OpenDocument => true,
            _ => false,
        };
        (wraps && is_text(bytes)).then_some(kind)
    }

    /// The kind that type and name claim, for what is text already; `None` where they do not say.
    #[must_use]
    pub fn claimed(content_type: &str, file_name: &str) -> Option<Self> {
        match claim(content_type, file_name) {
            Claim::Kind(kind) => Some(kind),
            _ => None,
        }
    }

    /// The kind of `bytes`. The first bytes win over the content type, and that over the name; `text/plain` and
    /// `application/octet-stream` are what clients send that do not know, so there the name is asked first.
    ///
    /// # Errors
    /// `unsupported_type`; `encrypted_document` for an Office document with a password; `malformed_document` for
    /// what claims to be a PDF or an office document and does not begin like one; `zip_bomb`.
    pub(crate) fn detect(bytes: &[u8], content_type: &str, file_name: &str) -> Result<Self, ParseError> {
        let claimed = claim(content_type, file_name);
        if let Some(kind) = by_first_bytes(bytes, claimed)? {
            return Ok(kind);
        }
        match claimed {
            Claim::Kind(kind) if kind.is_binary() => Err(ParseError::MalformedDocument(kind)),
            Claim::Kind(kind) if is_text(bytes) => Ok(kind),
            // A text that was given the name of an office document, which the programs open too.
            Claim::OldSpreadsheet if is_text(bytes) => Ok(Self::Csv),
            Claim::OldSpreadsheet => Err(ParseError::MalformedDocument(Self::Spreadsheet)),
            Claim::Unknown | Claim::Unread(_) if is_text(bytes) => Ok(Self::PlainText),
            Claim::Unread(unread) => Err(ParseError::Unread(unread)),
            _ => Err(ParseError::UnsupportedType),
        }
    }
}

fn by_first_bytes(bytes: &[u8], claimed: Claim) -> Result<Option<Kind>, ParseError> {
    let start = text_start(bytes);
    if start.starts_with(b"%PDF-")
        || claimed == Claim::Kind(Kind::Pdf) && within(bytes, PDF_HEADER_WITHIN, b"%PDF-")
    {
        return Ok(Some(Kind::Pdf));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return office::kind_of_archive(bytes, claimed).map(Some);
    }
    if bytes.starts_with(COMPOUND_FILE) {
        return office::kind_of_compound_file(bytes, claimed).map(Some);
    }
    if sniff::is_archive(bytes) {
        return Err(ParseError::Unread(Unread::Archive));
    }
    if start.starts_with(b"%!PS-Adobe-") || start.starts_with(b"\xC5\xD0\xD3\xC6") {
        return Err(ParseError::Unread(Unread::PostScript));
    }
    if start.starts_with(b"{\\rtf") {
        return Ok(Some(Kind::Rtf));
    }
    if sniff::is_page(bytes) {
        return Ok(Some(Kind::Html));
    }
    Ok(by_first_letters(bytes, claimed))
}

/// The kind of a text that may be something else, wrapped in text, than the sender says.
fn by_first_letters(bytes: &[u8], claimed: Claim) -> Option<Kind> {
    match sniff::xml_root(bytes) {
        Some("package" | "wordDocument") if within(bytes, bytes.len(), b"schemas.microsoft.com/office") => {
            return Some(Kind::Docx);
        }
        Some("document") if within(bytes, 4096, b"opendocument:xmlns:office") => {
            return Some(Kind::OpenDocument);
        }
        _ => {}
    }
    let unnamed = matches!(claimed, Claim::Unknown | Claim::Unread(_) | Claim::OldSpreadsheet);
    let unsure = unnamed || claimed == Claim::Kind(Kind::PlainText);
    let message = matches!(claimed, Claim::Kind(Kind::Mail | Kind::WebArchive)) || unsure;
    if message && is_text(bytes) && sniff::is_message(bytes) {
        return Some(match claimed {
            Claim::Kind(kind @ (Kind::Mail | Kind::WebArchive)) => kind,
            _ if sniff::is_saved_page(bytes) => Kind::WebArchive,
            _ => Kind::Mail,
        });
    }
    if (unsure || claimed == Claim::Kind(Kind::Json)) && sniff::is_notebook(bytes) {
        return Some(Kind::Notebook);
    }
    (unnamed && sniff::may_be_page(bytes)).then_some(Kind::Html)
}

#[cfg(test)]
#[path = "detection_tests.rs"]
mod tests;
