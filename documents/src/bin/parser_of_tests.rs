//! The child process of the tests: it allocates as the worker does, and misbehaves as its first argument tells. No part
//! of the product.

use std::process::ExitCode;

use zerodb_hooks_documents::{Document, ParseError, serve, serve_with};

/// The same as the worker's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let behaviour = std::env::args().nth(1).unwrap_or_default();
    match behaviour.as_str() {
        "parse" => serve(),
        "endless" => serve_with(endless),
        "hungry" => serve_with(hungry),
        "panic" => serve_with(|_, _, _| panic!("as asked")),
        // Only the parent can tell that.
        "false" => serve_with(|_, _, _| Err(ParseError::ParserUnavailable)),
        _ => ExitCode::FAILURE,
    }
}

/// Uses the processor and never ends.
fn endless(bytes: &[u8], _: &str, _: &str) -> Result<Document, ParseError> {
    let mut sum = 0_u64;
    loop {
        sum = std::hint::black_box(sum.wrapping_add(bytes.len() as u64));
    }
}

/// Takes memory and writes to it until there is none.
fn hungry(_: &[u8], _: &str, _: &str) -> Result<Document, ParseError> {
    let mut taken = Vec::new();
    loop {
        taken.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&taken);
    }
}
