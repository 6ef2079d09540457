//! Children that misbehave, and what their parent is told: each limit, each end, and that nobody else is disturbed.

#![allow(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use zerodb_hooks_child::{Budget, Clock, Failure, Limits, Program, Session, ask_once};

const PROGRAM: &str = env!("CARGO_BIN_EXE_child_of_tests");
const CRASHED: Failure = Failure::Crashed { signal: None };
const MEMORY: u64 = 512 << 20;
const LIMITS: Limits = Limits {
    memory: MEMORY,
    cpu: Duration::from_secs(20),
    wall: Duration::from_secs(30),
};
const BUDGET: Budget = Budget {
    cpu: Duration::from_secs(20),
    wall: Duration::from_secs(30),
};
/// The most bytes of an answer.
const ANSWER: [usize; 1] = [1000];

fn program(behaviour: &str) -> Program {
    Program::new(PROGRAM.into(), behaviour)
}

/// The answer of a new child to a request.
async fn asked(behaviour: &str, request: &str, limits: &Limits) -> Result<String, Failure> {
    let answer = ask_once(&program(behaviour), limits, [request.as_bytes()], ANSWER).await;
    answer.map(|[answer]| String::from_utf8(answer).unwrap())
}

async fn failure(behaviour: &str, request: &str) -> Failure {
    asked(behaviour, request, &LIMITS).await.unwrap_err()
}

async fn asked_again(session: Session, request: &str) -> Result<(String, Session), Failure> {
    let ([answer], session) = session.ask([request.as_bytes()], ANSWER, &BUDGET).await?;
    Ok((String::from_utf8(answer).unwrap(), session))
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

/// Waits until a process with that argument has started.
async fn started(mark: &str) {
    while processes_with(mark).is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_child_answers_and_ends() {
    let mut marked = program("echo");
    marked.arguments.push("--mark=once".into());
    let answer = ask_once(&marked, &LIMITS, [b"words"], ANSWER).await;
    assert_eq!(answer, Ok([b"words".to_vec()]));
    assert_eq!(processes_with("--mark=once"), []);
}

#[tokio::test]
async fn one_that_never_ends_is_ended_by_its_processor_time() {
    let limits = Limits {
        cpu: Duration::from_secs(1),
        ..LIMITS
    };
    let ended = asked("obey", "endless", &limits).await;
    assert_eq!(ended, Err(Failure::Time(Clock::Cpu)));
}

#[tokio::test]
async fn one_that_does_nothing_is_ended_by_the_clock_and_gone() {
    let mut marked = program("asleep");
    marked.arguments.push("--mark=clock".into());
    let limits = Limits {
        wall: Duration::from_millis(300),
        ..LIMITS
    };
    let ended = ask_once(&marked, &limits, [b""], ANSWER).await;
    assert_eq!(ended, Err(Failure::Time(Clock::Wall)));
    assert_eq!(processes_with("--mark=clock"), []);
}

#[tokio::test]
async fn one_that_eats_memory_ends_as_that() {
    assert_eq!(failure("obey", "hungry").await, Failure::Memory);
}

#[tokio::test]
async fn one_that_says_nothing_useful_or_too_much_has_crashed() {
    for behaviour in ["nothing", "seven", "refuse", "garbage", "flood"] {
        assert_eq!(failure(behaviour, "").await, CRASHED, "{behaviour}");
    }
    assert_eq!(failure("obey", "panic").await, CRASHED);
    let longer = "x".repeat(ANSWER[0] + 1);
    assert_eq!(failure("echo", &longer).await, CRASHED);
    let overflow = failure("obey", "overflow").await;
    assert!(
        matches!(overflow, Failure::Crashed { signal: Some(_) }),
        "{overflow:?}"
    );
}

#[tokio::test]
async fn one_can_neither_open_a_file_nor_start_a_process() {
    for behaviour in ["file", "process"] {
        let answer = asked(behaviour, "/etc/passwd", &LIMITS).await;
        assert_eq!(answer.as_deref(), Ok("refused"), "{behaviour}");
    }
}

#[tokio::test]
async fn none_at_all_says_nothing_about_the_request() {
    let absent = Program::new("/nowhere/zerodb-hooks".into(), "echo");
    let answer = ask_once(&absent, &LIMITS, [b""], ANSWER).await;
    assert_eq!(answer, Err(Failure::Unavailable));
    assert!(matches!(
        Session::start(&absent, MEMORY),
        Err(Failure::Unavailable)
    ));
}

#[tokio::test]
async fn one_whose_answer_nobody_waits_for_is_killed() {
    let mut marked = program("asleep");
    marked.arguments.push("--mark=cancelled".into());
    tokio::select! {
        answer = ask_once(&marked, &LIMITS, [b""], ANSWER) => panic!("{answer:?}"),
        () = started("--mark=cancelled") => {}
    }
    assert!(processes_with("--mark=cancelled").into_iter().all(ends));
}

#[tokio::test]
async fn one_whose_parent_dies_dies_with_it() {
    // Standard input stays open here, so that its end cannot be what the child ends by.
    let mut parent = Command::new(Path::new(PROGRAM))
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
    let echo = |text| asked("echo", text, &LIMITS);
    let (a, b, c, hungry) = tokio::join!(echo("a"), echo("b"), echo("c"), failure("obey", "hungry"));
    let answers = [a, b, c].map(Result::unwrap);
    assert_eq!((answers.concat().as_str(), hungry), ("abc", Failure::Memory));
}

#[tokio::test]
async fn a_session_answers_one_request_after_the_other() {
    let mut session = Session::start(&program("echo"), MEMORY).unwrap();
    for request in ["one", "", "three"] {
        let (answer, next) = asked_again(session, request).await.unwrap();
        assert_eq!(answer, request);
        session = next;
    }
}

#[tokio::test]
async fn a_request_that_takes_too_much_ends_its_session() {
    let budget = |cpu, wall| Budget {
        cpu: Duration::from_millis(cpu),
        wall: Duration::from_millis(wall),
    };
    let session = || Session::start(&program("obey"), MEMORY).unwrap();
    let endless = session().ask([b"endless"], ANSWER, &budget(100, 60_000)).await;
    assert_eq!(endless.err(), Some(Failure::Time(Clock::Cpu)));
    let endless = session().ask([b"endless"], ANSWER, &budget(60_000, 100)).await;
    assert_eq!(endless.err(), Some(Failure::Time(Clock::Wall)));
    let panicked = asked_again(session(), "panic").await;
    assert_eq!(panicked.err(), Some(CRASHED));
    let hungry = asked_again(session(), "hungry").await.err();
    assert!(
        hungry.is_some_and(|failure| failure.may_be_of_memory()),
        "{hungry:?}"
    );
}

#[tokio::test]
async fn a_session_whose_answer_nobody_waits_for_is_killed() {
    let mut marked = program("asleep");
    marked.arguments.push("--mark=session".into());
    let session = Session::start(&marked, MEMORY).unwrap();
    tokio::select! {
        answer = asked_again(session, "") => panic!("{:?}", answer.err()),
        () = started("--mark=session") => {}
    }
    assert!(processes_with("--mark=session").into_iter().all(ends));
}
