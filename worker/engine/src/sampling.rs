//! Reads the figures of the database for the metrics, now and then, while this worker is the one that does. It decides
//! nothing by them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use zerodb_hooks_metrics::{DatabaseCall, Meters};
use zerodb_hooks_store::{Sampler, Store, StoreError};

/// The age at which figures are no longer shown.
const OLD: Duration = Duration::from_secs(60);

pub struct Sampling {
    pub store: Store,
    pub meters: Arc<Meters>,
    pub stop: CancellationToken,
}

impl Sampling {
    /// Reads until the worker stops; then another worker does.
    pub async fn run(self, every: Duration) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut session, mut last) = (None, Instant::now());
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.stop.cancelled() => break,
            }
            let since = Instant::now();
            let read = self.stop.run_until_cancelled(self.read(&mut session)).await;
            let Some(read) = read else { break };
            match read {
                Ok(true) => last = Instant::now(),
                Ok(false) => self.meters.sampled().clear(),
                Err(error) => {
                    self.meters.called(DatabaseCall::Sample, since.elapsed(), false);
                    tracing::debug!(%error, "the figures of the database could not be read");
                    // Its lock goes with a session that is not trusted: another worker may read them from now on.
                    if !error.is_cancelled() {
                        session = None;
                    }
                    if session.is_none() || last.elapsed() > OLD.max(every * 4) {
                        self.meters.sampled().clear();
                    }
                }
            }
        }
        self.meters.sampled().clear();
    }

    /// False while another worker reads them.
    async fn read(&self, session: &mut Option<Sampler>) -> Result<bool, StoreError> {
        let sampler = match session {
            Some(sampler) => sampler,
            None => session.insert(self.store.sampler().await?),
        };
        let since = Instant::now();
        let Some(sample) = sampler.read().await? else {
            return Ok(false);
        };
        let took = since.elapsed();
        self.meters.called(DatabaseCall::Sample, took, true);
        self.meters.sampled().set(&sample, took);
        Ok(true)
    }
}
