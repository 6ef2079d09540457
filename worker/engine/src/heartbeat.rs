//! Renews this worker's lease and gives back those of dead workers. The server's clock decides what is expired.

use std::sync::Arc;

use tokio::time::{MissedTickBehavior, interval};

use super::runner::{Outage, Shared};
use zerodb_hooks_store::StoreError;

pub async fn run(shared: Arc<Shared>) {
    let mut ticks = interval(shared.settings.lease / 3);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut outage = Outage::default();
    loop {
        // The lease is renewed during the drain too: the runner ends this task, when the lease is given back.
        ticks.tick().await;
        match shared.store.bounded(beat(&shared)).await {
            Ok(()) => outage.over(),
            Err(error) => outage.wait(&error, &shared.stop).await,
        }
    }
}

async fn beat(shared: &Shared) -> Result<(), StoreError> {
    let length = shared.settings.lease;
    let in_doubt = shared.is_lease_in_doubt();
    if !in_doubt && !shared.store.renew_lease(shared.lease(), length).await? && !shared.stop.is_cancelled() {
        let lease = shared.store.take_lease(&shared.settings.name, length).await?;
        shared.set_lease(lease);
        // Nothing could be claimed without it.
        shared.requeued.notify_one();
        tracing::warn!("the lease was lost, probably in a pause of this process; a new one is taken");
    }
    let reaped = shared.store.reap_expired_leases().await?;
    if reaped.deliveries > 0 {
        shared.requeued.notify_one();
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
