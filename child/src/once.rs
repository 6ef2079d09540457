//! The parent's side of a child for one request: starts it, sends, hears it out, and tells how it ended.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;

use crate::clock::Clock;
use crate::failure::Failure;
use crate::frame;
use crate::limits::Allowance;
use crate::program::Program;

/// The most bytes of a child's standard error that are kept.
const LAST_WORDS: u64 = 4096;

/// The limits of a child that answers one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of address space, the program itself included.
    pub memory: u64,
    /// Processor time, in whole seconds.
    pub cpu: Duration,
    /// Time from the start to the end of its answer.
    pub wall: Duration,
}

/// All that a child has said until it ended.
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

/// Has a new child answer `request`. A part of the answer has at most as many bytes as `answer` says.
///
/// May be cancelled at any time: the child is then killed. Call it on a thread that lives as long as the call, such as
/// a worker of a runtime: the child is killed when the thread ends that started it.
///
/// # Errors
/// See [`Failure`]. The child has ended, or is being killed.
pub async fn ask_once<const N: usize, const M: usize>(
    program: &Program,
    limits: &Limits,
    request: [&[u8]; N],
    answer: [usize; M],
) -> Result<[Vec<u8>; M], Failure> {
    let allowance = Allowance::new(limits.memory, limits.cpu);
    let mut child = program.start(&allowance, Stdio::piped())?;
    let most = answer.iter().sum::<usize>() + frame::overhead(M);
    let failure = match tokio::time::timeout(limits.wall, converse(&mut child, request, most)).await {
        Ok(Ok(said)) if said.status.success() => {
            return frame::decode(&said.answer, answer).ok_or(Failure::Crashed { signal: None });
        }
        Ok(Ok(said)) => return Err(Failure::of(said.status, &said.last_words)),
        Ok(Err(Broken::TooMuch)) => Failure::Crashed { signal: None },
        Ok(Err(Broken::Pipes)) => Failure::Unavailable,
        Err(_) => Failure::Time(Clock::Wall),
    };
    // Fails only if the child has ended already.
    let _ = child.kill().await;
    Err(failure)
}

/// Sends the request, and hears the child out while it does: a child may answer, or end, before it has read everything.
async fn converse<const N: usize>(
    child: &mut Child,
    request: [&[u8]; N],
    most: usize,
) -> Result<Said, Broken> {
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut input), Some(output), Some(errors)) = (input, output, errors) else {
        return Err(Broken::Pipes);
    };
    let send = async {
        // A child that ends early closes the pipe; how it ended says more than that.
        let _ = frame::send(&mut input, request).await;
        drop(input);
        Ok(())
    };
    let hear = async {
        let answer = read_up_to(output, most as u64 + 1).await?;
        if answer.len() > most {
            Err(Broken::TooMuch)
        } else {
            Ok(answer)
        }
    };
    let ((), answer, last_words) = tokio::try_join!(send, hear, last_words(errors))?;
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
