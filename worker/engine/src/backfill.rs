//! Works through backfills, one at a time: claims one, drives its handler page by page, keeps its place. Live deliveries of the
//! same hook come first. It knows no handler's work.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;

use super::runner::{Outage, Shared};
use crate::Backfills;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_store::{Backfill, StoreError};

/// How often a backfill is looked for.
const LOOK: Duration = Duration::from_secs(1);
/// Pages under way at once.
const PAGES: usize = 4;
/// How long a page waits for live deliveries of its hook, at most.
const COURTESY: Duration = Duration::from_secs(2);
/// Wait after a failure that says nothing of its own.
const PAUSE: Duration = Duration::from_secs(2);

pub async fn run(shared: Arc<Shared>) {
    let mut outage = Outage::default();
    while !shared.stop.is_cancelled() {
        let worked = shared.stop.clone().run_until_cancelled_owned(work(&shared)).await;
        match worked {
            None => return,
            Some(Ok(true)) => outage.over(),
            Some(Ok(false)) => {
                outage.over();
                let _stopped = shared.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await;
            }
            Some(Err(error)) => outage.wait(&error, &shared.stop).await,
        }
    }
}

/// True when there was a backfill. Cancelled when the worker stops: what was not counted is seen again.
async fn work(shared: &Shared) -> Result<bool, StoreError> {
    let (store, lease) = (&shared.store, shared.lease());
    let Some(backfill) = store.bounded(store.claim_backfill(lease)).await? else {
        return Ok(false);
    };
    let Some(hook) = store.bounded(store.load_hook(backfill.hook_id)).await? else {
        return Ok(true);
    };
    let registered = shared.registry.get(hook.handler());
    let Some(handler) = registered.and_then(|registered| registered.handler.backfills()) else {
        let missing = format!(
            "this worker has no handler named {} that backfills",
            hook.handler()
        );
        let left = store.leave_backfill(lease, &backfill, PAUSE, Some(&missing));
        store.bounded(left).await?;
        return Ok(false);
    };
    tracing::info!(hook.id = %hook.id, hook.name = %hook.name, "a backfill goes on");
    match pages(shared, lease, &hook, handler, &backfill).await? {
        Ok(()) => {}
        Err(error) => {
            let wait = match &error {
                HandlerError::Deferred { after, .. } => *after,
                HandlerError::Transient { retry_after, .. } => retry_after.unwrap_or(PAUSE).max(PAUSE),
                HandlerError::Permanent { .. } => PAUSE * 30,
            };
            tracing::warn!(hook.id = %hook.id, %error, "a backfill waits");
            let message = error.to_string();
            let left = store.leave_backfill(lease, &backfill, wait, Some(&message));
            store.bounded(left).await?;
        }
    }
    Ok(true)
}

/// Goes through the table. The inner error is the handler's, at the page that it could not do.
async fn pages(
    shared: &Shared,
    lease: i64,
    hook: &Hook,
    handler: &dyn Backfills,
    backfill: &Backfill,
) -> Result<Result<(), HandlerError>, StoreError> {
    let (store, context) = (&shared.store, shared.context.as_ref());
    if backfill.total.is_none() {
        let total = match handler.count(context, hook, backfill).await {
            Ok(counted) => counted.total,
            Err(error) => return Ok(Err(error)),
        };
        if !store
            .bounded(store.count_backfill(lease, backfill, total))
            .await?
        {
            return Ok(Ok(()));
        }
    }
    let mut running = FuturesOrdered::new();
    let mut after = Some(backfill.after.clone());
    loop {
        while running.len() < PAGES
            && let Some(from) = &after
        {
            give_way(shared, hook).await;
            match handler.read(context, hook, backfill, from.as_ref()).await {
                Ok(rows) => {
                    after = rows.last.clone().map(Some);
                    running.push_back(handler.run(context, hook, backfill, rows));
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        let page = match running.next().await {
            None => return Ok(Ok(())),
            Some(Ok(page)) => page,
            Some(Err(error)) => return Ok(Err(error)),
        };
        if !store
            .bounded(store.advance_backfill(lease, backfill, &page))
            .await?
        {
            return Ok(Ok(()));
        }
    }
}

/// Waits while deliveries of the hook wait for their turn, but not for ever.
async fn give_way(shared: &Shared, hook: &Hook) {
    let idle = shared.packing.idle(hook.id);
    let _waited = tokio::time::timeout(COURTESY, idle).await;
}
