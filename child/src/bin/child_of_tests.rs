//! The child process of the tests: it allocates as the worker does, and misbehaves as its first argument tells. No part
//! of the product.

use std::io::{self, Read, Write};
use std::process::{Command, ExitCode, Stdio};

use zerodb_hooks_child::serve;

/// The same as the worker's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The most bytes of a request.
const REQUEST: usize = 1 << 20;

/// The answer to a request.
type Answer = io::Result<[Vec<u8>; 1]>;

fn main() -> ExitCode {
    let behaviour = std::env::args().nth(1).unwrap_or_default();
    match behaviour.as_str() {
        "echo" => serve([REQUEST], Ok),
        "refuse" => serve([REQUEST], |_| -> Answer {
            Err(io::ErrorKind::InvalidInput.into())
        }),
        "obey" => serve([REQUEST], obeyed),
        "file" => serve([REQUEST], |[name]| Ok([was(opened(&name))])),
        "process" => serve([REQUEST], |_| Ok([was(started())])),
        "orphan" => orphan(),
        "asleep" => asleep(),
        "flood" => flood(),
        "garbage" => said(b"\xFF\xFF\xFF\xFFgarbage"),
        "nothing" => ExitCode::SUCCESS,
        "seven" => ExitCode::from(7),
        _ => ExitCode::FAILURE,
    }
}

/// Does what the request says, and echoes anything else.
fn obeyed([request]: [Vec<u8>; 1]) -> Answer {
    match request.as_slice() {
        b"endless" => endless(),
        b"hungry" => hungry(),
        b"overflow" => drop(deeper(request.len(), &mut [0; 1024])),
        b"panic" => panic!("as asked"),
        _ => {}
    }
    Ok([request])
}

fn was(done: bool) -> Vec<u8> {
    Vec::from(if done { "done" } else { "refused" })
}

/// Uses the processor and never ends.
fn endless() {
    let mut sum = 0_u64;
    loop {
        sum = std::hint::black_box(sum.wrapping_add(1));
    }
}

/// Takes memory and writes to it until there is none.
fn hungry() {
    let mut taken = Vec::new();
    loop {
        taken.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&taken);
    }
}

#[allow(unconditional_recursion, clippy::only_used_in_recursion)]
fn deeper(depth: usize, frame: &mut [u8; 1024]) -> usize {
    frame[depth % 1024] = 1;
    let result = deeper(depth + 1, &mut std::hint::black_box(*frame));
    std::hint::black_box(frame);
    result
}

fn opened(name: &[u8]) -> bool {
    std::fs::File::open(String::from_utf8_lossy(name).as_ref()).is_ok()
}

fn started() -> bool {
    let status = Command::new("/bin/true").stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
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
        .args(["echo", "--memory=536870912", "--cpu=60", &parent])
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
    while io::stderr().write_all(&zeros).is_ok() && io::stdout().write_all(&zeros).is_ok() {}
    ExitCode::FAILURE
}

fn said(bytes: &[u8]) -> ExitCode {
    let mut request = Vec::new();
    let heard = io::stdin()
        .read_to_end(&mut request)
        .and_then(|_| io::stdout().write_all(bytes));
    if heard.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
