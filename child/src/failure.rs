//! Why a child gave no answer, told from how it ended. It must not say whose fault that is: the caller knows what the
//! child was asked.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::Signal;

use crate::clock::Clock;
use crate::serve::NOT_READY;

/// The standard library writes this when an allocation fails, before it aborts.
const OUT_OF_MEMORY: &[u8] = b"memory allocation of ";

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Failure {
    /// There was no child, or it could not limit itself. That says nothing about the request.
    #[error("no child could be started or reached")]
    Unavailable,
    /// The child took longer than it may.
    #[error("the child took too long ({0})")]
    Time(Clock),
    /// The child said that an allocation failed. Told only where its standard error is heard: by [`crate::ask_once`].
    #[error("the child needed more memory than it may have")]
    Memory,
    /// Killed by another process than its parent, such as the kernel when the machine is out of memory.
    #[error("the child was killed")]
    Killed,
    /// It ended by itself or by a signal without a whole answer, or said more than it may.
    #[error("the child crashed")]
    Crashed { signal: Option<i32> },
}

impl Failure {
    /// Whether the child said, or seems, to have run out of memory or stack: Rust ends a process by these signals then.
    /// Of a session this is all that is known.
    #[must_use]
    pub fn may_be_of_memory(&self) -> bool {
        match self {
            Self::Memory => true,
            Self::Crashed { signal } => matches!(
                signal.and_then(Signal::from_named_raw),
                Some(Signal::ABORT | Signal::SEGV | Signal::BUS)
            ),
            _ => false,
        }
    }

    /// By how a child ended, and the beginning of what it wrote to standard error.
    pub(crate) fn of(status: ExitStatus, last_words: &[u8]) -> Self {
        let signal = status.signal();
        let said = |words: &[u8]| last_words.windows(words.len()).any(|window| window == words);
        match (status.code(), signal.and_then(Signal::from_named_raw)) {
            (Some(code), _) if code == i32::from(NOT_READY) => Self::Unavailable,
            (_, Some(Signal::XCPU)) => Self::Time(Clock::Cpu),
            (_, Some(Signal::ABORT)) if said(OUT_OF_MEMORY) => Self::Memory,
            (_, Some(Signal::KILL)) => Self::Killed,
            _ => Self::Crashed { signal },
        }
    }
}
