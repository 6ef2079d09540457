//! Ctrl-C and SIGTERM: whatever runs is dropped, and dropping is what stops and deletes everything.

use anyhow::Result;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The user has had enough.
#[derive(Debug)]
pub struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub fn new() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Returns at the next signal.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Runs to the end, or to a signal.
    pub async fn or<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            done = work => done,
            () = self.wait() => Err(Interrupted.into()),
        }
    }
}
