//! The child's side of parsing.

use std::process::ExitCode;

use super::message;
use crate::document::Document;
use crate::error::ParseError;

/// The whole life of a child that [`super::Parser`] has started: `main` calls this before it starts a thread or a
/// runtime, and returns what it returns. Which argument of the program leads here is the program's choice.
#[must_use]
pub fn serve() -> ExitCode {
    serve_with(crate::parse::parse)
}

/// [`serve`] with another parser, by which tests see what a parser that misbehaves leads to.
#[must_use]
pub fn serve_with(parse: impl Fn(&[u8], &str, &str) -> Result<Document, ParseError>) -> ExitCode {
    zerodb_hooks_child::serve(message::REQUEST, |[hints, bytes]| {
        let hints = message::read_hints(&hints)?;
        message::answer(parse(&bytes, &hints.content_type, &hints.file_name))
    })
}
