//! Lets jobs run one by one within the concurrency of their hook and handler: at once where there are permits, else
//! in turn. For handlers that take packs `packing.rs` does the same.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::executor::Executor;
use crate::handler_call::HandlerCall;
use crate::hooks::LoadedHook;
use crate::job::Job;
use crate::permit::Permit;

/// Deliveries that one task begins.
const BEGUN_AT_ONCE: usize = 32;

#[derive(Clone)]
pub struct Singles {
    pub executor: Arc<Executor>,
    pub stop: CancellationToken,
}

impl Singles {
    /// Begins the jobs of one hook that get a permit at once. One task waits for the permits of all the others: a
    /// task for each costs more than what most of them do. A job that has none when the worker stops is given back,
    /// uncharged.
    pub fn add(&self, loaded: &Arc<LoadedHook>, mut jobs: VecDeque<Job>) {
        loop {
            let mut calls = Vec::new();
            self.fill(loaded, &mut jobs, &mut calls);
            if calls.is_empty() {
                break;
            }
            self.executor.launch(&loaded.registered, calls);
        }
        if !jobs.is_empty() {
            let task = self.clone().add_in_turn(Arc::clone(loaded), jobs);
            self.executor.spawn(task);
        }
    }

    async fn add_in_turn(self, loaded: Arc<LoadedHook>, mut jobs: VecDeque<Job>) {
        while let Some(job) = jobs.pop_front() {
            let attempts = &self.executor.attempts;
            let Some(permit) = Permit::take(&loaded, &self.stop).await else {
                attempts.release(job);
                return jobs.into_iter().for_each(|job| attempts.release(job));
            };
            let mut calls = vec![HandlerCall::Single(attempts.begin(job, Some(permit)))];
            self.fill(&loaded, &mut jobs, &mut calls);
            self.executor.launch(&loaded.registered, calls);
        }
    }

    /// Moves jobs that get a permit now, while one task can begin them.
    fn fill(&self, loaded: &LoadedHook, jobs: &mut VecDeque<Job>, calls: &mut Vec<HandlerCall>) {
        while calls.len() < BEGUN_AT_ONCE
            && !jobs.is_empty()
            && let Some(permit) = Permit::try_take(loaded)
            && let Some(job) = jobs.pop_front()
        {
            calls.push(HandlerCall::Single(
                self.executor.attempts.begin(job, Some(permit)),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;
    use crate::testing::{Calls, Ends, executor, jobs, loaded};
    use zerodb_hooks_delivery::outcome::Done;

    fn singles() -> (Singles, Ends) {
        let (executor, _capacity, ends) = executor();
        let stop = CancellationToken::new();
        (Singles { executor, stop }, ends)
    }

    #[tokio::test]
    async fn no_more_run_at_once_than_the_hook_allows_and_all_have_their_turn() {
        let (singles, mut ends) = singles();
        let running = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let counted = Arc::clone(&running);
        let handler = Calls(move |_| {
            let counted = Arc::clone(&counted);
            async move {
                let (now, most) = &*counted;
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(Done::default())
            }
        });
        let hook = loaded(handler, None, 2);
        singles.add(&hook, jobs(&hook, 70));
        assert!(
            ends.take(70)
                .await
                .iter()
                .all(|(_, outcome)| *outcome == "completed")
        );
        assert_eq!(running.1.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn what_has_no_turn_when_the_worker_stops_is_given_back() {
        let (singles, mut ends) = singles();
        let gate = Arc::new(Semaphore::new(0));
        let held = Arc::clone(&gate);
        let handler = Calls(move |_| {
            let held = Arc::clone(&held);
            async move {
                let _permit = held.acquire().await;
                Ok(Done::default())
            }
        });
        let hook = loaded(handler, None, 1);
        singles.add(&hook, jobs(&hook, 3));
        singles.stop.cancel();
        assert_eq!(ends.take(2).await, [(2, "released"), (3, "released")]);
        gate.add_permits(1);
        assert_eq!(ends.take(1).await, [(1, "completed")]);
    }
}
