//! Counts, now and then, how many rows of hooks' tables have a result, for `zerodb.hook_status`: small tables every
//! few seconds, large ones so rarely that counting takes a hundredth of the time (`due_coverage.sql`). It knows no
//! handler's work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::handler::Context;
use crate::registry::Registry;
use zerodb_hooks_store::{Backfill, StoreError};

/// Time between two looks for tables that are due.
const EVERY: Duration = Duration::from_secs(5);

pub struct Coverage {
    pub context: Arc<Context>,
    pub registry: Arc<Registry>,
    pub stop: CancellationToken,
}

impl Coverage {
    /// Counts until the worker stops.
    pub async fn run(self) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.stop.cancelled() => return,
            }
            match self.stop.run_until_cancelled(self.count_due()).await {
                Some(Err(error)) if !error.is_passing() => {
                    tracing::warn!(%error, "the rows of hooks' tables could not be counted");
                }
                Some(_) => {}
                None => return,
            }
        }
    }

    async fn count_due(&self) -> Result<(), StoreError> {
        let store = &self.context.store;
        for table in store.bounded(store.due_coverage()).await? {
            self.count(&table).await?;
        }
        Ok(())
    }

    /// Counts a table. One that cannot be counted is left to the next time.
    async fn count(&self, table: &Backfill) -> Result<(), StoreError> {
        let store = &self.context.store;
        let Some(hook) = store.bounded(store.load_hook(table.hook_id)).await? else {
            return Ok(());
        };
        let Some(handler) = self.registry.backfills(hook.handler()) else {
            return Ok(());
        };
        let since = Instant::now();
        match handler.count(&self.context, &hook, table).await {
            Ok(counted) => {
                let kept = store.keep_coverage(hook.id, table.relid, counted, since.elapsed());
                store.bounded(kept).await?;
            }
            Err(error) => tracing::debug!(hook.id = %hook.id, %error, "rows could not be counted"),
        }
        Ok(())
    }
}
