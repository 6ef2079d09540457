//! One call of a handler: its deadline, and the barrier against panics. Decides nothing about retries; `Outcome::of`
//! does.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use crate::attempt::{Attempt, Attempts};
use crate::attempt_span;
use crate::handler::{Context, Handler};
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};

/// Time beyond the hook's deadline before a handler is dropped. One that keeps the deadline itself knows better what
/// it waited for.
pub const GRACE: Duration = Duration::from_secs(1);

/// The attempts that a call of the handler is to make.
pub enum HandlerCall {
    Single(Arc<Attempt>),
    /// Attempts of one version of one hook, and whatever is held until the call has ended.
    Pack {
        attempts: Vec<Arc<Attempt>>,
        _held: Box<dyn Any + Send>,
    },
}

impl HandlerCall {
    pub fn pack(attempts: Vec<Arc<Attempt>>, held: impl Send + 'static) -> Self {
        Self::Pack {
            attempts,
            _held: Box::new(held),
        }
    }

    pub fn attempts(&self) -> &[Arc<Attempt>] {
        match self {
            Self::Single(attempt) => slice::from_ref(attempt),
            Self::Pack { attempts, .. } => attempts,
        }
    }

    /// Calls the handler and ends the attempts.
    pub async fn run(self, handler: &dyn Handler, context: &Context, ends: &Attempts) {
        match self {
            Self::Single(attempt) => {
                let run = run_single(handler, context, &attempt.delivery);
                let result = attempt_span::of_single(context.tracer.as_ref(), &attempt.delivery, run).await;
                ends.end(&attempt, result);
            }
            Self::Pack { attempts, _held } => {
                let deliveries: Vec<_> = attempts
                    .iter()
                    .map(|attempt| Arc::clone(&attempt.delivery))
                    .collect();
                let run = run_pack(handler, context, &deliveries);
                let results = attempt_span::of_pack(context.tracer.as_ref(), &deliveries, run).await;
                for (attempt, result) in attempts.iter().zip(results) {
                    ends.end(attempt, result);
                }
            }
        }
    }
}

async fn run_single(
    handler: &dyn Handler,
    context: &Context,
    delivery: &Delivery,
) -> Result<Done, HandlerError> {
    let run = AssertUnwindSafe(handler.run(context, delivery)).catch_unwind();
    match tokio::time::timeout(delivery.hook.policy.timeout + GRACE, run).await {
        Ok(Ok(result)) => result,
        Ok(Err(_panic)) => Err(panicked()),
        Err(_elapsed) => Err(no_end(delivery)),
    }
}

/// One result for each delivery. One that the handler leaves out counts as its failure.
async fn run_pack(
    handler: &dyn Handler,
    context: &Context,
    deliveries: &[Arc<Delivery>],
) -> Vec<Result<Done, HandlerError>> {
    let Some(first) = deliveries.first() else {
        return Vec::new();
    };
    let run = AssertUnwindSafe(handler.run_pack(context, deliveries)).catch_unwind();
    let mut results = match tokio::time::timeout(first.hook.policy.timeout + GRACE, run).await {
        Ok(Ok(results)) => results,
        Ok(Err(_panic)) => deliveries.iter().map(|_| Err(panicked())).collect(),
        Err(_elapsed) => deliveries.iter().map(|one| Err(no_end(one))).collect(),
    };
    results.resize_with(deliveries.len(), || {
        Err(HandlerError::transient("the handler gave no result"))
    });
    results
}

fn panicked() -> HandlerError {
    HandlerError::transient("the handler panicked")
}

/// The error of an attempt whose deadline has passed.
pub fn no_end(delivery: &Delivery) -> HandlerError {
    let waited = delivery.hook.policy.timeout + GRACE;
    HandlerError::transient(format!("no end within {} ms", waited.as_millis()))
}
