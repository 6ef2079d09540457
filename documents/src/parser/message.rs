//! The parts of a request and of an answer: hints and the file, the properties of a document and its text. The parent
//! believes nothing of an answer that it has not checked: the child may do what the file wants.

use std::io;

use serde::{Deserialize, Serialize};

use crate::document::{Document, MAX_INPUT, MAX_TEXT};
use crate::error::ParseError;
use crate::kind::Kind;

/// The longest hints and properties, in bytes of JSON.
const MAX_JSON: usize = 64 << 10;
/// The longest title that is kept, in bytes.
const MAX_TITLE: usize = 1000;
/// The longest content type and name that are sent, in bytes.
const MAX_HINT: usize = 1000;

/// The most bytes of each part of a request: the hints, the file.
pub(super) const REQUEST: [usize; 2] = [MAX_JSON, MAX_INPUT];
/// The most bytes of each part of an answer: the properties or the error, the text.
pub(super) const ANSWER: [usize; 2] = [MAX_JSON, MAX_TEXT];

/// The sender's hints about a file.
#[derive(Deserialize, Serialize)]
pub(super) struct Hints {
    pub(super) content_type: String,
    pub(super) file_name: String,
}

/// A document without its text.
#[derive(Deserialize, Serialize)]
struct Properties {
    kind: Kind,
    title: Option<String>,
    truncated: bool,
}

/// The first part of a request.
///
/// # Errors
/// None in practice: JSON can say any text.
pub(super) fn hints(content_type: &str, file_name: &str) -> io::Result<Vec<u8>> {
    // The end of a name is what tells its kind.
    let end = file_name.ceil_char_boundary(file_name.len().saturating_sub(MAX_HINT));
    Ok(serde_json::to_vec(&Hints {
        content_type: content_type[..content_type.floor_char_boundary(MAX_HINT)].to_owned(),
        file_name: file_name[end..].to_owned(),
    })?)
}

/// The child's side: the hints that the parent sent.
///
/// # Errors
/// `InvalidData` if they are none.
pub(super) fn read_hints(part: &[u8]) -> io::Result<Hints> {
    Ok(serde_json::from_slice(part)?)
}

/// The child's side: the answer that tells what became of the file.
///
/// # Errors
/// None in practice: JSON can say any title.
pub(super) fn answer(result: Result<Document, ParseError>) -> io::Result<[Vec<u8>; 2]> {
    let (properties, text) = match result {
        Ok(mut document) => {
            if let Some(title) = &mut document.title {
                title.truncate(title.floor_char_boundary(MAX_TITLE));
            }
            let properties = Properties {
                kind: document.kind,
                title: document.title,
                truncated: document.truncated,
            };
            (Ok(properties), document.text)
        }
        Err(error) => (Err(error), String::new()),
    };
    Ok([serde_json::to_vec(&properties)?, text.into_bytes()])
}

/// The parent's side: what became of the file; nothing if that is no valid answer.
pub(super) fn read_answer([properties, text]: [Vec<u8>; 2]) -> Option<Result<Document, ParseError>> {
    let properties: Result<Properties, ParseError> = serde_json::from_slice(&properties).ok()?;
    match properties {
        Ok(Properties {
            kind,
            title,
            truncated,
        }) => {
            if title.as_ref().is_some_and(|title| title.len() > MAX_TITLE) {
                return None;
            }
            let text = String::from_utf8(text).ok()?;
            Some(Ok(Document {
                text,
                kind,
                title,
                truncated,
            }))
        }
        // Only the parent may tell what happened to the child.
        Err(error) if error.class().starts_with("parser_") => None,
        Err(error) => Some(Err(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        Document {
            text: "Grüße".to_owned(),
            kind: Kind::Pdf,
            title: Some("T".to_owned()),
            truncated: true,
        }
    }

    fn heard(result: Result<Document, ParseError>) -> Option<Result<Document, ParseError>> {
        read_answer(answer(result).unwrap())
    }

    #[test]
    fn hints_and_an_answer_arrive_as_they_were_sent() {
        let sent = hints("text/plain", &format!("{}.md", "ü".repeat(1000))).unwrap();
        let received = read_hints(&sent).unwrap();
        assert_eq!(received.content_type, "text/plain");
        assert!(received.file_name.ends_with(".md") && received.file_name.len() <= MAX_HINT);
        assert_eq!(heard(Ok(document())), Some(Ok(document())));
        let error = ParseError::EncryptedDocument(Kind::Pdf);
        assert_eq!(heard(Err(error)), Some(Err(error)));
    }

    #[test]
    fn the_longest_hints_fit_into_their_part() {
        // A control character is six bytes of JSON.
        let long = "\u{1}".repeat(2 * MAX_HINT);
        assert!(hints(&long, &long).unwrap().len() <= MAX_JSON);
        let title = Some(long);
        let [properties, _] = answer(Ok(Document { title, ..document() })).unwrap();
        assert!(properties.len() <= MAX_JSON);
    }

    #[test]
    fn a_false_answer_is_none() {
        let [properties, text] = answer(Ok(document())).unwrap();
        assert_eq!(read_answer([properties.clone(), vec![0xFF]]), None);
        assert_eq!(read_answer([vec![0xFF; 100], text]), None);
        assert_eq!(heard(Err(ParseError::ParserUnavailable)), None);
        let long = "x".repeat(MAX_TITLE + 1);
        let longer = String::from_utf8(properties)
            .unwrap()
            .replace("\"T\"", &format!("{long:?}"));
        assert_eq!(read_answer([longer.into_bytes(), Vec::new()]), None);
    }
}
