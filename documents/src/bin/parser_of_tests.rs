//! The child process of the tests: it allocates as the worker does, and misbehaves as its first argument tells. No part
//! of the product.

use std::io::{Read, Write};
use std::process::{Command, ExitCode, Stdio};

use zerodb_hooks_documents::child::{serve, serve_with};
use zerodb_hooks_documents::{Document, ParseError};

/// As in the worker.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let behaviour = std::env::args().nth(1).unwrap_or_default();
    match behaviour.as_str() {
        "parse" => serve(),
        "endless" => serve_with(endless),
        "hungry" => serve_with(hungry),
        "panic" => serve_with(|_, _, _| panic!("as asked")),
        "overflow" => serve_with(|bytes, _, _| deeper(bytes.len(), &mut [0; 1024])),
        "file" => serve_with(|_, _, name| opened(name)),
        "process" => serve_with(|_, _, _| started()),
        "orphan" => orphan(),
        "asleep" => asleep(),
        "flood" => flood(),
        "garbage" => said(b"\xFF\xFF\xFF\xFFgarbage"),
        "nothing" => ExitCode::SUCCESS,
        "three" => ExitCode::from(7),
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

#[allow(unconditional_recursion, clippy::only_used_in_recursion)]
fn deeper(depth: usize, frame: &mut [u8; 1024]) -> Result<Document, ParseError> {
    frame[depth % 1024] = 1;
    let result = deeper(depth + 1, &mut std::hint::black_box(*frame));
    std::hint::black_box(frame);
    result
}

/// An empty document if a file can be opened, against the limits.
fn opened(name: &str) -> Result<Document, ParseError> {
    std::fs::File::open(name).map_err(|_| ParseError::UnsupportedType)?;
    Err(ParseError::EmptyDocument)
}

/// An empty document if a process can be started, against the limits.
fn started() -> Result<Document, ParseError> {
    let status = Command::new("/bin/true").stderr(Stdio::null()).status();
    let success = status.is_ok_and(|status| status.success());
    Err(if success {
        ParseError::EmptyDocument
    } else {
        ParseError::UnsupportedType
    })
}

/// Reads nothing, says nothing, and uses no processor time.
fn asleep() -> ExitCode {
    loop {
        std::thread::park();
    }
}

/// Starts a child that waits for standard input, says its process id, and never ends by itself.
fn orphan() -> ExitCode {
    let parent = format!("--parent={}", std::process::id());
    let program = std::env::current_exe().unwrap_or_default();
    let child = Command::new(program)
        .args(["parse", "--memory=536870912", "--cpu=60", &parent])
        .spawn();
    let Ok(child) = child else {
        return ExitCode::FAILURE;
    };
    println!("{}", child.id());
    asleep()
}

/// Says more than anybody wants to hear, on both ways.
fn flood() -> ExitCode {
    let zeros = [0_u8; 1 << 16];
    while std::io::stderr().write_all(&zeros).is_ok() && std::io::stdout().write_all(&zeros).is_ok() {}
    ExitCode::FAILURE
}

fn said(bytes: &[u8]) -> ExitCode {
    let mut file = Vec::new();
    let heard = std::io::stdin()
        .read_to_end(&mut file)
        .and_then(|_| std::io::stdout().write_all(bytes));
    if heard.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
