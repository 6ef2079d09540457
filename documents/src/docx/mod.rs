//! The text of an Office Open XML document as Markdown. Owns which parts of the package are read.

mod archive;
mod body;
mod styles;
mod xml;

use std::io::BufRead;
use std::ops::ControlFlow;

use crate::{Document, Kind, ParseError};
use archive::Archive;
use body::Body;
use styles::Styles;
use xml::{Node, walk};

const BODY: &str = "word/document.xml";
const STYLES: &str = "word/styles.xml";
const PROPERTIES: &str = "docProps/core.xml";

/// Whether the bytes are a ZIP archive with the body of a document.
pub(crate) fn is_docx(bytes: &[u8]) -> bool {
    Archive::open(bytes).is_ok_and(|archive| archive.has(BODY))
}

/// Headings, paragraphs, lists and tables of the body; not the headers, footers, notes and comments.
///
/// # Errors
/// `zip_bomb`, `encrypted_document`, or `malformed_document` for what is no such package or no well-formed XML.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, ParseError> {
    let mut archive = Archive::open(bytes)?;
    let styles = archive
        .read(STYLES, |part| Styles::read(part))?
        .unwrap_or_default();
    let body = archive.read(BODY, |part| Body::read(part, &styles))?;
    let (text, truncated) = body.ok_or(ParseError::MalformedDocument(Kind::Docx))?;
    let title = archive.read(PROPERTIES, |part| title(part))?.flatten();
    Ok(Document {
        text,
        kind: Kind::Docx,
        title,
        truncated,
    })
}

fn title(part: &mut dyn BufRead) -> Result<Option<String>, ParseError> {
    let (mut title, mut within) = (String::new(), false);
    walk(part, |node| {
        match node {
            Node::Open(element) => within = element.name() == "title",
            Node::Text(text) if within => title.push_str(text),
            Node::Close(_) => within = false,
            Node::Text(_) => {}
        }
        if title.len() > 1000 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok((!title.is_empty()).then_some(title))
}
