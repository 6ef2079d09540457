//! The only place of the test tree that sleeps, and answers that wait until a test lets them go.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::sync::watch;

/// Time for what should happen soon; generous, because a busy machine must not make a test fail.
pub const SOON: Duration = Duration::from_secs(60);

/// Calls `look` until it finds something, or fails at the deadline. The pauses grow from 2 to 50 ms, so that what is
/// there soon is seen soon.
pub async fn eventually<T>(deadline: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Result<T> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(found) = look().await {
            return Ok(found);
        }
        if start.elapsed() >= deadline {
            bail!("it did not happen within {deadline:?}");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// A slow answer, for the receiver.
pub(crate) async fn delay(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Keeps answers back until it is dropped, so that what a test does meanwhile does not depend on how long it takes.
#[must_use = "what it keeps back is let go when it is dropped"]
#[derive(Debug)]
pub struct Held {
    _until_dropped: watch::Sender<()>,
}

/// The moment at which a `Held` is dropped.
#[derive(Clone, Debug)]
pub struct LetGo(watch::Receiver<()>);

impl Held {
    pub(crate) fn new() -> (Self, LetGo) {
        let (held, let_go) = watch::channel(());
        (Self { _until_dropped: held }, LetGo(let_go))
    }
}

impl LetGo {
    pub(crate) async fn passed(&self) {
        let mut dropped = self.0.clone();
        while dropped.changed().await.is_ok() {}
    }
}
