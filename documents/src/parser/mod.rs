//! The parent's side: starts a child for each file, talks to it, ends it, and tells what became of it.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::frame::{self, OVERHEAD, Request};
use super::limits::{self, Allowance};
use super::serve::NOT_READY;
use crate::{Clock, Document, MAX_INPUT, MAX_TEXT, ParseError};

/// How much of a child's standard error is kept, in bytes.
const LAST_WORDS: u64 = 4096;
/// What the standard library writes when an allocation fails, before it aborts.
const OUT_OF_MEMORY: &[u8] = b"memory allocation of ";

/// Parses each file in a child process of its own.
#[derive(Clone, Debug)]
pub struct Parser {
    /// The program whose `main` calls [`super::serve`]. `/proc/self/exe` is this program, also after it was replaced.
    pub program: PathBuf,
    /// What leads it there; the limits are appended.
    pub arguments: Vec<OsString>,
    pub limits: Limits,
}

/// What a child may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of address space, the program itself included.
    pub memory: u64,
    /// Processor time, in whole seconds.
    pub cpu: Duration,
    /// Time from the start to the end of its answer.
    pub wall: Duration,
    /// Bytes of its answer.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            cpu: Duration::from_secs(20),
            wall: Duration::from_secs(30),
            output: MAX_TEXT + OVERHEAD,
        }
    }
}

/// What a child has said until it ended.
struct Said {
    answer: Vec<u8>,
    last_words: Vec<u8>,
    status: ExitStatus,
}

/// Why the conversation was broken off.
enum Broken {
    /// It says more than it may.
    TooMuch,
    /// The pipes failed.
    Pipes,
}

impl Parser {
    /// A parser of this very program, led to [`super::serve`] by `argument`.
    #[must_use]
    pub fn of_this_program(argument: &str) -> Self {
        Self {
            program: PathBuf::from("/proc/self/exe"),
            arguments: vec![argument.into()],
            limits: Limits::default(),
        }
    }

    /// Reads a file, as [`crate::parse`] does, in a child. May be cancelled at any time: the child is killed then.
    ///
    /// Call it on a thread that lives as long as the call, such as any of a runtime's workers: the child is killed
    /// when the thread ends that started it.
    ///
    /// # Errors
    /// Those of [`crate::parse`]; `parser_crashed`, `parser_memory` and `parser_timeout` for what the file did to the
    /// child; `parser_unavailable` if there was no child.
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
        let request = Request::new(bytes.len(), content_type, file_name);
        let header = request.header().map_err(|_| ParseError::ParserUnavailable)?;
        let mut child = self.start()?;
        let conversation = converse(&mut child, &header, bytes, self.limits.output);
        let error = match tokio::time::timeout(self.limits.wall, conversation).await {
            Ok(Ok(said)) => return judge(&said),
            Ok(Err(Broken::TooMuch)) => ParseError::ParserCrashed { signal: None },
            Ok(Err(Broken::Pipes)) => ParseError::ParserUnavailable,
            Err(_) => ParseError::ParserTimeout(Clock::Wall),
        };
        // Fails only if the child has ended already.
        let _ = child.kill().await;
        Err(error)
    }

    fn start(&self) -> Result<Child, ParseError> {
        Command::new(&self.program)
            .args(&self.arguments)
            .args(Allowance::new(self.limits.memory, self.limits.cpu).arguments())
            .env_clear()
            .envs(limits::environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|_| ParseError::ParserUnavailable)
    }
}

/// Sends the file, and hears the child out while it does: a child may answer, or end, before it has read everything.
async fn converse(child: &mut Child, header: &[u8], bytes: &[u8], limit: usize) -> Result<Said, Broken> {
    let (input, output, error) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut input), Some(output), Some(error)) = (input, output, error) else {
        return Err(Broken::Pipes);
    };
    let send = async {
        // A child that ends early closes the pipe; how it ended says more than that.
        if input.write_all(header).await.is_ok() {
            let _ = input.write_all(bytes).await;
        }
        drop(input);
        Ok(())
    };
    let hear = async {
        let answer = read_up_to(output, limit as u64 + 1).await?;
        if answer.len() > limit {
            Err(Broken::TooMuch)
        } else {
            Ok(answer)
        }
    };
    let ((), answer, last_words) = tokio::try_join!(send, hear, last_words(error))?;
    let status = child.wait().await.map_err(|_| Broken::Pipes)?;
    Ok(Said {
        answer,
        last_words,
        status,
    })
}

async fn read_up_to(pipe: impl AsyncRead + Unpin, limit: u64) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    pipe.take(limit)
        .read_to_end(&mut bytes)
        .await
        .map_err(|_| Broken::Pipes)?;
    Ok(bytes)
}

/// The beginning of standard error; the rest is read, so that the child is never held up, and thrown away.
async fn last_words(mut pipe: impl AsyncRead + Unpin) -> Result<Vec<u8>, Broken> {
    let words = read_up_to(&mut pipe, LAST_WORDS).await?;
    tokio::io::copy(&mut pipe, &mut tokio::io::sink())
        .await
        .map_err(|_| Broken::Pipes)?;
    Ok(words)
}

fn judge(said: &Said) -> Result<Document, ParseError> {
    let starved = said
        .last_words
        .windows(OUT_OF_MEMORY.len())
        .any(|window| window == OUT_OF_MEMORY);
    match (
        said.status.code(),
        said.status.signal().and_then(Signal::from_named_raw),
    ) {
        (Some(0), _) => {
            frame::read_answer(&said.answer).unwrap_or(Err(ParseError::ParserCrashed { signal: None }))
        }
        (Some(code), _) if code == i32::from(NOT_READY) => Err(ParseError::ParserUnavailable),
        (_, Some(Signal::XCPU)) => Err(ParseError::ParserTimeout(Clock::Cpu)),
        (_, Some(Signal::ABORT)) if starved => Err(ParseError::ParserMemory),
        // Not by its parent, and nobody else knows of it but the kernel when the machine is out of memory.
        (_, Some(Signal::KILL)) => Err(ParseError::ParserMemory),
        _ => Err(ParseError::ParserCrashed {
            signal: said.status.signal(),
        }),
    }
}
