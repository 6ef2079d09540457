//! Runs one delivery: its turn within the hook's concurrency, its deadline, the barrier against panics. Decides nothing
//! about retries; `Outcome::of` does.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use jiff::Timestamp;

use super::completer::Ended;
use super::hooks::Known;
use super::runner::Shared;
use crate::delivery::Delivery;
use crate::handlers::{Context, Registered};
use crate::outcome::{Done, HandlerError, Outcome};
use crate::store::{Attempt, Place};

/// What a handler gets beyond its hook's deadline before it is dropped.
const GRACE: Duration = Duration::from_secs(1);

/// Runs the delivery and hands its outcome to the completer. A delivery that has not had its turn when the worker stops
/// is given back, uncharged.
pub async fn run(shared: Arc<Shared>, lease: i64, delivery: Delivery, place: Place, known: Known) {
    let registered = shared.registry.get(delivery.hook.handler());
    let turn = async {
        let of_hook = known.running.acquire().await;
        match registered {
            Some(registered) => (of_hook, Some(registered.turns.acquire().await)),
            None => (of_hook, None),
        }
    };
    let turn = tokio::select! {
        biased;
        turn = turn => turn,
        () = shared.stop.cancelled() => {
            return end(&shared, lease, &delivery, place, Timestamp::now(), Instant::now(), Outcome::Released);
        }
    };
    let (started_at, started) = (Timestamp::now(), Instant::now());
    let result = attempt(&shared.context, registered, &delivery).await;
    drop(turn);
    let outcome = Outcome::of(result, &delivery.hook.policy, delivery.attempt, rand::random());
    if let Some(error) = outcome.error() {
        tracing::warn!(
            delivery.id,
            delivery.attempt,
            hook.id = %delivery.hook.id,
            hook.name = %delivery.hook.name,
            event.id = %delivery.event.id,
            outcome = outcome.name(),
            error,
            "an attempt failed"
        );
    }
    end(&shared, lease, &delivery, place, started_at, started, outcome);
}

async fn attempt(
    context: &Context,
    registered: Option<&Registered>,
    delivery: &Delivery,
) -> Result<Done, HandlerError> {
    let Some(registered) = registered else {
        let name = delivery.hook.handler();
        return Err(HandlerError::transient(format!(
            "this worker has no handler named {name}"
        )));
    };
    // A handler that keeps the deadline itself knows better what it waited for.
    let timeout = delivery.hook.policy.timeout + GRACE;
    let run = AssertUnwindSafe(registered.handler.run(context, delivery)).catch_unwind();
    match tokio::time::timeout(timeout, run).await {
        Ok(Ok(result)) => result,
        Ok(Err(_panic)) => Err(HandlerError::transient("the handler panicked")),
        Err(_elapsed) => Err(HandlerError::transient(format!(
            "no end within {} ms",
            timeout.as_millis()
        ))),
    }
}

fn end(
    shared: &Shared,
    lease: i64,
    delivery: &Delivery,
    place: Place,
    started_at: Timestamp,
    started: Instant,
    outcome: Outcome,
) {
    let attempt = Attempt {
        delivery_id: delivery.id,
        place,
        epoch: delivery.epoch,
        started_at,
        duration: started.elapsed(),
        outcome,
    };
    // The completer outlives every running delivery.
    let _closed = shared.ended.send(Ended::Attempt {
        lease,
        hook: delivery.hook.id,
        attempt,
    });
}
