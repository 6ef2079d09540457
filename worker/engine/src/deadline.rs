//! The deadlines of attempts on threads that may be blocked: a thread that is blocked keeps no deadline, so they are
//! kept from here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::attempt::{Attempt, Attempts};
use crate::handler_call::{GRACE, no_end};

/// Time between two looks at the deadlines.
const EVERY: Duration = Duration::from_millis(500);
/// Time beyond the grace before the threads of a handler count as blocked.
const BLOCKED: Duration = Duration::from_millis(500);

/// The attempts that are watched. Those that have ended are forgotten at the next look, so that the end of one
/// touches no other.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::testing::{Calls, executor, jobs, loaded};
    use zerodb_hooks_delivery::outcome::Done;

    #[tokio::test]
    async fn an_attempt_is_overdue_after_its_deadline_and_both_graces_unless_it_has_ended() {
        let (executor, _capacity, mut ends) = executor();
        let hook = loaded(Calls(async |_| Ok(Done::default())), None, 8);
        let attempts: Vec<_> = jobs::<Vec<Job>>(&hook, 2)
            .into_iter()
            .map(|job| executor.attempts.begin(job, None))
            .collect();
        let deadlines = Deadlines::default();
        deadlines.watch(attempts.iter());
        assert!(deadlines.overdue(Instant::now()).is_empty());
        executor.attempts.end(&attempts[0], Ok(Done::default()));
        let late = deadlines.overdue(Instant::now() + Duration::from_millis(1) + GRACE + BLOCKED);
        assert_eq!(late.iter().map(|one| one.delivery.id).collect::<Vec<_>>(), [2]);
        executor.attempts.end(&late[0], Err(no_end(&late[0].delivery)));
        executor.attempts.end(&late[0], Ok(Done::default()));
        assert_eq!(ends.take(2).await, [(1, "completed"), (2, "failed")]);
        assert!(ends.is_empty(), "the second end of an attempt counts no more");
    }
}
