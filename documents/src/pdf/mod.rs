//! The text of a PDF. Owns what counts as encrypted, malformed or too long; the lines are made in `lines`.
//!
//! The crate hayro-interpret runs the content of each page, as a viewer does, and hands over its glyphs.

mod lines;

use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::kurbo::{Affine, Rect};
use hayro_interpret::{Context, InterpreterCache, InterpreterSettings, interpret_page};

use crate::text::{self, Bounded};
use crate::{Document, Kind, MAX_TEXT, ParseError};
use lines::Lines;

/// More pages than any book has: a file can name one page a million times.
const MAX_PAGES: usize = 20_000;

/// The text of all pages, in the order in which they draw it.
///
/// # Errors
/// `encrypted_document` if it needs a password to be opened, `malformed_document` if no page can be found.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, ParseError> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(refusal)?;
    if pdf.pages().is_empty() {
        return Err(ParseError::MalformedDocument(Kind::Pdf));
    }
    let mut text = Bounded::new(MAX_TEXT);
    let cache = InterpreterCache::new();
    for (number, page) in pdf.pages().iter().enumerate() {
        if number == MAX_PAGES {
            text.truncate_here();
        }
        if text.is_truncated() {
            break;
        }
        let area = Rect::new(0.0, 0.0, 1.0, 1.0);
        let mut context = Context::new(
            Affine::IDENTITY,
            area,
            &cache,
            pdf.xref(),
            InterpreterSettings::default(),
        );
        let mut lines = Lines::of_page(&mut text);
        interpret_page(page, &mut context, &mut lines);
        text.end_line(true);
    }
    let title = pdf.metadata().title.as_deref().and_then(title);
    let (text, truncated) = text.finish();
    Ok(Document {
        text,
        kind: Kind::Pdf,
        title,
        truncated,
    })
}

fn refusal(error: LoadPdfError) -> ParseError {
    match error {
        LoadPdfError::Decryption(
            DecryptionError::PasswordProtected | DecryptionError::UnsupportedAlgorithm,
        ) => ParseError::EncryptedDocument(Kind::Pdf),
        _ => ParseError::MalformedDocument(Kind::Pdf),
    }
}

/// A text string: UTF-16 or UTF-8 with a mark, else PDFDocEncoding, which is close to Windows-1252.
fn title(bytes: &[u8]) -> Option<String> {
    let (title, _) = text::decode(bytes, Some(encoding_rs::WINDOWS_1252), 1000).ok()?;
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then_some(title)
}
