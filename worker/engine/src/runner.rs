//! Wires a worker together: connects, starts the tasks, and stops them in the order that loses nothing: first no new
//! work, then the running deliveries, then their outcomes, then the lease. The only place that starts tasks of the
//! worker; those of deliveries are the executor's.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::deadline;
use crate::error::WorkerError;
use crate::handler::Context;
use crate::lease::Lease;
use crate::outage::Outage;
use crate::readiness::Readiness;
use crate::registry::Registry;
use crate::settings::Settings;
use crate::worker_parts::WorkerParts;
use zerodb_hooks_metrics::Meters;
use zerodb_hooks_store::{Installation, Store, StoreError};

/// Time to give the lease back at the end.
const RELEASE: Duration = Duration::from_secs(5);
/// The least time for the last outcomes, whatever the drain's is.
const LEAST_COMPLETING: Duration = Duration::from_secs(1);

/// A worker that is ready to run.
pub struct Worker {
    context: Context,
    registry: Registry,
    settings: Settings,
    readiness: Arc<Readiness>,
}

impl Worker {
    pub(crate) fn new(context: Context, registry: Registry, settings: Settings) -> Self {
        Self {
            readiness: Arc::new(Readiness::new(settings.lease)),
            context,
            registry,
            settings,
        }
    }

    /// What this worker counts.
    pub fn meters(&self) -> Arc<Meters> {
        Arc::clone(&self.context.meters)
    }

    /// Whether this worker lives and takes work.
    pub fn readiness(&self) -> Arc<Readiness> {
        Arc::clone(&self.readiness)
    }

    /// Runs for ever.
    ///
    /// # Errors
    /// At the start, when the extension is missing, of another version, or closed to the worker's role. A database that
    /// is not available is waited for, at the start and later.
    pub async fn run(self) -> Result<(), WorkerError> {
        self.run_until(std::future::pending()).await
    }

    /// Runs until `stop` is ready, then lets running deliveries end within `Settings::drain`.
    ///
    /// # Errors
    /// As for `run`.
    pub async fn run_until(self, stop: impl Future<Output = ()> + Send) -> Result<(), WorkerError> {
        tokio::pin!(stop);
        // A task, so that it stops when the threads of the runtime do.
        let _beating = AbortOnDropHandle::new(TaskTracker::new().spawn(self.readiness().beats()));
        let (installation, lease) = tokio::select! {
            found = first_contact(&self.context.store, &self.settings) => found?,
            () = &mut stop => return Ok(()),
        };
        tracing::info!(worker.name = %self.settings.name, "the worker runs");
        let running = Running::start(self, installation, lease);
        stop.await;
        running.drain().await;
        Ok(())
    }
}

/// Waits for the database, for ever, and takes the first lease.
async fn first_contact(store: &Store, settings: &Settings) -> Result<(Installation, Lease), StoreError> {
    let mut outage = Outage::default();
    loop {
        let found = async {
            let installation = store.load_installation().await?;
            let lease = Lease::take(store, &settings.name, settings.lease).await?;
            Ok::<_, StoreError>((installation, lease))
        };
        match found.await {
            Ok(found) => {
                outage.over();
                return Ok(found);
            }
            Err(error) if error.is_passing() => outage.wait(&error, &CancellationToken::new()).await,
            Err(error) => return Err(error),
        }
    }
}

/// A worker that runs, with its tasks in the order in which they end.
struct Running {
    parts: WorkerParts,
    /// The tasks that start deliveries.
    taking: [JoinHandle<()>; 3],
    completing: JoinHandle<()>,
    /// The tasks that go on until all has ended: heartbeat and deadlines.
    lasting: [JoinHandle<()>; 2],
}

impl Running {
    fn start(worker: Worker, installation: Installation, lease: Lease) -> Self {
        let (changed, installation) = watch::channel(Arc::new(installation));
        let (parts, messages) = WorkerParts::new(
            worker.settings,
            worker.context,
            worker.registry,
            lease,
            Arc::clone(&worker.readiness),
            installation,
        );
        parts.watch_in_flight();
        let tasks = TaskTracker::new();
        let (claims, claimed) = mpsc::unbounded_channel();
        let deadlines = deadline::run(
            Arc::clone(&parts.executor.deadlines),
            Arc::clone(&parts.executor.attempts),
        );
        let completing = tasks.spawn(parts.completer().run(messages));
        let lasting = [
            tasks.spawn(parts.heartbeat().run(parts.settings.lease)),
            tasks.spawn(deadlines),
        ];
        tasks.spawn(parts.maintenance(changed).run());
        tasks.spawn(parts.coverage().run());
        tasks.spawn(parts.health().run());
        tasks.spawn(parts.judge().run());
        if let Some(every) = parts.settings.sample {
            tasks.spawn(parts.sampling().run(every));
        }
        worker.readiness.started();
        let taking = [
            tasks.spawn(parts.dispatcher(claims).run()),
            tasks.spawn(parts.starter().run(claimed)),
            tasks.spawn(parts.backfilling().run()),
        ];
        Self {
            parts,
            taking,
            completing,
            lasting,
        }
    }

    async fn drain(self) {
        let Self {
            parts,
            taking,
            completing,
            lasting,
        } = self;
        let (executor, drain) = (&parts.executor, parts.settings.drain);
        tracing::info!(deliveries.running = parts.capacity.in_flight(), "stopping");
        parts.stopping();
        for task in taking {
            let _ended = task.await;
        }
        if tokio::time::timeout(drain, executor.wait()).await.is_err() {
            tracing::warn!(
                deliveries.running = parts.capacity.in_flight(),
                "the drain's time is over, giving back the rest"
            );
            executor.abandon();
        }
        // The completer ends by itself once every outcome is written; without a database it must not wait for ever.
        executor.attempts.close();
        let completer = completing.abort_handle();
        let written = tokio::time::timeout(drain.max(LEAST_COMPLETING), completing);
        if written.await.is_err() {
            completer.abort();
        }
        release(&parts.lease).await;
        // The process may live on: a worker that has ended leaves no task behind in it.
        lasting.iter().for_each(JoinHandle::abort);
    }
}

async fn release(lease: &Lease) {
    match tokio::time::timeout(RELEASE, lease.release()).await {
        Ok(Ok(given)) if given.deliveries > 0 => {
            tracing::info!(deliveries.returned = given.deliveries, "stopped")
        }
        Ok(Ok(_)) => tracing::info!("stopped"),
        _ => tracing::warn!("stopped without giving back the lease; it expires by itself"),
    }
}
