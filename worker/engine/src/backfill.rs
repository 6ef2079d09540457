//! Works through backfills, one at a time: claims one, drives its handler page by page, keeps how far it has come.
//! Live deliveries of the same hook come first. It knows no handler's work.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::handler::{Backfills, Context};
use crate::lease::Lease;
use crate::outage::Outage;
use crate::packing::Packing;
use crate::registry::Registry;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_store::{Backfill, StoreError};

/// Time between two looks for a backfill.
const LOOK: Duration = Duration::from_secs(1);
/// Pages under way at once.
const PAGES: usize = 4;
/// The longest time that a page waits for live deliveries of its hook.
const COURTESY: Duration = Duration::from_secs(2);
/// Wait after a failure that says nothing of its own.
const PAUSE: Duration = Duration::from_secs(2);

/// The worker's part in backfills.
pub struct Backfilling {
    pub context: Arc<Context>,
    pub registry: Arc<Registry>,
    pub lease: Arc<Lease>,
    pub packing: Arc<Packing>,
    pub stop: CancellationToken,
}

/// A backfill that this worker has claimed, with what drives it.
struct Run<'a> {
    lease: i64,
    hook: &'a Hook,
    handler: &'a dyn Backfills,
    backfill: &'a Backfill,
}

/// Why a backfill is let go.
enum Pause {
    /// It is done, or no longer this worker's.
    Over,
    /// The handler could not do a page.
    Failed(HandlerError),
}

impl Backfilling {
    /// Works until the worker stops.
    pub async fn run(self) {
        let mut outage = Outage::default();
        while !self.stop.is_cancelled() {
            match self.stop.run_until_cancelled(self.work()).await {
                None => return,
                Some(Ok(true)) => outage.over(),
                Some(Ok(false)) => {
                    outage.over();
                    let _stopped = self.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await;
                }
                Some(Err(error)) => outage.wait(&error, &self.stop).await,
            }
        }
    }

    /// True when there was a backfill. Cancelled when the worker stops: what was not counted is seen again.
    async fn work(&self) -> Result<bool, StoreError> {
        let (store, lease) = (&self.context.store, self.lease.id());
        let Some(backfill) = store.bounded(store.claim_backfill(lease)).await? else {
            return Ok(false);
        };
        let Some(hook) = store.bounded(store.load_hook(backfill.hook_id)).await? else {
            return Ok(true);
        };
        let Some(handler) = self.registry.backfills(hook.handler()) else {
            let missing = format!(
                "this worker has no handler named {} that backfills",
                hook.handler()
            );
            let left = store.leave_backfill(lease, &backfill, PAUSE, Some(&missing));
            store.bounded(left).await?;
            return Ok(false);
        };
        tracing::info!(hook.id = %hook.id, hook.name = %hook.name, "a backfill goes on");
        let run = Run {
            lease,
            hook: &hook,
            handler,
            backfill: &backfill,
        };
        if let Pause::Failed(error) = self.go_through(&run).await? {
            tracing::warn!(hook.id = %hook.id, %error, "a backfill waits");
            let message = error.to_string();
            let left = store.leave_backfill(lease, &backfill, wait_after(&error), Some(&message));
            store.bounded(left).await?;
        }
        Ok(true)
    }

    /// Goes through the table, from where the backfill has come to.
    async fn go_through(&self, run: &Run<'_>) -> Result<Pause, StoreError> {
        if run.backfill.total.is_none() {
            match run.handler.count(&self.context, run.hook, run.backfill).await {
                Ok(counted) if self.keep_total(run, counted.total).await? => {}
                Ok(_) => return Ok(Pause::Over),
                Err(error) => return Ok(Pause::Failed(error)),
            }
        }
        let (store, context) = (&self.context.store, self.context.as_ref());
        let mut pages = FuturesOrdered::new();
        let mut after = Some(run.backfill.after.clone());
        loop {
            while pages.len() < PAGES
                && let Some(from) = &after
            {
                self.give_way(run.hook.id).await;
                let read = run.handler.read(context, run.hook, run.backfill, from.as_ref());
                match read.await {
                    Ok(rows) => {
                        after = rows.last.clone().map(Some);
                        pages.push_back(run.handler.run(context, run.hook, run.backfill, rows));
                    }
                    Err(error) => return Ok(Pause::Failed(error)),
                }
            }
            let page = match pages.next().await {
                None => return Ok(Pause::Over),
                Some(Ok(page)) => page,
                Some(Err(error)) => return Ok(Pause::Failed(error)),
            };
            let kept = store.advance_backfill(run.lease, run.backfill, &page);
            if !store.bounded(kept).await? {
                return Ok(Pause::Over);
            }
        }
    }

    /// False when the backfill is no longer this worker's.
    async fn keep_total(&self, run: &Run<'_>, total: i64) -> Result<bool, StoreError> {
        let store = &self.context.store;
        store
            .bounded(store.count_backfill(run.lease, run.backfill, total))
            .await
    }

    /// Waits while deliveries of the hook wait for their turn, but not for ever.
    async fn give_way(&self, hook: Uuid) {
        let _waited = tokio::time::timeout(COURTESY, self.packing.idle(hook)).await;
    }
}

fn wait_after(error: &HandlerError) -> Duration {
    match error {
        HandlerError::Deferred { after, .. } => *after,
        HandlerError::Transient { retry_after, .. } => retry_after.unwrap_or(PAUSE).max(PAUSE),
        HandlerError::Permanent { .. } => PAUSE * 30,
    }
}
