//! The work of once a minute: settings read again, the log rotated, old rows pruned.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use zerodb_hooks_store::{Installation, PrunePlace, Store, StoreError};

const EVERY: Duration = Duration::from_secs(60);
/// How often pruning begins at the oldest delivery again, for those that had not ended when it passed them.
const PRUNE_ANEW: Duration = Duration::from_secs(3600);
const SLOTS: i32 = zerodb_hooks_contract::event_log::SLOTS as i32;

pub struct Maintenance {
    pub store: Store,
    /// Sends the settings as they are read again.
    pub installation: watch::Sender<Arc<Installation>>,
    pub stop: CancellationToken,
}

impl Maintenance {
    /// Works until the worker stops.
    pub async fn run(self) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let (mut place, mut begun) = (PrunePlace::default(), Instant::now());
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.stop.cancelled() => return,
            }
            if begun.elapsed() >= PRUNE_ANEW {
                (place, begun) = (PrunePlace::default(), Instant::now());
            }
            self.tidy(&mut place).await;
        }
    }

    /// Each step by itself: one that fails keeps none of the others from being made.
    async fn tidy(&self, place: &mut PrunePlace) {
        let store = &self.store;
        let loaded = store.bounded(store.load_installation()).await;
        if let Some(installation) = done("the settings", loaded) {
            done("the log", self.rotate(&installation).await);
            let retention = &installation.retention;
            done("the deliveries", self.prune(retention, place).await);
            self.installation.send_replace(Arc::new(installation));
        }
        done("the cursor", store.bounded(store.prune_cursor()).await);
        let cancelled = self.repeat(|| store.cancel_orphans());
        done("the deliveries of deleted hooks", cancelled.await);
        let forgotten = self.repeat(|| store.prune_summary_chunks());
        done("the summaries of parts", forgotten.await);
        let summed = self.repeat(|| store.roll_up_usage());
        done("the usage of models", summed.await);
        let audited = self.repeat(|| store.prune_audit());
        done("the audit trail", audited.await);
        done(
            "what the audit trail says of settings",
            store.bounded(store.note_settings()).await,
        );
        done("the health of hooks", store.bounded(store.prune_health()).await);
        done("the endpoints", store.bounded(store.prune_endpoints()).await);
    }

    /// Repeats a step while there may be more for it to do and the worker runs.
    async fn repeat<F>(&self, step: impl Fn() -> F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<bool, StoreError>>,
    {
        while self.store.bounded(step()).await? && !self.stop.is_cancelled() {}
        Ok(())
    }

    /// From where it came to last time, to the deliveries that are too young.
    async fn prune(&self, retention: &str, place: &mut PrunePlace) -> Result<(), StoreError> {
        while self
            .store
            .bounded(self.store.prune_deliveries(retention, place))
            .await?
            && !self.stop.is_cancelled()
        {}
        Ok(())
    }

    async fn rotate(&self, installation: &Installation) -> Result<(), StoreError> {
        let next_slot = (installation.slot + 1) % SLOTS;
        let emptied = self.store.rotate_log(next_slot, &installation.retention);
        if self.store.bounded(emptied).await? {
            tracing::info!(slot = next_slot, "emptied the oldest partition of the log");
        }
        Ok(())
    }
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
