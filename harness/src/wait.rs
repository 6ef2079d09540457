//! The only place of the test tree that sleeps.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

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
