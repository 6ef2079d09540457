//! What parent and child say to each other: a request with a file, an answer with a text. The parent believes nothing
//! of an answer that it has not checked: the child may do what the file wants.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Document, Kind, MAX_INPUT, MAX_TEXT, ParseError};

/// The longest header, in bytes.
const MAX_HEADER: usize = 64 << 10;
/// The longest title that is kept, in bytes.
const MAX_TITLE: usize = 1000;
/// The longest content type and name that are sent, in bytes.
const MAX_HINT: usize = 1000;

/// What an answer can be longer than its text.
pub(super) const OVERHEAD: usize = MAX_HEADER + 4;

/// What the child is asked; the bytes of the file follow it.
#[derive(Deserialize, Serialize)]
pub(super) struct Request {
    pub(super) content_type: String,
    pub(super) file_name: String,
    length: usize,
}

/// What the child answers; the text follows it.
#[derive(Deserialize, Serialize)]
struct Answer {
    kind: Kind,
    title: Option<String>,
    truncated: bool,
    length: usize,
}

impl Request {
    pub(super) fn new(length: usize, content_type: &str, file_name: &str) -> Self {
        // The end of a name is what tells its kind.
        let end = file_name.ceil_char_boundary(file_name.len().saturating_sub(MAX_HINT));
        Self {
            content_type: content_type[..content_type.floor_char_boundary(MAX_HINT)].to_owned(),
            file_name: file_name[end..].to_owned(),
            length,
        }
    }

    /// The request as it is sent, without the file.
    pub(super) fn header(&self) -> io::Result<Vec<u8>> {
        let mut header = Vec::new();
        write_header(&mut header, self)?;
        Ok(header)
    }

    /// The child's side: a request and its file.
    pub(super) fn read(input: &mut impl Read) -> io::Result<(Self, Vec<u8>)> {
        let request: Self = read_header(input)?;
        if request.length > MAX_INPUT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = vec![0; request.length];
        input.read_exact(&mut bytes)?;
        Ok((request, bytes))
    }
}

/// The child's side: sends what became of the file.
pub(super) fn write_answer(output: &mut impl Write, result: Result<Document, ParseError>) -> io::Result<()> {
    let (answer, text) = match result {
        Ok(mut document) => {
            if let Some(title) = &mut document.title {
                title.truncate(title.floor_char_boundary(MAX_TITLE));
            }
            let Document {
                text,
                kind,
                title,
                truncated,
            } = document;
            (
                Ok(Answer {
                    kind,
                    title,
                    truncated,
                    length: text.len(),
                }),
                text,
            )
        }
        Err(error) => (Err(error), String::new()),
    };
    write_header(output, &answer)?;
    output.write_all(text.as_bytes())?;
    output.flush()
}

/// The parent's side: what became of the file; nothing if that is no whole and valid answer.
pub(super) fn read_answer(mut output: &[u8]) -> Option<Result<Document, ParseError>> {
    let answer: Result<Answer, ParseError> = read_header(&mut output).ok()?;
    match answer {
        Ok(Answer {
            kind,
            title,
            truncated,
            length,
        }) => {
            if length != output.len()
                || length > MAX_TEXT
                || title.as_ref().is_some_and(|title| title.len() > MAX_TITLE)
            {
                return None;
            }
            let text = String::from_utf8(output.to_vec()).ok()?;
            Some(Ok(Document {
                text,
                kind,
                title,
                truncated,
            }))
        }
        // What befell the child is for the parent to tell.
        Err(error) if error.class().starts_with("parser_") => None,
        Err(error) => Some(Err(error)),
    }
}

fn write_header(output: &mut impl Write, header: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_vec(header)?;
    let length = u32::try_from(json.len()).map_err(|_| io::ErrorKind::InvalidData)?;
    output.write_all(&length.to_le_bytes())?;
    output.write_all(&json)
}

fn read_header<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_HEADER {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut json = vec![0; length];
    input.read_exact(&mut json)?;
    Ok(serde_json::from_slice(&json)?)
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

    fn sent(result: Result<Document, ParseError>) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_answer(&mut bytes, result).unwrap();
        bytes
    }

    #[test]
    fn a_request_and_an_answer_arrive_as_they_were_sent() {
        let request = Request::new(3, "text/plain", &format!("{}.md", "ü".repeat(1000)));
        let sent_request = [request.header().unwrap().as_slice(), b"abc"].concat();
        let (received, bytes) = Request::read(&mut sent_request.as_slice()).unwrap();
        assert_eq!(
            (received.content_type.as_str(), bytes.as_slice()),
            ("text/plain", &b"abc"[..])
        );
        assert!(received.file_name.ends_with(".md") && received.file_name.len() <= MAX_HINT);
        assert_eq!(read_answer(&sent(Ok(document()))), Some(Ok(document())));
        let error = ParseError::EncryptedDocument(Kind::Pdf);
        assert_eq!(read_answer(&sent(Err(error))), Some(Err(error)));
    }

    #[test]
    fn an_answer_that_is_cut_or_false_is_none() {
        let whole = sent(Ok(document()));
        for length in 0..whole.len() {
            assert_eq!(read_answer(&whole[..length]), None, "{length} bytes");
        }
        assert_eq!(read_answer(&[whole.as_slice(), b"more"].concat()), None);
        let mut broken = whole;
        *broken.last_mut().unwrap() = 0xFF;
        assert_eq!(read_answer(&broken), None);
        assert_eq!(read_answer(&sent(Err(ParseError::ParserUnavailable))), None);
        assert_eq!(read_answer(&[0xFF; 100]), None);
    }
}
