//! Counts, now and then, how many rows of hooks' tables have a result, for `zerodb.hook_status`: small tables every few seconds, large
//! ones for a hundredth of the time (`due_coverage.sql`). It knows no handler's work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use super::runner::Shared;
use zerodb_hooks_store::StoreError;

/// How often tables that are due are looked for.
const EVERY: Duration = Duration::from_secs(5);

pub async fn run(shared: Arc<Shared>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shared.stop.cancelled() => return,
        }
        match shared.stop.run_until_cancelled(count(&shared)).await {
            Some(Err(error)) if !error.is_passing() => {
                tracing::warn!(%error, "the rows of hooks' tables could not be counted");
            }
            Some(_) => {}
            None => return,
        }
    }
}

/// One that cannot be counted is left to the next time.
async fn count(shared: &Shared) -> Result<(), StoreError> {
    let store = &shared.store;
    for table in store.bounded(store.due_coverage()).await? {
        let Some(hook) = store.bounded(store.load_hook(table.hook_id)).await? else {
            continue;
        };
        let registered = shared.registry.get(hook.handler());
        let Some(handler) = registered.and_then(|registered| registered.handler.backfills()) else {
            continue;
        };
        let since = Instant::now();
        match handler.count(&shared.context, &hook, &table).await {
            Ok(counted) => {
                let kept = store.keep_coverage(hook.id, table.relid, counted, since.elapsed());
                store.bounded(kept).await?;
            }
            Err(error) => tracing::debug!(hook.id = %hook.id, %error, "rows could not be counted"),
        }
    }
    Ok(())
}
