//! The deadlines of attempts on threads that may be blocked: a thread that is blocked keeps no deadline, so they are kept from here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::attempt::{Attempt, Attempts};
use crate::call::{GRACE, no_end};

/// How often deadlines are looked at.
const EVERY: Duration = Duration::from_millis(500);
/// What a handler on threads of its own gets beyond its grace, before its threads count as blocked.
const BLOCKED: Duration = Duration::from_millis(500);

/// The attempts that are watched. Those that have ended are forgotten at the next look, so that the end of one touches no other.
#[derive(Default)]
pub struct Deadlines(Mutex<Vec<(Instant, Arc<Attempt>)>>);

impl Deadlines {
    /// Watches attempts that begin now.
    pub fn watch<'a>(&self, attempts: impl Iterator<Item = &'a Arc<Attempt>>) {
        let now = Instant::now();
        self.lock().extend(attempts.map(|attempt| {
            let until = now + attempt.delivery.hook.policy.timeout + GRACE + BLOCKED;
            (until, Arc::clone(attempt))
        }));
    }

    fn overdue(&self, now: Instant) -> Vec<Arc<Attempt>> {
        let mut watched = self.lock();
        watched.retain(|(_, attempt)| !attempt.has_ended());
        watched
            .iter()
            .filter(|(until, _)| *until <= now)
            .map(|(_, attempt)| Arc::clone(attempt))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Instant, Arc<Attempt>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the attempts whose threads are blocked, until it is dropped.
pub async fn run(deadlines: Arc<Deadlines>, attempts: Arc<Attempts>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        for attempt in deadlines.overdue(Instant::now()) {
            attempts.end(&attempt, Err(no_end(&attempt.delivery)));
        }
    }
}
