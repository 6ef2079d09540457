//! Runs one delivery: its turn within the hook's concurrency, its deadline, the barrier against panics. Decides nothing
//! about retries; `Outcome::of` does.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::completer::Ended;
use super::hooks::Known;
use super::runner::Shared;
use crate::delivery::Delivery;
use crate::handlers::{Context, Handler, Registered, Threads};
use crate::outcome::{Done, HandlerError, Outcome};
use crate::store::{Attempt, Place};

/// What a handler gets beyond its hook's deadline before it is dropped.
const GRACE: Duration = Duration::from_secs(1);
/// What a handler on threads of its own gets beyond that, before its threads count as blocked.
const BLOCKED: Duration = Duration::from_millis(500);

/// A delivery that is to be run.
pub struct Job {
    pub lease: i64,
    pub delivery: Arc<Delivery>,
    pub place: Place,
    pub known: Known,
}

/// The right to run: one of the hook's, and one of the handler's.
type Turn = (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>);

/// An attempt under way. Its turn ends with it.
pub struct Attempting {
    lease: i64,
    delivery: Arc<Delivery>,
    place: Place,
    started_at: Timestamp,
    started: Instant,
    _turn: Turn,
}

/// Starts a task for each delivery that runs it and hands its outcome to the completer. A delivery that has not had its
/// turn when the worker stops is given back, uncharged.
pub fn start(shared: &Arc<Shared>, jobs: Vec<Job>) {
    let mut launches: Vec<(Isolated, Vec<(Job, Turn)>)> = Vec::new();
    for job in jobs {
        let registered = shared.registry.get(job.delivery.hook.handler());
        let turns = registered.map(|registered| Arc::clone(&registered.turns));
        let Some(isolated) = registered.and_then(Isolated::of) else {
            spawn(shared, run(Arc::clone(shared), job, turns));
            continue;
        };
        match try_turn(&job, turns.as_ref()) {
            None => spawn(shared, launch_in_turn(Arc::clone(shared), job, turns, isolated)),
            Some(turn) => match launches.last_mut() {
                Some((last, batch)) if last.is_same(&isolated) => batch.push((job, turn)),
                _ => launches.push((isolated, vec![(job, turn)])),
            },
        }
    }
    for (isolated, batch) in launches {
        launch(shared, isolated, batch);
    }
}

/// A handler with threads of its own.
struct Isolated {
    threads: Arc<Threads>,
    handler: Arc<dyn Handler>,
}

