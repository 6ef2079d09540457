//! What is done once a minute: settings read again, the log rotated, old deliveries pruned.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::runner::Shared;
use zerodb_hooks_store::{Installation, StoreError};

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
        tidy(&shared).await;
    }
}

/// Each step by itself: one that fails keeps none of the others from being made.
async fn tidy(shared: &Shared) {
    let store = &shared.store;
    let goes_on = || !shared.stop.is_cancelled();
    let loaded = store.bounded(store.load_installation()).await;
    if let Some(installation) = done("the settings", loaded) {
        done("the log", rotate(shared, &installation).await);
        let pruned = async {
            let retention = &installation.retention;
            while store.bounded(store.prune_deliveries(retention)).await? && goes_on() {}
            Ok(())
        };
        done("the deliveries", pruned.await);
        shared.set_installation(installation);
    }
    done("the cursor", store.bounded(store.prune_cursor()).await);
    let cancelled = async {
        while store.bounded(store.cancel_orphans()).await? && goes_on() {}
        Ok(())
    };
    done("the deliveries of deleted hooks", cancelled.await);
    let forgotten = async {
        while store.bounded(store.prune_summary_chunks()).await? && goes_on() {}
        Ok(())
    };
    done("the summaries of parts", forgotten.await);
    let summed = async {
        while store.bounded(store.roll_up_usage()).await? && goes_on() {}
        Ok(())
    };
    done("the usage of models", summed.await);
    done("the endpoints", store.bounded(store.prune_endpoints()).await);
}

async fn rotate(shared: &Shared, installation: &Installation) -> Result<(), StoreError> {
    let store = &shared.store;
    let next_slot = (installation.slot + 1) % SLOTS;
    let emptied = store.bounded(store.rotate_log(next_slot, &installation.retention));
    if emptied.await? {
        tracing::info!(slot = next_slot, "emptied the oldest partition of the log");
    }
    Ok(())
}

/// Says which step failed, unless it does so in passing.
fn done<T>(of: &'static str, result: Result<T, StoreError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) if error.is_passing() => None,
        Err(error) => {
            tracing::warn!(%error, of, "maintenance failed, trying again in a minute");
            None
        }
    }
}
