//! The parts of a request to a child that renders, and of its answer: a head, a template and data; a verdict and a
//! text. Data are the JSON text of the log, whatever it holds.

use std::io;

use serde::{Deserialize, Serialize};
use zerodb_hooks_templates::{Form, Own};

/// The most bytes of a child's words for what is wrong.
const WORDS: usize = 1024;
/// The most bytes of each part of a request.
pub const REQUEST: [usize; 3] = [256 << 20; 3];

const RENDERED: u8 = 0;
const FAILED: u8 = 1;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    pub own: Option<Own>,
    /// Fields that are empty where the data leave them out, and beyond which there are none; `None` where any may be.
    pub known: Option<Vec<String>>,
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

    /// The most bytes of each part of the answer.
    pub fn answer(&self) -> [usize; 2] {
        [1, self.most.max(WORDS)]
    }
}

/// A request as the child reads it.
pub struct RenderRequest {
    pub head: Head,
    pub template: String,
    /// Not read yet: what is wrong with it is the event's fault, not the pipe's.
    pub data: String,
}

impl RenderRequest {
    /// # Errors
    /// When the parts are no request.
    pub fn read([head, template, data]: [Vec<u8>; 3]) -> io::Result<Self> {
        let text = |part| String::from_utf8(part).map_err(|_| io::ErrorKind::InvalidData);
        Ok(Self {
            head: serde_json::from_slice(&head)?,
            template: text(template)?,
            data: text(data)?,
        })
    }
}

/// The answer that says what became of a request: the text, or what is wrong with the template.
pub fn answer(result: Result<String, String>) -> [Vec<u8>; 2] {
    let (verdict, text) = match result {
        Ok(text) => (RENDERED, text),
        Err(fault) => (FAILED, fault),
    };
    [vec![verdict], text.into_bytes()]
}

/// The parent's side: what an answer says; `None` when it is none.
pub fn read_answer([verdict, text]: [Vec<u8>; 2]) -> Option<Result<String, String>> {
    let text = String::from_utf8(text).ok()?;
    match verdict.as_slice() {
        [RENDERED] => Some(Ok(text)),
        [FAILED] => Some(Err(text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        for result in [Ok("text".to_owned()), Err("no".to_owned())] {
            assert_eq!(read_answer(answer(result.clone())), Some(result));
        }
        assert_eq!(read_answer([vec![7], Vec::new()]), None);
        assert_eq!(read_answer([Vec::new(), Vec::new()]), None);
        assert_eq!(read_answer([vec![RENDERED], vec![0xFF]]), None);
    }
}
