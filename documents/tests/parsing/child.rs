//! The errors of files whose parser came to a bad end. How children end is tested where they are started.

use std::path::PathBuf;
use std::time::Duration;

use zerodb_hooks_documents::{Clock, ParseError, Parser};

use crate::parser;

async fn outcome(parser: &Parser) -> ParseError {
    parser.parse(b"words", "text/plain", "a.txt").await.unwrap_err()
}

#[tokio::test]
async fn the_end_of_a_parser_is_an_error_of_its_file() {
    let crashed = ParseError::ParserCrashed { signal: None };
    assert_eq!(outcome(&parser("hungry")).await, ParseError::ParserMemory);
    assert_eq!(outcome(&parser("panic")).await, crashed);
    assert_eq!(outcome(&parser("false")).await, crashed);
}

#[tokio::test]
async fn one_that_never_ends_is_ended_by_either_clock() {
    let mut parser = parser("endless");
    parser.limits.cpu = Duration::from_secs(1);
    assert_eq!(outcome(&parser).await, ParseError::ParserTimeout(Clock::Cpu));
    parser.limits.cpu = Duration::from_secs(60);
    parser.limits.wall = Duration::from_millis(300);
    assert_eq!(outcome(&parser).await, ParseError::ParserTimeout(Clock::Wall));
}

#[tokio::test]
async fn none_at_all_says_nothing_about_the_file() {
    let error = outcome(&Parser::new(PathBuf::from("/nowhere/zerodb-hooks"), "parse")).await;
    assert_eq!(
        (error, error.is_permanent()),
        (ParseError::ParserUnavailable, false)
    );
}
