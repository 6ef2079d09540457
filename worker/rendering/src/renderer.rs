//! The parent's side of one child that renders: starts it, asks it, and judges how it ended. What a template does, it does
//! to this child.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use zerodb_hooks_child::{Allowance, environment};

use super::child::NOT_READY;
use super::frame::{self, ANSWER_LENGTHS};

/// The command of `zerodb-hooks` that is the child.
const COMMAND: &str = "render";
/// Bytes of address space of a child, the program itself included.
pub const MEMORY: u64 = 256 << 20;
/// Processor time that one rendering may take, as it is measured from `LOOK` on.
pub const CPU: Duration = Duration::from_millis(500);
/// How often it is looked at what the child has used. Most have answered long before.
const LOOK: Duration = Duration::from_millis(250);
/// Time for one rendering on a machine that gives the child no processor.
const WALL: Duration = Duration::from_secs(10);
/// Of all that a child renders; it is a last resort, for a child that its parent has forgotten.
const LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// Linux counts a process's time in hundredths of a second, whatever its own clock is.
const TICK: Duration = Duration::from_millis(10);

/// Why there is no answer. The child is of no use any more.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Trouble {
    #[error("it needs more than {} MiB of memory, or nests too deeply", MEMORY >> 20)]
    Memory,
    #[error("it takes more than {} ms of processor time", CPU.as_millis())]
    Time,
    /// The template's fault, as far as one can tell.
    #[error("the process that rendered it ended")]
    Crashed,
    /// Nobody's fault.
    #[error("no process could be started or reached to render it")]
    Unavailable,
    #[error("the process that renders it got no processor time within {} s", WALL.as_secs())]
    Starved,
}

impl Trouble {
    /// Whether it comes again with the template.
    pub fn is_of_the_template(&self) -> bool {
        matches!(self, Self::Memory | Self::Time | Self::Crashed)
    }
}

/// A child that waits for its next template.
pub struct Renderer {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Renderer {
    /// Call it on a thread that lives as long as the worker: the child is killed when the thread ends that started it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn start(program: &Path) -> Result<Self, Trouble> {
        let mut child = Command::new(program)
            .arg(COMMAND)
            .args(Allowance::new(MEMORY, LIFETIME).arguments())
            .env_clear()
            .envs(environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C is for the worker, which lets what runs end.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|_| Trouble::Unavailable)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Self { child, input, output }),
            _ => Err(Trouble::Unavailable),
        }
    }

    /// The text, or the child's words for what is wrong with the template, of at most `most` bytes. After an error, or when
    /// it was cancelled, the renderer must be dropped, which kills the child.
    ///
    /// # Errors
    /// See `Trouble`.
    pub async fn render(&mut self, request: &[u8], most: usize) -> Result<Result<String, String>, Trouble> {
        let Self { child, input, output } = self;
        let process = child.id();
        let answer = converse(input, output, request, most);
        tokio::pin!(answer);
        let begun = Instant::now();
        let mut before = None;
        loop {
            match tokio::time::timeout(LOOK, &mut answer).await {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => return Err(ended(child).await),
                Err(_) => {}
            }
            let used = process.and_then(used).ok_or(Trouble::Unavailable)?;
            if used.saturating_sub(*before.get_or_insert(used)) >= CPU {
                return Err(Trouble::Time);
            }
            if begun.elapsed() >= WALL {
                return Err(Trouble::Starved);
            }
        }
    }
}

/// `None` when the pipes break, or the answer is none.
async fn converse(
    input: &mut ChildStdin,
    output: &mut ChildStdout,
    request: &[u8],
    most: usize,
) -> Option<Result<String, String>> {
    input.write_all(request).await.ok()?;
    let mut lengths = [0; ANSWER_LENGTHS];
    output.read_exact(&mut lengths).await.ok()?;
    let (is_rendered, length) = frame::read_answer(lengths);
    if length > most.max(frame::WORDS) {
        return None;
    }
    let mut text = vec![0; length];
    output.read_exact(&mut text).await.ok()?;
    let text = String::from_utf8(text).ok()?;
    Some(if is_rendered { Ok(text) } else { Err(text) })
}

/// What the end of a child says.
async fn ended(child: &mut Child) -> Trouble {
    // It has closed its pipes; one that lives on nevertheless is killed.
    let status = match tokio::time::timeout(LOOK, child.wait()).await {
        Ok(Ok(status)) => status,
        _ => return Trouble::Crashed,
    };
    judge(status)
}

fn judge(status: ExitStatus) -> Trouble {
    if status.code() == Some(i32::from(NOT_READY)) {
        return Trouble::Unavailable;
    }
    match status.signal().and_then(Signal::from_named_raw) {
        // Rust ends a process so when an allocation fails, and when its stack is at its end.
        Some(Signal::ABORT | Signal::SEGV | Signal::BUS) => Trouble::Memory,
        // By whoever ends processes when the machine is out of memory, or stops the service.
        Some(_) => Trouble::Unavailable,
        None => Trouble::Crashed,
    }
}

/// The processor time that a process has used.
fn used(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut times = after_name.split_whitespace().skip(11).map(str::parse::<u32>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    Some(TICK * user.saturating_add(system))
}
