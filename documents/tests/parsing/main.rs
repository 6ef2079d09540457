//! Files, good and bad, through a child process that allocates as the worker does.

#![allow(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

mod child;
mod encodings;
mod files;
mod formats;
mod hostile;
mod hostile_office;
mod office;
mod open_formats;
mod pages;
mod pdf_pages;
mod pdf_text;
mod wrapped;

use std::path::PathBuf;

use zerodb_hooks_documents::{ParseError, Parser};

/// A parser whose child behaves as `parser_of_tests` describes.
fn parser(behaviour: &str) -> Parser {
    Parser::new(PathBuf::from(env!("CARGO_BIN_EXE_parser_of_tests")), behaviour)
}

/// The error of a file. Also asserts that the caller goes on: the same parser then reads a good one.
async fn refused(bytes: &[u8], content_type: &str, file_name: &str) -> ParseError {
    let parser = parser("parse");
    let error = match parser.parse(bytes, content_type, file_name).await {
        Ok(document) => panic!("{} bytes of text from {file_name}", document.text.len()),
        Err(error) => error,
    };
    let next = parser.parse(b"still here", "", "").await;
    assert_eq!(next.map(|document| document.text).as_deref(), Ok("still here"));
    error
}
