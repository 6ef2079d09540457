//! Lets jobs run one by one within the concurrency of their hook and handler: at once where there are permits, else in turn. For handlers
//! that take packs `packing.rs` does the same.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::call::Call;
use crate::executor::Executor;
use crate::hooks::LoadedHook;
use crate::job::Job;
use crate::permit::Permit;

/// Deliveries that one task begins.
const BEGUN_AT_ONCE: usize = 32;

#[derive(Clone)]
pub struct Admission {
    pub executor: Arc<Executor>,
    pub stop: CancellationToken,
}

impl Admission {
    /// Begins the jobs of one hook that get a permit at once. One task waits for the permits of all the others: a task for each costs
    /// more than what most of them do. A job that has none when the worker stops is given back, uncharged.
    pub fn admit(&self, loaded: &Arc<LoadedHook>, mut jobs: VecDeque<Job>) {
        loop {
            let mut calls = Vec::new();
            self.fill(loaded, &mut jobs, &mut calls);
            if calls.is_empty() {
                break;
            }
            self.executor.launch(&loaded.registered, calls);
        }
        if !jobs.is_empty() {
            let task = self.clone().admit_in_turn(Arc::clone(loaded), jobs);
            self.executor.spawn(task);
        }
    }

    async fn admit_in_turn(self, loaded: Arc<LoadedHook>, mut jobs: VecDeque<Job>) {
        while let Some(job) = jobs.pop_front() {
            let attempts = &self.executor.attempts;
            let Some(permit) = Permit::take(&loaded, &self.stop).await else {
                attempts.release(job);
                return jobs.into_iter().for_each(|job| attempts.release(job));
            };
            let mut calls = vec![Call::Single(attempts.begin(job, Some(permit)))];
            self.fill(&loaded, &mut jobs, &mut calls);
            self.executor.launch(&loaded.registered, calls);
        }
    }

    /// Moves jobs that get a permit now, while one task can begin them.
    fn fill(&self, loaded: &LoadedHook, jobs: &mut VecDeque<Job>, calls: &mut Vec<Call>) {
        while calls.len() < BEGUN_AT_ONCE
            && !jobs.is_empty()
            && let Some(permit) = Permit::try_take(loaded)
            && let Some(job) = jobs.pop_front()
        {
            calls.push(Call::Single(self.executor.attempts.begin(job, Some(permit))));
        }
    }
}
