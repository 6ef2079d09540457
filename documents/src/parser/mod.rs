//! Parsing in a child process, so that whatever a file does to its parser, it does to nothing else. Owns what the end
//! of a child says about the file.
//!
//! [`Parser`] is the parent's side, [`serve`] the child's. A child reads one file and ends.

mod message;
mod serve;

use std::path::PathBuf;
use std::time::Duration;

use zerodb_hooks_child::{Failure, Limits, Program, ask_once};

use crate::document::{Document, MAX_INPUT};
use crate::error::ParseError;
pub use serve::{serve, serve_with};

/// Half a gigabyte for the program, the file and its text; more time than any honest file of that size takes.
const LIMITS: Limits = Limits {
    memory: 512 << 20,
    cpu: Duration::from_secs(20),
    wall: Duration::from_secs(30),
};

/// Parses each file in a child process of its own.
#[derive(Clone, Debug)]
pub struct Parser {
    /// The program whose `main` calls [`serve`].
    pub program: Program,
    pub limits: Limits,
}

impl Parser {
    /// A parser in the program at `path`, led to [`serve`] by `argument`.
    #[must_use]
    pub fn new(path: PathBuf, argument: &str) -> Self {
        Self {
            program: Program::new(path, argument),
            limits: LIMITS,
        }
    }

    /// A parser of this very program, led to [`serve`] by `argument`.
    #[must_use]
    pub fn of_this_program(argument: &str) -> Self {
        Self {
            program: Program::this(argument),
            limits: LIMITS,
        }
    }

    /// Reads a file, as [`crate::parse`] does, in a child. May be cancelled at any time: the child is killed then.
    ///
    /// Call it on a thread that lives as long as the call, such as any of a runtime's workers: the child is killed
    /// when the thread ends that started it.
    ///
    /// # Errors
    /// The same as [`crate::parse`]; `parser_crashed`, `parser_memory` and `parser_timeout` for what the file did to
    /// the child; `parser_unavailable` if there was no child.
    pub async fn parse(
        &self,
        bytes: &[u8],
        content_type: &str,
        file_name: &str,
    ) -> Result<Document, ParseError> {
        if bytes.len() > MAX_INPUT {
            return Err(ParseError::TooLarge {
                limit: MAX_INPUT as u64,
            });
        }
        if bytes.is_empty() {
            return Err(ParseError::EmptyDocument);
        }
        let hints = message::hints(content_type, file_name).map_err(|_| ParseError::ParserUnavailable)?;
        match ask_once(&self.program, &self.limits, [&hints, bytes], message::ANSWER).await {
            Ok(answer) => {
                message::read_answer(answer).unwrap_or(Err(ParseError::ParserCrashed { signal: None }))
            }
            Err(failure) => Err(error_of(failure)),
        }
    }
}

fn error_of(failure: Failure) -> ParseError {
    match failure {
        Failure::Unavailable => ParseError::ParserUnavailable,
        Failure::Time(clock) => ParseError::ParserTimeout(clock),
        // Nobody else kills it but the kernel when the machine is out of memory.
        Failure::Memory | Failure::Killed => ParseError::ParserMemory,
        Failure::Crashed { signal } => ParseError::ParserCrashed { signal },
    }
}
