//! One delivery in the executor's hands: before its attempt, during it, and the outcome that the completer gets.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::completer::Ended;
use super::executor::Turn;
use super::hooks::Known;
use super::runner::Shared;
use super::suspects::Alone;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::{Done, HandlerError, Outcome};
use zerodb_hooks_store::{Attempt, Place};

/// A delivery that is to be run.
pub struct Job {
    pub lease: i64,
    pub delivery: Arc<Delivery>,
    pub place: Place,
    pub known: Known,
    pub alone: Option<Alone>,
}

/// An attempt under way. Its turn ends with it.
pub struct Attempting {
    lease: i64,
    delivery: Arc<Delivery>,
    place: Place,
    started_at: Timestamp,
    started: Instant,
    _turn: Option<Turn>,
    _alone: Option<Alone>,
}

impl Job {
    pub fn begin(self, shared: &Shared, turn: Turn) -> Attempting {
        self.attempting(shared, Some(turn))
    }

    /// The turn is that of its pack.
    pub fn begin_in_pack(self, shared: &Shared) -> Attempting {
        self.attempting(shared, None)
    }

    /// Gives it back without an attempt.
    pub fn release(self, shared: &Shared) {
        self.attempting(shared, None).send(shared, Outcome::Released);
    }

    fn attempting(self, shared: &Shared, turn: Option<Turn>) -> Attempting {
        shared.slots.begin();
        Attempting {
            lease: self.lease,
            delivery: self.delivery,
            place: self.place,
            started_at: Timestamp::now(),
            started: Instant::now(),
            _turn: turn,
            _alone: self.alone,
        }
    }
}

impl Attempting {
    pub fn delivery(&self) -> &Arc<Delivery> {
        &self.delivery
    }

    /// Hands the outcome over; what failed is logged, without payload, and of what waits the first of each pause.
    pub fn end(self, shared: &Shared, result: Result<Done, HandlerError>) {
        let delivery = &self.delivery;
        let outcome = Outcome::of(result, &delivery.hook.policy, delivery.attempt, rand::random());
        if let Outcome::Deferred { retry_in, error } = &outcome {
            if shared.deferrals.begins_pause(delivery.hook.id, error, *retry_in) {
                tracing::info!(
                    hook.id = %delivery.hook.id,
                    hook.name = %delivery.hook.name,
                    delivery.id,
                    retry_in_ms = u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX),
                    error,
                    "deliveries are deferred"
                );
            }
        } else if let Some(error) = outcome.error() {
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
        self.send(shared, outcome);
    }

    fn send(self, shared: &Shared, outcome: Outcome) {
        let attempt = Attempt {
            delivery_id: self.delivery.id,
            place: self.place,
            epoch: self.delivery.epoch,
            started_at: self.started_at,
            duration: self.started.elapsed(),
            outcome,
        };
        // The completer outlives every running delivery.
        let _closed = shared.ended.send(Ended::Attempt {
            lease: self.lease,
            hook: self.delivery.hook.id,
            attempt,
        });
    }
}
