//! Renews this worker's lease and gives back those of dead workers. The server's clock decides what is expired.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::lease::{Lease, Renewal};
use crate::outage::Outage;
use crate::readiness::Readiness;
use zerodb_hooks_metrics::{DatabaseCall, Meters};
use zerodb_hooks_store::{Store, StoreError};

/// Beats in the length of a lease.
const BEATS: u32 = 3;

pub struct Heartbeat {
    pub store: Store,
    pub lease: Arc<Lease>,
    pub requeued: Arc<Notify>,
    pub meters: Arc<Meters>,
    pub readiness: Arc<Readiness>,
    pub stop: CancellationToken,
}

impl Heartbeat {
    /// Beats until it is dropped: the lease is renewed during the drain too, and the runner ends this task when the
    /// lease is given back.
    pub async fn run(self, lease_length: Duration) {
        let mut ticks = interval(lease_length / BEATS);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut outage = Outage::default();
        loop {
            ticks.tick().await;
            let since = Instant::now();
            let beat = self.store.bounded(self.beat()).await;
            self.meters
                .called(DatabaseCall::Renew, since.elapsed(), beat.is_ok());
            match beat {
                Ok(()) => outage.over(),
                Err(error) => outage.wait(&error, &self.stop).await,
            }
        }
    }

    async fn beat(&self) -> Result<(), StoreError> {
        let renewal = self.lease.renew().await?;
        if renewal == Renewal::Lost && !self.stop.is_cancelled() {
            self.lease.replace().await?;
            // Nothing could be claimed without it.
            self.requeued.notify_one();
            tracing::warn!("the lease was lost, probably in a pause of this process; a new one is taken");
        }
        self.readiness.renewed();
        self.meters.lease_renewed();
        let reaped = self.store.reap_expired_leases().await?;
        if reaped.deliveries > 0 {
            self.requeued.notify_one();
        }
        if reaped.workers > 0 {
            tracing::warn!(
                workers = reaped.workers,
                deliveries = reaped.deliveries,
                "gave back the deliveries of lost workers"
            );
        }
        Ok(())
    }
}
