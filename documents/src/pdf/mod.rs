//! The text of a PDF. Owns what counts as encrypted, malformed, unreadable or too long; pages are read in `reader`.
//!
//! The crate hayro-interpret runs the content of each page, as a viewer does, and hands over its glyphs.

mod brackets;
mod composite;
mod direction;
mod glyph;
mod letters;
mod lines;
mod overprint;
mod program;
mod reader;
mod unit;

use hayro_interpret::hayro_syntax::page::Page;
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::kurbo::{Affine, Rect};
use hayro_interpret::{Context, InterpreterCache, InterpreterSettings, interpret_page};

use crate::text::{self, Bounded};
use crate::{Document, Kind, MAX_TEXT, ParseError};
use composite::Composites;
use reader::{Count, PageReader};

/// More pages than any book has: a file can name one page a million times.
const MAX_PAGES: usize = 20_000;
/// Fewer glyphs without letters are the symbols of a figure; a page of text has more.
const PAGE_OF_TEXT: u32 = 20;

/// The text of all pages, in the order in which they draw it.
///
/// # Errors
/// `encrypted_document` if it needs a password to be opened, `malformed_document` if no page can be found,
/// `unreadable_document` if of all its glyphs most have no letters. Where only a page is so, its place says it, and the
/// others are read.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, ParseError> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(refusal)?;
    if pdf.pages().is_empty() {
        return Err(ParseError::MalformedDocument(Kind::Pdf));
    }
    let mut text = Bounded::new(MAX_TEXT);
    read_pages(&pdf, &mut text)?;
    let title = pdf.metadata().title.as_deref().and_then(title);
    let (text, truncated) = text.finish();
    Ok(Document {
        text,
        kind: Kind::Pdf,
        title,
        truncated,
    })
}

fn read_pages(pdf: &Pdf, text: &mut Bounded) -> Result<(), ParseError> {
    let cache = InterpreterCache::new();
    let fonts = Composites::of(pdf);
    let mut all = Count::default();
    let mut worst = (0, Count::default());
    for (index, page) in pdf.pages().iter().enumerate() {
        if index == MAX_PAGES {
            text.truncate_here();
        }
        if text.is_truncated() {
            break;
        }
        let count = read_page(page, pdf, &cache, PageReader::of_page(text, &fonts));
        if count.is_mostly_unknown() && count.unknown >= PAGE_OF_TEXT {
            tell_unreadable(text, index, count);
        }
        if count.unknown > worst.1.unknown {
            worst = (index, count);
        }
        all.add(count);
    }
    if all.is_mostly_unknown() {
        return Err(unreadable(worst.0, worst.1));
    }
    Ok(())
}

fn read_page<'pdf>(
    page: &Page<'pdf>,
    pdf: &'pdf Pdf,
    cache: &InterpreterCache<'pdf>,
    mut reader: PageReader<'_, '_, 'pdf>,
) -> Count {
    let area = Rect::new(0.0, 0.0, 1.0, 1.0);
    let settings = InterpreterSettings::default();
    let mut context = Context::new(Affine::IDENTITY, area, cache, pdf.xref(), settings);
    interpret_page(page, &mut context, &mut reader);
    reader.finish()
}

/// Whoever reads the text, or a summary of it, learns that something is missing.
fn tell_unreadable(text: &mut Bounded, index: usize, count: Count) {
    let (page, glyphs) = (index + 1, count.known.saturating_add(count.unknown));
    let unknown = count.unknown;
    text.end_line(true);
    text.push(&format!(
        "[Page {page} cannot be read: its fonts name no letter for {unknown} of its {glyphs} glyphs.]"
    ));
    text.end_line(true);
}

fn unreadable(index: usize, count: Count) -> ParseError {
    ParseError::UnreadableDocument {
        page: u32::try_from(index + 1).unwrap_or(u32::MAX),
        unknown: count.unknown,
        glyphs: count.known.saturating_add(count.unknown),
    }
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
