//! Wires a worker together: connects, starts the tasks, and stops them in the order that loses nothing: first no new
//! work, then the running deliveries, then their outcomes, then the lease. The only place that starts tasks.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{
    Settings, Worker, WorkerError, backfill, completer, coverage, deferrals::Deferrals, executor, heartbeat,
    judge, maintenance, packing::Packing, pump, slots::Slots, watch::Watch,
};
use crate::{Context, Registry};
use zerodb_hooks_delivery::retry::Policy;
use zerodb_hooks_store::{Installation, Store, StoreError};

/// What the tasks of a worker share.
pub struct Shared {
    pub settings: Settings,
    pub store: Store,
    pub registry: Registry,
    pub context: Arc<Context>,
    pub slots: Slots,
    /// Deliveries that wait for company.
    pub packing: Packing,
    /// Attempts on threads that may be blocked.
    pub watch: Watch,
    /// Running deliveries.
    pub running: TaskTracker,
    /// Ended attempts on their way to the database.
    pub ended: mpsc::UnboundedSender<completer::Ended>,
    /// Told when a delivery was put back into the queue and falls due before the pump would look.
    pub requeued: Notify,
    /// Told when the dispatcher has left pairs to be decided.
    pub undecided: Notify,
    /// Which deferrals the log has been told.
    pub deferrals: Deferrals,
    /// Set when work is no longer taken.
    pub stop: CancellationToken,
    /// Set when the drain's time is over: what still runs is dropped.
    pub abandon: CancellationToken,
    lease: AtomicI64,
    /// Set when a claim may have been made whose answer never came.
    in_doubt: AtomicBool,
    installation: RwLock<Arc<Installation>>,
}

impl Shared {
    pub fn lease(&self) -> i64 {
        self.lease.load(Ordering::Acquire)
    }

    pub fn set_lease(&self, lease: i64) {
        self.lease.store(lease, Ordering::Release);
    }

    /// Stops renewing the lease: what was claimed under it, and nobody here knows of, comes back when it expires.
    pub fn doubt_lease(&self) {
        self.in_doubt.store(true, Ordering::Release);
    }

    /// Takes another lease if the present one is in doubt.
    pub async fn settle_lease(&self) -> Result<(), StoreError> {
        if self.in_doubt.load(Ordering::Acquire) {
            let lease = self
                .store
                .take_lease(&self.settings.name, self.settings.lease)
                .await?;
            self.set_lease(lease);
            self.in_doubt.store(false, Ordering::Release);
        }
        Ok(())
    }

    pub fn is_lease_in_doubt(&self) -> bool {
        self.in_doubt.load(Ordering::Acquire)
    }

