//! What is done once a minute: settings read again, the log rotated, old deliveries pruned.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::runner::Shared;
use crate::store::StoreError;

const EVERY: Duration = Duration::from_secs(60);
/// Partitions of the log.
const SLOTS: i32 = 8;

pub async fn run(shared: Arc<Shared>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shared.stop.cancelled() => return,
        }
        if let Err(error) = tidy(&shared).await
            && !error.is_passing()
        {
            tracing::warn!(%error, "maintenance failed, trying again in a minute");
        }
    }
}

async fn tidy(shared: &Shared) -> Result<(), StoreError> {
    let store = &shared.store;
    let installation = store.bounded(store.load_installation()).await?;
    let next_slot = (installation.slot + 1) % SLOTS;
    if store
        .bounded(store.rotate_log(next_slot, &installation.retention))
        .await?
    {
        tracing::info!(slot = next_slot, "emptied the oldest partition of the log");
    }
    while store
        .bounded(store.prune_deliveries(&installation.retention))
        .await?
        && !shared.stop.is_cancelled()
    {}
    store.bounded(store.prune_cursor()).await?;
    while store.bounded(store.cancel_orphans()).await? && !shared.stop.is_cancelled() {}
    while store.bounded(store.prune_summary_chunks()).await? && !shared.stop.is_cancelled() {}
    while store.bounded(store.roll_up_usage()).await? && !shared.stop.is_cancelled() {}
    store.bounded(store.prune_endpoints()).await?;
    shared.set_installation(installation);
    Ok(())
}
