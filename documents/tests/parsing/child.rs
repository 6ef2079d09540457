//! What becomes of children that misbehave, and of their parent.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use zerodb_hooks_documents::child::Parser;
use zerodb_hooks_documents::{Clock, ParseError};

use crate::parser;

const CRASHED: ParseError = ParseError::ParserCrashed { signal: None };

async fn outcome(parser: &Parser) -> ParseError {
    parser
        .parse(b"words", "text/plain", "/etc/passwd")
        .await
        .unwrap_err()
}

/// Whether a process ends within ten seconds.
fn ends(pid: Pid) -> bool {
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
        return true;
    };
    let patience = Timespec {
        tv_sec: 10,
        tv_nsec: 0,
    };
    poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience)).unwrap() == 1
}

/// The processes with an argument.
fn processes_with(argument: &str) -> Vec<Pid> {
    let found = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let command = std::fs::read(entry.path().join("cmdline")).ok()?;
        command
            .split(|byte| *byte == 0)
            .any(|word| word == argument.as_bytes())
            .then_some(pid)
    });
    found.filter_map(Pid::from_raw).collect()
}

#[tokio::test]
async fn one_that_never_ends_is_ended_by_its_processor_time() {
    let mut parser = parser("endless");
    parser.limits.cpu = Duration::from_secs(1);
    assert_eq!(outcome(&parser).await, ParseError::ParserTimeout(Clock::Cpu));
}

#[tokio::test]
async fn one_that_does_nothing_is_ended_by_the_clock_and_gone() {
    let mut parser = parser("asleep");
    parser.arguments.push("--mark=clock".into());
    parser.limits.wall = Duration::from_millis(300);
    assert_eq!(outcome(&parser).await, ParseError::ParserTimeout(Clock::Wall));
    assert_eq!(processes_with("--mark=clock"), []);
}

#[tokio::test]
async fn one_that_eats_memory_ends_as_that() {
    assert_eq!(outcome(&parser("hungry")).await, ParseError::ParserMemory);
}

#[tokio::test]
async fn one_that_crashes_says_nothing_useful_or_says_too_much_has_crashed() {
    assert_eq!(outcome(&parser("panic")).await, CRASHED);
    assert_eq!(outcome(&parser("nothing")).await, CRASHED);
    assert_eq!(outcome(&parser("three")).await, CRASHED);
    assert_eq!(outcome(&parser("garbage")).await, CRASHED);
    assert_eq!(outcome(&parser("flood")).await, CRASHED);
    let overflow = outcome(&parser("overflow")).await;
    assert!(
        matches!(overflow, ParseError::ParserCrashed { signal: Some(_) }),
        "{overflow:?}"
    );
}

#[tokio::test]
async fn one_can_neither_open_a_file_nor_start_a_process() {
    assert_eq!(outcome(&parser("file")).await, ParseError::UnsupportedType);
    assert_eq!(outcome(&parser("process")).await, ParseError::UnsupportedType);
}

#[tokio::test]
async fn none_at_all_says_nothing_about_the_file() {
    let absent = Parser {
        program: PathBuf::from("/nowhere/zerodb-hooks"),
        ..parser("parse")
    };
    let error = outcome(&absent).await;
    assert_eq!(
        (error, error.is_permanent()),
        (ParseError::ParserUnavailable, false)
    );
}

#[tokio::test]
async fn one_whose_answer_nobody_waits_for_is_killed() {
    let mut parser = parser("asleep");
    parser.arguments.push("--mark=cancelled".into());
    let started = async {
        while processes_with("--mark=cancelled").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        result = parser.parse(b"words", "", "") => panic!("{result:?}"),
        () = started => {}
    }
    assert!(processes_with("--mark=cancelled").into_iter().all(ends));
}

#[tokio::test]
async fn one_whose_parent_dies_dies_with_it() {
    let program = Path::new(env!("CARGO_BIN_EXE_parser_of_tests"));
    // Standard input stays open here, so that its end cannot be what the child ends by.
    let mut parent = Command::new(program)
        .arg("orphan")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(parent.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let child = Pid::from_raw(line.trim().parse().unwrap()).unwrap();
    parent.kill().unwrap();
    let input = parent.stdin.take();
    parent.wait().unwrap();
    let gone = ends(child);
    if !gone {
        let _ = kill_process(child, Signal::KILL);
    }
    drop(input);
    assert!(gone, "the child outlived its parent");
}

#[tokio::test]
async fn many_at_a_time_do_not_disturb_each_other() {
    let (parser, hungry) = (parser("parse"), parser("hungry"));
    let texts: Vec<String> = (0..4).map(|number| format!("text {number}")).collect();
    let read = |number: usize| parser.parse(texts[number].as_bytes(), "", "");
    let (a, b, c, d, e) = tokio::join!(read(0), read(1), read(2), read(3), outcome(&hungry));
    let read: Vec<String> = [a, b, c, d]
        .into_iter()
        .map(|document| document.unwrap().text)
        .collect();
    assert_eq!((read, e), (texts, ParseError::ParserMemory));
}
