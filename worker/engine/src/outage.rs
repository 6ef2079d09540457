//! Trying again while the database is away: one log line at the start, one at the end, and a growing wait between
//! tries.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use zerodb_hooks_delivery::retry::Policy;
use zerodb_hooks_store::StoreError;

const BACKOFF: Policy = Policy {
    max_attempts: i32::MAX,
    base: Duration::from_millis(50),
    timeout: Duration::from_secs(1),
};
/// The longest wait between two tries.
const LONGEST: Duration = Duration::from_secs(5);

/// The tries of one task that failed in a row.
#[derive(Default)]
pub struct Outage {
    tries: i32,
}

impl Outage {
    /// Waits before the next try, or until `stop`.
    pub async fn wait(&mut self, error: &StoreError, stop: &CancellationToken) {
        if self.tries == 0 {
            tracing::warn!(%error, "cannot work, trying again until it passes");
        }
        self.tries = self.tries.saturating_add(1);
        let wait = BACKOFF.backoff(self.tries, rand::random()).min(LONGEST);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => {}
        }
    }

    /// A try succeeded.
    pub fn over(&mut self) {
        if self.tries > 0 {
            tracing::info!(tries = self.tries, "working again");
        }
        self.tries = 0;
    }
}
