//! The text of a document of Word as Markdown. Owns which parts of the package are read: by relationship, never by
//! name.

mod body;
mod embedded;
mod equations;
mod notes;
mod sources;
mod styles;

use std::collections::HashMap;

use crate::package::{Archive, Broken, Relationships, title};
use crate::{Document, Kind, ParseError};
use body::Body;
use sources::Sources;
use styles::Styles;

const MALFORMED: ParseError = ParseError::MalformedDocument(Kind::Docx);
/// The part of the body in a package without relationships.
const USUAL_BODY: &str = "word/document.xml";

/// Headings, paragraphs, lists, tables and notes of the body; not the headers, footers and comments.
///
/// # Errors
/// `zip_bomb`, `encrypted_document`, `malformed_document` for what is no such package or no well-formed XML, and
/// `unsupported_type` for a document embedded in it that cannot be read.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, ParseError> {
    read(bytes, 0)
}

/// A document that is one XML file: the flat form of the package, or the format of Word 2003.
///
/// # Errors
/// `malformed_document`.
pub(crate) fn parse_flat(bytes: &[u8]) -> Result<Document, ParseError> {
    let (text, _) = crate::text::decode(bytes, None, crate::MAX_INPUT)?;
    let styles = Styles::read(&mut text.as_bytes()).map_err(|Broken| MALFORMED)?;
    let notes = notes::read(&mut text.as_bytes(), &styles).map_err(|Broken| MALFORMED)?;
    let sources = Sources {
        styles: &styles,
        notes: Some(&notes),
        embedded: None,
    };
    let (text, truncated) = Body::read(&mut text.as_bytes(), sources).map_err(|Broken| MALFORMED)?;
    Ok(document(text, None, truncated))
}

/// `depth` counts the documents that this one is embedded in.
fn read(bytes: &[u8], depth: usize) -> Result<Document, ParseError> {
    let mut archive = Archive::open(bytes, Kind::Docx)?;
    let package = Relationships::of(&mut archive, "")?;
    let main = match package.role("officeDocument") {
        Some(main) if archive.has(main) => main.to_owned(),
        _ => USUAL_BODY.to_owned(),
    };
    let parts = Relationships::of(&mut archive, &main)?;
    let styles = match parts.role("styles") {
        Some(name) => archive.read_if_whole(name, |part| Styles::read(part))?,
        None => archive.read_if_whole("word/styles.xml", |part| Styles::read(part))?,
    }
    .unwrap_or_default();
    let mut notes = HashMap::new();
    for role in ["footnotes", "endnotes"] {
        if let Some(name) = parts.role(role) {
            notes.extend(
                archive
                    .read_if_whole(name, |part| notes::read(part, &styles))?
                    .unwrap_or_default(),
            );
        }
    }
    let embedded = embedded::read(&mut archive, &parts, depth, read)?;
    let sources = Sources {
        styles: &styles,
        notes: Some(&notes),
        embedded: Some(&embedded),
    };
    let body = archive.read(&main, |part| Body::read(part, sources))?;
    let (text, truncated) = body.ok_or(MALFORMED)?;
    let properties = package.role("core-properties").unwrap_or("docProps/core.xml");
    let title = archive.read_if_whole(properties, title)?.flatten();
    Ok(document(text, title, truncated))
}

fn document(text: String, title: Option<String>, truncated: bool) -> Document {
    Document {
        text,
        kind: Kind::Docx,
        title,
        truncated,
    }
}
