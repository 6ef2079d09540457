//! The parent's side of a child that stays for the next request: asks it, measures what each request uses, and tells
//! how it ended.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::BufReader;
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::clock::Clock;
use crate::failure::Failure;
use crate::frame;
use crate::limits::Allowance;
use crate::program::Program;

/// Time between two looks at the processor time of the child. Most have answered before the first.
const LOOK: Duration = Duration::from_millis(250);
/// Processor time of all requests together: a last resort, for a child that its parent has forgotten.
const LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// Linux counts a process's time in hundredths of a second, whatever its own clock is.
const TICK: Duration = Duration::from_millis(10);

/// The limits of one request of a session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Processor time, measured from a quarter of a second after the request: what takes no longer is never measured.
    pub cpu: Duration,
    /// Time that passes, for a machine that gives the child no processor. To a quarter of a second.
    pub wall: Duration,
}

/// A child that waits for its next request. Dropping it kills the child.
pub struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    /// Starts a child of at most `memory` bytes of address space, the program itself included.
    ///
    /// Call it on a thread that lives as long as the session, such as a worker of a runtime: the child is killed when
    /// the thread ends that started it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn start(program: &Program, memory: u64) -> Result<Self, Failure> {
        let mut child = program.start(&Allowance::new(memory, LIFETIME), Stdio::null())?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Self {
                child,
                input,
                output: BufReader::new(output),
            }),
            _ => Err(Failure::Unavailable),
        }
    }

    /// Has the child answer `request`. A part of the answer has at most as many bytes as `answer` says. The session
    /// comes back with the answer; without one the child is killed, also when this is cancelled.
    ///
    /// # Errors
    /// See [`Failure`]. Whether the child ran out of memory is told by [`Failure::may_be_of_memory`] alone.
    pub async fn ask<const N: usize, const M: usize>(
        mut self,
        request: [&[u8]; N],
        answer: [usize; M],
        budget: &Budget,
    ) -> Result<([Vec<u8>; M], Self), Failure> {
        let process = self.child.id();
        let begun = Instant::now();
        let answered = {
            let conversation = async {
                frame::send(&mut self.input, request).await?;
                frame::receive(&mut self.output, answer).await
            };
            tokio::pin!(conversation);
            let mut before = None;
            loop {
                if let Ok(answered) = tokio::time::timeout(LOOK, &mut conversation).await {
                    break answered;
                }
                let used = process.and_then(used).ok_or(Failure::Unavailable)?;
                if used.saturating_sub(*before.get_or_insert(used)) >= budget.cpu {
                    return Err(Failure::Time(Clock::Cpu));
                }
                if begun.elapsed() >= budget.wall {
                    return Err(Failure::Time(Clock::Wall));
                }
            }
        };
        match answered {
            Ok(answer) => Ok((answer, self)),
            Err(_) => Err(self.ended().await),
        }
    }

    /// Waits for a child that has closed its pipes or broken the rules of frames; one that lives on is killed.
    async fn ended(mut self) -> Failure {
        match tokio::time::timeout(LOOK, self.child.wait()).await {
            Ok(Ok(status)) => match Failure::of(status, &[]) {
                // The time of all requests together, which says nothing about this one.
                Failure::Time(_) => Failure::Killed,
                failure => failure,
            },
            _ => Failure::Crashed { signal: None },
        }
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
