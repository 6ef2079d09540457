//! Runs calls of handlers, on the worker's threads or on the handler's own. Who may run, and when, is decided before (`admission.rs`,
//! `packing.rs`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::attempt::Attempts;
use crate::call::Call;
use crate::deadline::Deadlines;
use crate::handler::{Context, Handler};
use crate::registry::Registered;

/// How long one task goes on beginning calls itself. A handler that computes for longer has a task for each.
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
    pub fn launch(self: &Arc<Self>, registered: &Registered, calls: Vec<Call>) {
        let handler = Arc::clone(&registered.handler);
        let Some(threads) = &registered.threads else {
            self.running.spawn(Arc::clone(self).begin(handler, calls));
            return;
        };
        self.deadlines.watch(calls.iter().flat_map(Call::attempts));
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
    async fn begin(self: Arc<Self>, handler: Arc<dyn Handler>, calls: Vec<Call>) {
        let since = Instant::now();
        for call in calls {
            let mut run = Box::pin(Arc::clone(&self).run(Arc::clone(&handler), call));
            if since.elapsed() < BEGINNING && (&mut run).now_or_never().is_some() {
                continue;
            }
            self.spawn(run);
        }
    }

    async fn run(self: Arc<Self>, handler: Arc<dyn Handler>, call: Call) {
        call.run(handler.as_ref(), &self.context, &self.attempts).await;
    }
}
