//! Runs calls of handlers, on the worker's threads or on the handler's own. Who may run, and when, is decided before
//! (`singles.rs`, `packing.rs`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::attempt::Attempts;
use crate::deadline::Deadlines;
use crate::handler::{Context, Handler};
use crate::handler_call::HandlerCall;
use crate::registry::Registered;

/// Time for which one task begins calls itself. A handler that computes for longer has a task for each.
const BEGINNING: Duration = Duration::from_millis(1);

/// The tasks of running deliveries.
pub struct Executor {
    pub context: Arc<Context>,
    pub attempts: Arc<Attempts>,
    pub deadlines: Arc<Deadlines>,
    running: TaskTracker,
    /// Set when the drain's time is over.
    abandoned: CancellationToken,
}

impl Executor {
    pub fn new(context: Arc<Context>, attempts: Arc<Attempts>) -> Self {
        Self {
            context,
            attempts,
            deadlines: Arc::default(),
            running: TaskTracker::new(),
            abandoned: CancellationToken::new(),
        }
    }

    /// Starts calls of a handler. On threads that may be blocked their deadlines are kept from outside.
    pub fn launch(self: &Arc<Self>, registered: &Registered, calls: Vec<HandlerCall>) {
        let handler = Arc::clone(&registered.handler);
        let Some(threads) = &registered.threads else {
            self.running.spawn(Arc::clone(self).begin(handler, calls));
            return;
        };
        self.deadlines.watch(calls.iter().flat_map(HandlerCall::attempts));
        threads.spawn(&self.running, Arc::clone(self).begin(handler, calls));
    }

    /// Starts a task that is dropped when the drain's time is over.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let abandoned = self.abandoned.clone();
        self.running.spawn(abandoned.run_until_cancelled_owned(task));
    }

    /// Waits until nothing runs. Nothing may be started any more but by what runs.
    pub async fn wait(&self) {
        self.running.close();
        self.running.wait().await;
    }

    /// Drops what still runs.
    pub fn abandon(&self) {
        self.abandoned.cancel();
    }

    /// Polls each call once. Most need no second time; the others get tasks of their own.
    async fn begin(self: Arc<Self>, handler: Arc<dyn Handler>, calls: Vec<HandlerCall>) {
        let since = Instant::now();
        for call in calls {
            let mut run = Box::pin(Arc::clone(&self).run(Arc::clone(&handler), call));
            if since.elapsed() < BEGINNING && (&mut run).now_or_never().is_some() {
                continue;
            }
            self.spawn(run);
        }
    }

    async fn run(self: Arc<Self>, handler: Arc<dyn Handler>, call: HandlerCall) {
        call.run(handler.as_ref(), &self.context, &self.attempts).await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use async_trait::async_trait;

    use super::*;
    use crate::hooks::LoadedHook;
    use crate::job::Job;
    use crate::testing::{Calls, executor, jobs, loaded};
    use zerodb_hooks_delivery::delivery::Delivery;
    use zerodb_hooks_delivery::outcome::{Done, HandlerError};

    fn singles(executor: &Executor, hook: &Arc<LoadedHook>, count: i64) -> Vec<HandlerCall> {
        jobs::<Vec<Job>>(hook, count)
            .into_iter()
            .map(|job| HandlerCall::Single(executor.attempts.begin(job, None)))
            .collect()
    }

    #[tokio::test]
    async fn a_panic_and_a_missed_deadline_are_failures_of_their_own_attempts_only() {
        let (executor, _capacity, mut ends) = executor();
        let handler = Calls(async |delivery: Arc<Delivery>| match delivery.id {
            1 => panic!("on purpose"),
            2 => pending().await,
            3 => {
                tokio::task::yield_now().await;
                Ok(Done::default())
            }
            _ => Ok(Done::default()),
        });
        let hook = loaded(handler, None, 8);
        executor.launch(&hook.registered, singles(&executor, &hook, 4));
        let expected = [(1, "failed"), (2, "failed"), (3, "completed"), (4, "completed")];
        assert_eq!(ends.take(4).await, expected);
    }

    #[tokio::test]
    async fn what_runs_when_the_drain_is_over_is_dropped_without_an_end() {
        let (executor, _capacity, mut ends) = executor();
        let hook = loaded(Calls(async |_| pending().await), None, 8);
        executor.launch(&hook.registered, singles(&executor, &hook, 3));
        executor.abandon();
        executor.wait().await;
        assert!(ends.is_empty());
    }

    /// Answers only for the first delivery of a pack, or panics.
    struct Packs {
        panics: bool,
    }

    #[async_trait]
    impl Handler for Packs {
        async fn run(&self, _context: &Context, _delivery: &Delivery) -> Result<Done, HandlerError> {
            Err(HandlerError::permanent("called for one"))
        }

        async fn run_pack(
            &self,
            _context: &Context,
            _deliveries: &[Arc<Delivery>],
        ) -> Vec<Result<Done, HandlerError>> {
            assert!(!self.panics, "on purpose");
            vec![Ok(Done::default())]
        }
    }

    async fn ends_of_pack(panics: bool) -> Vec<(i64, &'static str)> {
        let (executor, _capacity, mut ends) = executor();
        let hook = loaded(Packs { panics }, None, 8);
        let attempts = jobs::<Vec<Job>>(&hook, 2)
            .into_iter()
            .map(|job| executor.attempts.begin(job, None))
            .collect();
        executor.launch(&hook.registered, vec![HandlerCall::pack(attempts, ())]);
        ends.take(2).await
    }

    #[tokio::test]
    async fn a_pack_is_one_call_in_which_a_missing_result_is_a_failure_and_a_panic_everybodys() {
        assert_eq!(ends_of_pack(false).await, [(1, "completed"), (2, "failed")]);
        assert_eq!(ends_of_pack(true).await, [(1, "failed"), (2, "failed")]);
    }
}