    pub fn installation(&self) -> Arc<Installation> {
        Arc::clone(&self.installation.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn set_installation(&self, installation: Installation) {
        *self.installation.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(installation);
    }
}

pub async fn run(worker: Worker, stop: impl Future<Output = ()> + Send) -> Result<(), WorkerError> {
    tokio::pin!(stop);
    let (installation, lease) = tokio::select! {
        found = first_contact(&worker.store, &worker.settings) => found?,
        () = &mut stop => return Ok(()),
    };
    let (ended, outcomes) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared {
        context: Arc::new(Context {
            http: worker.http,
            providers: worker.providers,
            secrets: worker.secrets,
            store: worker.store.clone(),
            templates: worker.templates,
        }),
        watch: Watch::default(),
        slots: Slots::new(worker.settings.in_flight),
        packing: Packing::default(),
        settings: worker.settings,
        store: worker.store,
        registry: worker.registry,
        running: TaskTracker::new(),
        ended,
        requeued: Notify::new(),
        undecided: Notify::new(),
        deferrals: Deferrals::default(),
        stop: CancellationToken::new(),
        abandon: CancellationToken::new(),
        lease: AtomicI64::new(lease),
        in_doubt: AtomicBool::new(false),
        installation: RwLock::new(Arc::new(installation)),
    });
    tracing::info!(worker.name = %shared.settings.name, "the worker runs");

    let tasks = TaskTracker::new();
    let completing = tasks.spawn(completer::run(Arc::clone(&shared), outcomes));
    let beating = tasks.spawn(heartbeat::run(Arc::clone(&shared)));
    tasks.spawn(maintenance::run(Arc::clone(&shared)));
    tasks.spawn(coverage::run(Arc::clone(&shared)));
    tasks.spawn(judge::run(Arc::clone(&shared)));
    let backfilling = tasks.spawn(backfill::run(Arc::clone(&shared)));
    let watching = tasks.spawn(executor::watch(Arc::clone(&shared)));
    let (taken, starts) = mpsc::unbounded_channel();
    let starting = tasks.spawn(super::starter::run(Arc::clone(&shared), starts));
    let pumping = tasks.spawn(pump::run(Arc::clone(&shared), taken));
    stop.await;
    drain(&shared, [pumping, starting, backfilling], completing).await;
    // The process may live on: a worker that has ended leaves no task behind in it.
    beating.abort();
    watching.abort();
    Ok(())
}

async fn drain(
    shared: &Shared,
    taking: [tokio::task::JoinHandle<()>; 3],
    completing: tokio::task::JoinHandle<()>,
) {
    let drain = shared.settings.drain;
    tracing::info!(deliveries.running = shared.slots.in_flight(), "stopping");
    shared.stop.cancel();
    for task in taking {
        let _ended = task.await;
    }
    shared.running.close();
    if tokio::time::timeout(drain, shared.running.wait()).await.is_err() {
        tracing::warn!(
            deliveries.running = shared.slots.in_flight(),
            "the drain's time is over, giving back the rest"
        );
        shared.abandon.cancel();
    }
    // The completer ends by itself once every outcome is written; without a database it must not wait for ever.
    let _ended = shared.ended.send(completer::Ended::Close);
    let completer = completing.abort_handle();
    if tokio::time::timeout(drain.max(Duration::from_secs(1)), completing)
        .await
        .is_err()
    {
        completer.abort();
    }
    match tokio::time::timeout(Duration::from_secs(5), shared.store.release_lease(shared.lease())).await {
        Ok(Ok(given)) if given.deliveries > 0 => {
            tracing::info!(deliveries.returned = given.deliveries, "stopped")
        }
        Ok(Ok(_)) => tracing::info!("stopped"),
        _ => tracing::warn!("stopped without giving back the lease; it expires by itself"),
    }
}

/// Waits for the database, for ever, and takes the first lease.
async fn first_contact(store: &Store, settings: &Settings) -> Result<(Installation, i64), StoreError> {
    let mut outage = Outage::default();
    loop {
        let found = async {
            let installation = store.load_installation().await?;
            Ok::<_, StoreError>((
                installation,
                store.take_lease(&settings.name, settings.lease).await?,
            ))
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

/// A time without database: one log line at its start and one at its end, and a growing wait between tries.
#[derive(Default)]
pub struct Outage {
    tries: i32,
}

impl Outage {
    const BACKOFF: Policy = Policy {
        max_attempts: i32::MAX,
        base: Duration::from_millis(50),
        timeout: Duration::from_secs(1),
    };
    const LONGEST: Duration = Duration::from_secs(5);

    /// Waits before the next try, or until `stop`.
    pub async fn wait(&mut self, error: &StoreError, stop: &CancellationToken) {
        if self.tries == 0 {
            tracing::warn!(%error, "cannot work, trying again until it passes");
        }
        self.tries = self.tries.saturating_add(1);
        let wait = Self::BACKOFF
            .backoff(self.tries, rand::random())
            .min(Self::LONGEST);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => {}
        }
    }

    pub fn over(&mut self) {
        if self.tries > 0 {
            tracing::info!(tries = self.tries, "working again");
        }
        self.tries = 0;
    }
}
