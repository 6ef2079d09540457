//! HTML to text: the words of a page with its headings, lists, tables and code as Markdown, without what is around them
//! and without escapes. Runs no script and fetches nothing.

mod elements;
mod encoding;
mod layout;
mod walk;
mod xhtml;

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::RcDom;

use walk::Extent;

use crate::text;
use crate::{Document, Kind, MAX_TEXT, ParseError};

/// The content of a page.
///
/// # Errors
/// Only of its encoding: any text is HTML.
pub(crate) fn parse(bytes: &[u8], charset: Option<&str>) -> Result<Document, ParseError> {
    let labelled = text::labelled(charset);
    // A page that says its encoding itself does not need a label that nobody knows.
    let named = match labelled {
        Ok(Some(encoding)) => Some(encoding),
        _ => encoding::named_in(bytes),
    };
    let named = match named {
        Some(encoding) => Some(encoding),
        None => labelled?,
    };
    let (html, cut) = text::decode(bytes, named, MAX_TEXT)?;
    let page =
        parse_document(RcDom::default(), ParseOpts::default()).one(xhtml::with_end_tags(&html).as_ref());
    // A page that is all header, or that shows nothing before its scripts have run: better that than nothing.
    let mut reading = walk::Reading::default();
    for extent in [Extent::Content, Extent::Seen, Extent::All] {
        reading = walk::read(&page.document, extent);
        if !reading.text.is_empty() {
            break;
        }
    }
    Ok(Document {
        text: reading.text,
        kind: Kind::Html,
        title: reading.title,
        truncated: reading.truncated || cut,
    })
}
