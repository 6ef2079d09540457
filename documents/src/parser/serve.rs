//! The child's side: binds itself, reads one file from standard input, answers on standard output, and ends.

use std::io;
use std::process::ExitCode;

use super::frame::{self, Request};
use super::limits::Allowance;
use crate::{Document, ParseError};

/// The exit code of a child that could not begin.
pub(super) const NOT_READY: u8 = 3;

/// The whole life of a child that [`super::Parser`] has started: `main` calls this before it starts a thread or a
/// runtime, and returns what it returns. Which argument of the program leads here is the program's choice.
#[must_use]
pub fn serve() -> ExitCode {
    serve_with(crate::parse)
}

/// [`serve`] with another parser, by which tests see what a parser that misbehaves leads to.
#[must_use]
pub fn serve_with(parse: impl FnOnce(&[u8], &str, &str) -> Result<Document, ParseError>) -> ExitCode {
    let ready = Allowance::from_arguments(std::env::args_os())
        .ok_or(io::ErrorKind::InvalidInput.into())
        .and_then(|allowance: Allowance| allowance.apply());
    if ready.is_err() {
        return ExitCode::from(NOT_READY);
    }
    let Ok((request, bytes)) = Request::read(&mut io::stdin().lock()) else {
        return ExitCode::FAILURE;
    };
    let result = parse(&bytes, &request.content_type, &request.file_name);
    match frame::write_answer(&mut io::stdout().lock(), result) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
