//! The limits that a child sets for itself before it reads a byte of its input.
//!
//! By the crate rustix: limits, death signal and privileges in one, without unsafe code.

use std::ffi::{OsStr, OsString};
use std::io;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal};

/// Standard input, output and error stay open, and nothing else can be opened.
const FILES: u64 = 3;

/// The limits of a child, which its parent gives it as arguments.
#[derive(Debug, PartialEq)]
pub(crate) struct Allowance {
    /// Bytes of address space.
    memory: u64,
    /// Seconds of processor time.
    cpu: u64,
    /// The parent's process id.
    parent: i32,
}

impl Allowance {
    /// The limits of a child of this process.
    pub(crate) fn new(memory: u64, cpu: Duration) -> Self {
        let cpu = cpu.as_secs() + u64::from(cpu.subsec_nanos() > 0);
        Self {
            memory,
            cpu,
            parent: rustix::process::getpid().as_raw_pid(),
        }
    }

    /// The arguments that the child is started with.
    pub(crate) fn arguments(&self) -> [String; 3] {
        [
            format!("--memory={}", self.memory),
            format!("--cpu={}", self.cpu),
            format!("--parent={}", self.parent),
        ]
    }

    /// The allowance among the arguments of this process; nothing if a part of it is missing.
    pub(crate) fn from_arguments(arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let (mut memory, mut cpu, mut parent) = (None, None, None);
        for argument in arguments {
            match argument.to_str().and_then(|argument| argument.split_once('=')) {
                Some(("--memory", value)) => memory = value.parse().ok(),
                Some(("--cpu", value)) => cpu = value.parse().ok(),
                Some(("--parent", value)) => parent = value.parse().ok(),
                _ => {}
            }
        }
        Some(Self {
            memory: memory?,
            cpu: cpu?,
            parent: parent?,
        })
    }

    /// Binds this process, for good: it dies with the thread that started it, gains no privileges, opens no file,
    /// starts no process, leaves no core file.
    ///
    /// # Errors
    /// If the parent is gone already, or the system refuses.
    pub(crate) fn apply(&self) -> io::Result<()> {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        if rustix::process::getppid().map(Pid::as_raw_pid) != Some(self.parent) {
            return Err(io::Error::other("the parent is gone"));
        }
        rustix::thread::set_no_new_privs(true)?;
        lower(Resource::Core, 0, 0)?;
        lower(Resource::Nofile, FILES, FILES)?;
        lower(Resource::Nproc, 0, 0)?;
        // A second later comes SIGKILL; the first signal tells the parent why.
        lower(Resource::Cpu, self.cpu, self.cpu.saturating_add(1))?;
        lower(Resource::As, self.memory, self.memory)
    }
}

/// The variables that a child starts with. Mimalloc, the worker's allocator, reserves a GiB of address space when it
/// starts unless told otherwise, which is more than a child may have: then every later allocation would fail.
pub(crate) fn environment() -> [(&'static OsStr, &'static OsStr); 1] {
    [(OsStr::new("MIMALLOC_ARENA_RESERVE"), OsStr::new("32MiB"))]
}

/// Lowers a limit; one that is lower already stays.
fn lower(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    let ceiling = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit {
        current: Some(current.min(ceiling)),
        maximum: Some(maximum.min(ceiling)),
    };
    Ok(rustix::process::setrlimit(resource, limit)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_read_as_it_was_written() {
        let allowance = Allowance::new(1 << 20, Duration::from_millis(1500));
        let arguments = allowance.arguments().into_iter().map(OsString::from);
        assert_eq!(allowance.cpu, 2);
        assert_eq!(Allowance::from_arguments(arguments), Some(allowance));
        let missing = ["parse", "--memory=1", "--cpu=x"].into_iter().map(OsString::from);
        assert_eq!(Allowance::from_arguments(missing), None);
    }
}
