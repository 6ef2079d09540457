//! Attempts: how one begins, and how its end gets to the completer, once. What failed is logged here, without payload.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::capacity::Capacity;
use crate::deferrals::Deferrals;
use crate::health::HealthNotes;
use crate::job::{Alone, Job};
use crate::permit::Permit;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::{Done, HandlerError, Outcome};
use zerodb_hooks_metrics::{GivenUp, HookMeter, Meters};
use zerodb_hooks_store::{Claimed, EndedAttempt, Stored};

/// An attempt under way. It may be ended from several sides; the first one counts.
pub struct Attempt {
    pub delivery: Arc<Delivery>,
    open: Mutex<Option<OpenAttempt>>,
}

/// The part of an attempt that its end takes. The permit is given back with it.
struct OpenAttempt {
    lease: i64,
    stored: Stored,
    started_at: Timestamp,
    started: Instant,
    meter: Arc<HookMeter>,
    _permit: Option<Permit>,
    _alone: Option<Alone>,
}

/// A message to the completer.
pub enum Message {
    Ended {
        lease: i64,
        attempt: EndedAttempt,
    },
    /// No delivery runs any more.
    Close,
}

impl Attempt {
    pub fn has_ended(&self) -> bool {
        self.lock().is_none()
    }

    fn take(&self) -> Option<OpenAttempt> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<OpenAttempt>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins attempts and hands their ends to the completer.
pub struct Attempts {
    capacity: Arc<Capacity>,
    completer: UnboundedSender<Message>,
    deferrals: Deferrals,
    pub health: Arc<HealthNotes>,
    meters: Arc<Meters>,
}

impl Attempts {
    /// The second part is for the completer.
    pub fn new(capacity: Arc<Capacity>, meters: Arc<Meters>) -> (Self, UnboundedReceiver<Message>) {
        let (completer, messages) = mpsc::unbounded_channel();
        let attempts = Self {
            capacity,
            completer,
            deferrals: Deferrals::default(),
            health: Arc::default(),
            meters,
        };
        (attempts, messages)
    }

    /// Begins an attempt; a job of a pack has no permit of its own.
    pub fn begin(&self, job: Job, permit: Option<Permit>) -> Arc<Attempt> {
        self.capacity.begin();
        Arc::new(Attempt {
            open: Mutex::new(Some(OpenAttempt {
                lease: job.lease,
                stored: job.stored,
                started_at: Timestamp::now(),
                started: Instant::now(),
                meter: Arc::clone(&job.loaded.meter),
                _permit: permit,
                _alone: job.alone,
            })),
            delivery: job.delivery,
        })
    }

    /// Ends an attempt. Of one that has ended the result counts no more.
    pub fn end(&self, attempt: &Attempt, result: Result<Done, HandlerError>) {
        let delivery = &attempt.delivery;
        let is_permanent = matches!(result, Err(HandlerError::Permanent { .. }));
        self.end_as(attempt, || {
            let outcome = Outcome::of(result, &delivery.hook.policy, delivery.attempt, rand::random());
            if matches!(outcome, Outcome::Discarded { .. }) {
                self.meters.gave_up(match is_permanent {
                    true => GivenUp::Permanent,
                    false => GivenUp::Exhausted,
                });
            }
            self.log(delivery, &outcome);
            self.health.count(delivery, &outcome);
            outcome
        });
    }

    /// Gives a job back without an attempt.
    pub fn release(&self, job: Job) {
        self.end_as(&self.begin(job, None), || Outcome::Released);
    }

    fn end_as(&self, attempt: &Attempt, outcome: impl FnOnce() -> Outcome) {
        let Some(OpenAttempt {
            lease,
            stored,
            started_at,
            started,
            meter,
            _permit,
            _alone,
        }) = attempt.take()
        else {
            return;
        };
        let delivery = &attempt.delivery;
        let ended = EndedAttempt {
            delivery_id: delivery.id,
            hook_id: delivery.hook.id,
            stored,
            epoch: delivery.epoch,
            started_at,
            duration: started.elapsed(),
            outcome: outcome(),
        };
        count(&meter, delivery, &ended);
        self.send(lease, ended);
    }

    /// Ends a delivery that cannot be run.
    pub fn end_unrun(&self, lease: i64, claimed: Claimed, outcome: Outcome) {
        self.capacity.begin();
        if matches!(outcome, Outcome::Discarded { .. }) {
            self.meters.gave_up(GivenUp::NotRun);
        }
        self.send(
            lease,
            EndedAttempt {
                delivery_id: claimed.id,
                hook_id: claimed.hook_id,
                stored: claimed.stored,
                epoch: claimed.epoch,
                started_at: Timestamp::now(),
                duration: Duration::ZERO,
                outcome,
            },
        );
    }

    /// Tells the completer that no delivery runs any more.
    pub fn close(&self) {
        let _ended = self.completer.send(Message::Close);
    }

    fn send(&self, lease: i64, attempt: EndedAttempt) {
        // The completer outlives every running delivery.
        let _closed = self.completer.send(Message::Ended { lease, attempt });
    }

    /// Logs a failure, and the first deferral of each pause.
    fn log(&self, delivery: &Delivery, outcome: &Outcome) {
        if let Outcome::Deferred { retry_in, error } = outcome {
            if self.deferrals.begins_pause(delivery.hook.id, error, *retry_in) {
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
    }
}

/// Counts an attempt that ended, and for the first one of a delivery how long its event had waited. Both clocks are
/// read: where the server's is ahead of this machine's, the event has not waited.
fn count(meter: &HookMeter, delivery: &Delivery, ended: &EndedAttempt) {
    let trace = delivery.event.trace_id();
    let is_tried = !matches!(ended.outcome, Outcome::Deferred { .. } | Outcome::Released);
    if delivery.attempt == 1 && is_tried {
        let lag = ended.started_at.duration_since(delivery.event.created_at);
        meter.began(Duration::try_from(lag).unwrap_or_default(), trace);
    }
    meter.ended(&ended.outcome, ended.duration, trace);
}