impl Isolated {
    fn of(registered: &Registered) -> Option<Self> {
        Some(Self {
            threads: registered.threads.clone()?,
            handler: Arc::clone(&registered.handler),
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.threads, &other.threads)
    }
}

fn spawn(shared: &Shared, task: impl Future<Output = ()> + Send + 'static) {
    let abandon = shared.abandon.clone();
    shared.running.spawn(abandon.run_until_cancelled_owned(task));
}

/// For handlers that never block.
async fn run(shared: Arc<Shared>, job: Job, turns: Option<Arc<Semaphore>>) {
    let Some((job, turn)) = turn(&shared, job, turns).await else {
        return;
    };
    let attempting = job.begin(turn);
    let delivery = &attempting.delivery;
    let result = match shared.registry.get(delivery.hook.handler()) {
        Some(registered) => attempt(&shared.context, registered.handler.as_ref(), delivery).await,
        None => Err(HandlerError::transient(format!(
            "this worker has no handler named {}",
            delivery.hook.handler()
        ))),
    };
    attempting.end(&shared, result);
}

async fn launch_in_turn(shared: Arc<Shared>, job: Job, turns: Option<Arc<Semaphore>>, isolated: Isolated) {
    if let Some((job, turn)) = turn(&shared, job, turns).await {
        launch(&shared, isolated, vec![(job, turn)]);
    }
}

/// Runs them on the handler's threads, watched from here in case they are blocked. Handed over at once, because each
/// crossing between threads may wake one.
fn launch(shared: &Arc<Shared>, isolated: Isolated, batch: Vec<(Job, Turn)>) {
    let deliveries: Vec<_> = batch.iter().map(|(job, _)| Arc::clone(&job.delivery)).collect();
    let now = Instant::now();
    shared.watch.insert(batch.into_iter().map(|(job, turn)| {
        let until = now + deadline(&job.delivery) + BLOCKED;
        ((job.delivery.id, job.delivery.epoch), until, job.begin(turn))
    }));
    let (shared, tracker, handler) = (Arc::clone(shared), shared.running.clone(), isolated.handler);
    isolated.threads.spawn(&shared.running.clone(), async move {
        for delivery in deliveries {
            let task = attempt_there(Arc::clone(&shared), Arc::clone(&handler), delivery);
            tracker.spawn(shared.abandon.clone().run_until_cancelled_owned(task));
        }
    });
}

async fn attempt_there(shared: Arc<Shared>, handler: Arc<dyn Handler>, delivery: Arc<Delivery>) {
    let result = attempt(&shared.context, handler.as_ref(), &delivery).await;
    if let Some(attempting) = shared.watch.take((delivery.id, delivery.epoch)) {
        attempting.end(&shared, result);
    }
}

/// Gives up the attempts whose threads are blocked, until it is dropped.
pub async fn watch(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(super::watch::EVERY);
    loop {
        ticks.tick().await;
        for attempting in shared.watch.take_overdue() {
            let late = Err(no_end(&attempting.delivery));
            attempting.end(&shared, late);
        }
    }
}

/// The turn without waiting for it.
fn try_turn(job: &Job, turns: Option<&Arc<Semaphore>>) -> Option<Turn> {
    let of_hook = Arc::clone(&job.known.running).try_acquire_owned().ok()?;
    let of_handler = match turns {
        Some(turns) => Some(Arc::clone(turns).try_acquire_owned().ok()?),
        None => None,
    };
    Some((of_hook, of_handler))
}

/// Waits for the turn; when the worker stops before, the delivery is given back.
async fn turn(shared: &Shared, job: Job, turns: Option<Arc<Semaphore>>) -> Option<(Job, Turn)> {
    let acquired = async {
        let of_hook = Arc::clone(&job.known.running).acquire_owned().await.ok()?;
        let of_handler = match turns {
            Some(turns) => Some(turns.acquire_owned().await.ok()?),
            None => None,
        };
        Some((of_hook, of_handler))
    };
    let turn = tokio::select! {
        biased;
        turn = acquired => turn,
        () = shared.stop.cancelled() => None,
    };
    if turn.is_none() {
        let now = (Timestamp::now(), Instant::now());
        end(
            shared,
            job.lease,
            &job.delivery,
            job.place.clone(),
            now,
            Outcome::Released,
        );
    }
    Some((job, turn?))
}

fn deadline(delivery: &Delivery) -> Duration {
    delivery.hook.policy.timeout + GRACE
}

/// A handler that keeps the deadline itself knows better what it waited for: it has some grace.
async fn attempt(
    context: &Context,
    handler: &dyn Handler,
    delivery: &Delivery,
) -> Result<Done, HandlerError> {
    let run = AssertUnwindSafe(handler.run(context, delivery)).catch_unwind();
    match tokio::time::timeout(deadline(delivery), run).await {
        Ok(Ok(result)) => result,
        Ok(Err(_panic)) => Err(HandlerError::transient("the handler panicked")),
        Err(_elapsed) => Err(no_end(delivery)),
    }
}

fn no_end(delivery: &Delivery) -> HandlerError {
    HandlerError::transient(format!("no end within {} ms", deadline(delivery).as_millis()))
}

impl Job {
    fn begin(self, turn: Turn) -> Attempting {
        Attempting {
            lease: self.lease,
            delivery: self.delivery,
            place: self.place,
            started_at: Timestamp::now(),
            started: Instant::now(),
            _turn: turn,
        }
    }
}

impl Attempting {
    fn end(self, shared: &Shared, result: Result<Done, HandlerError>) {
        let delivery = &self.delivery;
        let outcome = Outcome::of(result, &delivery.hook.policy, delivery.attempt, rand::random());
        if let Some(error) = outcome.error() {
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
        let started = (self.started_at, self.started);
        end(shared, self.lease, delivery, self.place, started, outcome);
    }
}

fn end(
    shared: &Shared,
    lease: i64,
    delivery: &Delivery,
    place: Place,
    (started_at, started): (Timestamp, Instant),
    outcome: Outcome,
) {
    let attempt = Attempt {
        delivery_id: delivery.id,
        place,
        epoch: delivery.epoch,
        started_at,
        duration: started.elapsed(),
        outcome,
    };
    // The completer outlives every running delivery.
    let _closed = shared.ended.send(Ended::Attempt {
        lease,
        hook: delivery.hook.id,
        attempt,
    });
}
