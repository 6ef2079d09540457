//! Waiting for the database to show something, close enough to take its time.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::time::{MissedTickBehavior, interval};

/// Between two looks. The looks must be cheap: they compete with what is measured.
const BETWEEN: Duration = Duration::from_millis(2);

/// Looks until `look` is true, and returns when that was seen.
pub async fn until(deadline: Duration, look: impl AsyncFnMut() -> Result<bool>) -> Result<Instant> {
    until_seen(BETWEEN, deadline, look).await
}

/// The same with the time between two looks, for one that is not so cheap.
pub async fn until_seen(
    between: Duration,
    deadline: Duration,
    mut look: impl AsyncFnMut() -> Result<bool>,
) -> Result<Instant> {
    let start = Instant::now();
    let mut ticks = interval(between);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if look().await? {
            return Ok(Instant::now());
        }
        if start.elapsed() >= deadline {
            bail!("it did not happen within {deadline:?}");
        }
    }
}
