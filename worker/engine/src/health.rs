//! Notes in the database which hooks are failing and which have recovered, so that it is told once for all workers.
//! Hooks that fail for too long are switched off there. It never touches a delivery.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::streaks::Streaks;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::Outcome;
use zerodb_hooks_store::{FailingNote, Store, StoreError};

/// Time between two looks for hooks that have recovered. A completion is looked for in the second one after it, when it
/// is written.
const EVERY: Duration = Duration::from_secs(2);
/// The meta-event; deliveries of it do not count.
const META_EVENT: &str = "on_hook_failure";
/// Failing hooks that wait to be noted. What finds no room is noted at its next failures.
const WAITING: usize = 1000;

/// Ends of attempts, on their way to `Health`.
#[derive(Default)]
pub struct HealthNotes {
    streaks: Mutex<Streaks>,
    failing: Mutex<Vec<FailingNote>>,
    noted: Notify,
}

impl HealthNotes {
    /// Takes note of the end of an attempt. Locks for some steps.
    pub fn count(&self, delivery: &Delivery, outcome: &Outcome) {
        if delivery.event.event_type == META_EVENT {
            return;
        }
        let Some(failures) = locked(&self.streaks).count(delivery.hook.id, outcome) else {
            return;
        };
        let mut failing = locked(&self.failing);
        if failing.len() >= WAITING {
            return;
        }
        failing.push(FailingNote {
            hook: Arc::clone(&delivery.hook),
            delivery_id: delivery.id,
            failures,
            error: outcome.error().unwrap_or_default().to_owned(),
        });
        drop(failing);
        self.noted.notify_one();
    }

    fn take_failing(&self) -> Vec<FailingNote> {
        mem::take(&mut locked(&self.failing))
    }

    fn take_completed(&self) -> Vec<Uuid> {
        locked(&self.streaks).take_completed()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct Health {
    pub store: Store,
    pub notes: Arc<HealthNotes>,
    pub stop: CancellationToken,
}

impl Health {
    /// Works until the worker stops. What could not be noted is noted at the next failures, or the next success.
    pub async fn run(self) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut completed = Vec::new();
        loop {
            let noted = tokio::select! {
                _ = ticks.tick() => {
                    let before = mem::replace(&mut completed, self.notes.take_completed());
                    self.note_recovered(&before).await
                }
                () = self.notes.noted.notified() => self.note_failing().await,
                () = self.stop.cancelled() => return,
            };
            match noted {
                Err(error) if !error.is_passing() => {
                    tracing::warn!(%error, "the health of hooks could not be noted");
                }
                _ => {}
            }
        }
    }

    async fn note_recovered(&self, completed: &[Uuid]) -> Result<(), StoreError> {
        if completed.is_empty() {
            return Ok(());
        }
        let recovered = self.store.bounded(self.store.note_recovered(completed)).await?;
        if recovered > 0 {
            tracing::info!(hooks = recovered, "hooks have recovered");
        }
        Ok(())
    }

    async fn note_failing(&self) -> Result<(), StoreError> {
        for note in self.notes.take_failing() {
            let became = self.store.bounded(self.store.note_failing(&note)).await?;
            if let Some(became) = became {
                let (hook, failures) = (&note.hook, note.failures);
                tracing::warn!(hook.id = %hook.id, hook.name = %hook.name, failures, became, "a hook's attempts fail");
            }
        }
        Ok(())
    }
}
