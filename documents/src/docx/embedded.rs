//! Documents within the document (`w:altChunk`): what programs write that make Word files of web pages.

use std::collections::HashMap;

use crate::package::{Archive, Relationships};
use crate::{Document, MAX_TEXT, ParseError, Unread, html, mail, rtf, text};

/// A document in a document in a document is read, and no further.
const MAX_DEPTH: usize = 2;

/// Reads a document of Word that lies so many documents deep.
type ReadDocx = fn(&[u8], usize) -> Result<Document, ParseError>;

/// The texts of the embedded documents, by the id of their relationship.
///
/// # Errors
/// `unsupported_type` for one of a kind that is not read, and what its reader says.
pub(super) fn read(
    archive: &mut Archive<'_>,
    parts: &Relationships,
    depth: usize,
    read_docx: ReadDocx,
) -> Result<HashMap<String, String>, ParseError> {
    let mut texts = HashMap::new();
    let mut length = 0_usize;
    for target in parts.all("aFChunk") {
        // The rest would be cut off anyway.
        if length > MAX_TEXT {
            break;
        }
        if let Some(bytes) = archive.bytes(&target.name)? {
            let text = text_of(&bytes, depth, read_docx)?;
            length += text.len();
            texts.insert(target.id.clone(), text);
        }
    }
    Ok(texts)
}

/// By the first bytes: the ending of such a part is whatever the program chose that wrote it.
fn text_of(bytes: &[u8], depth: usize, read_docx: ReadDocx) -> Result<String, ParseError> {
    if bytes.starts_with(b"PK\x03\x04") {
        if depth >= MAX_DEPTH {
            return Err(ParseError::Unread(Unread::Embedded));
        }
        return Ok(read_docx(bytes, depth + 1)?.text);
    }
    if bytes.starts_with(b"{\\rtf") {
        return Ok(rtf::parse(bytes)?.text);
    }
    if crate::sniff::is_message(bytes) {
        return Ok(mail::parse_page(bytes)?.text);
    }
    if !crate::sniff::is_text(bytes) {
        return Err(ParseError::Unread(Unread::Embedded));
    }
    let (plain, _) = text::decode(bytes, None, MAX_TEXT)?;
    Ok(if plain.contains("</") || plain.contains("/>") {
        html::parse(bytes, None)?.text
    } else {
        plain
    })
}
