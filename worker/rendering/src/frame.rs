//! What goes through the pipes between the worker and a child that renders: a request is a head, a template and data, an
//! answer a verdict and a text; the lengths come first. Data are the JSON text of the log, whatever it holds.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use zerodb_hooks_templates::{Form, Own};

/// Bytes of the lengths before a request and before an answer.
const REQUEST_LENGTHS: usize = 12;
pub const ANSWER_LENGTHS: usize = 5;
/// The most bytes of a child's words for what is wrong.
pub const WORDS: usize = 1024;
/// The largest part of a request that a child takes.
const MOST: usize = 256 << 20;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    pub own: Option<Own>,
    /// Bytes that it may write.
    pub most: usize,
    pub as_json: bool,
}

impl Head {
    pub fn form(&self) -> Form {
        Form {
            most: self.most,
            as_json: self.as_json,
        }
    }
}

/// One request as bytes.
///
/// # Errors
/// When a part is larger than a frame can say.
pub fn request(head: &Head, template: &str, data: &str) -> io::Result<Vec<u8>> {
    let head = serde_json::to_vec(head)?;
    let parts = [&head, template.as_bytes(), data.as_bytes()];
    let mut frame = Vec::with_capacity(REQUEST_LENGTHS + parts.iter().map(|part| part.len()).sum::<usize>());
    for part in parts {
        frame.extend_from_slice(&length(part.len())?);
    }
    for part in parts {
        frame.extend_from_slice(part);
    }
    Ok(frame)
}

fn length(bytes: usize) -> io::Result<[u8; 4]> {
    match u32::try_from(bytes) {
        Ok(length) if bytes <= MOST => Ok(length.to_le_bytes()),
        _ => Err(io::ErrorKind::FileTooLarge.into()),
    }
}

/// What a child reads.
pub struct Request {
    pub head: Head,
    pub template: String,
    /// Not read yet: what is wrong with it is the event's fault, not the pipe's.
    pub data: String,
}

impl Request {
    /// The next request; `None` when no more will come.
    ///
    /// # Errors
    /// When the pipe breaks, or what comes is no request.
    pub fn read(pipe: &mut impl Read) -> io::Result<Option<Self>> {
        let mut lengths = [0; REQUEST_LENGTHS];
        match pipe.read_exact(&mut lengths) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let mut parts = lengths.chunks_exact(4).map(|length| {
            let length = length.try_into().map(u32::from_le_bytes).unwrap_or(u32::MAX);
            let mut part = vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(MOST)];
            pipe.read_exact(&mut part).map(|()| part)
        });
        let mut next = || {
            parts
                .next()
                .unwrap_or_else(|| Err(io::ErrorKind::InvalidData.into()))
        };
        let (head, template, data) = (next()?, next()?, next()?);
        let text = |part| String::from_utf8(part).map_err(|_| io::ErrorKind::InvalidData);
        Ok(Some(Self {
            head: serde_json::from_slice(&head)?,
            template: text(template)?,
            data: text(data)?,
        }))
    }
}

/// Writes what became of a request.
///
/// # Errors
/// When the pipe breaks.
pub fn answer(pipe: &mut impl Write, result: Result<String, String>) -> io::Result<()> {
    let (verdict, text) = match result {
        Ok(text) => (0, text),
        Err(text) => (1, text),
    };
    let mut frame = Vec::with_capacity(ANSWER_LENGTHS + text.len());
    frame.push(verdict);
    frame.extend_from_slice(&length(text.len())?);
    frame.extend_from_slice(text.as_bytes());
    pipe.write_all(&frame)?;
    pipe.flush()
}

/// Verdict and length of an answer from its first bytes: whether it was rendered, and the bytes that follow.
pub fn read_answer(lengths: [u8; ANSWER_LENGTHS]) -> (bool, usize) {
    let [verdict, length @ ..] = lengths;
    (
        verdict == 0,
        usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let head = Head {
            own: json!({"event_type": "t"}).as_object().cloned(),
            most: 7,
            as_json: true,
        };
        let frame = request(&head, "{{ a }}", r#"{"a": "ü"}"#).unwrap();
        let mut pipe = frame.as_slice();
        let read = Request::read(&mut pipe).unwrap().unwrap();
        assert_eq!(
            (read.head, read.template.as_str(), read.data.as_str()),
            (head, "{{ a }}", r#"{"a": "ü"}"#)
        );
        assert!(Request::read(&mut pipe).unwrap().is_none());
        assert!(Request::read(&mut &frame[..frame.len() - 1]).is_err());
    }

    #[test]
    fn an_answer_says_whether_and_how_much() {
        let mut pipe = Vec::new();
        answer(&mut pipe, Err("no".into())).unwrap();
        let lengths = pipe[..ANSWER_LENGTHS].try_into().unwrap();
        assert_eq!(
            (read_answer(lengths), &pipe[ANSWER_LENGTHS..]),
            ((false, 2), b"no".as_slice())
        );
    }
}
