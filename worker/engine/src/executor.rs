//! Runs deliveries: their turns within the hook's concurrency, their deadlines, the barrier against panics. Decides nothing
//! about retries; `Outcome::of` does.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::FutureExt;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::attempting::Job;
use super::hooks::Known;
use super::packing;
use super::runner::Shared;
use super::watch::Cell;
use crate::{Context, Handler, Threads};
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_turns::{Shares, Turn as HeldTurn, Turns};

/// What a handler gets beyond its hook's deadline before it is dropped.
const GRACE: Duration = Duration::from_secs(1);
/// What a handler on threads of its own gets beyond that, before its threads count as blocked.
const BLOCKED: Duration = Duration::from_millis(500);
/// Deliveries that one task begins.
const BEGUN_AT_ONCE: usize = 32;
/// How long it goes on beginning them itself. A handler that computes for longer has a task for each.
const BEGINNING: Duration = Duration::from_millis(1);

/// The right to run: one of the hook's, and one of the handler's.
pub type Turn = (OwnedSemaphorePermit, HeldTurn);

/// A handler, its turns, and its threads where it has some.
#[derive(Clone)]
pub struct Runner {
    handler: Arc<dyn Handler>,
    turns: Turns,
    threads: Option<Arc<Threads>>,
}

/// Stands for a handler that this worker lacks: another one may have it.
struct Missing;

#[async_trait]
impl Handler for Missing {
    async fn run(&self, _context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        let name = delivery.hook.handler();
        Err(HandlerError::transient(format!(
            "this worker has no handler named {name}"
        )))
    }
}

impl Runner {
    fn of(shared: &Shared, job: &Job) -> Self {
        match shared.registry.get(job.delivery.hook.handler()) {
            Some(registered) => Self {
                handler: Arc::clone(&registered.handler),
                turns: registered.turns.clone(),
                threads: registered.threads.clone(),
            },
            None => Self {
                handler: Arc::new(Missing),
                turns: Turns::new(Shares::open(1)),
                threads: None,
            },
        }
    }

    /// The most deliveries of a hook that the handler takes at once.
    pub fn pack(&self, shared: &Shared, hook: &Hook) -> usize {
        self.handler.pack(&shared.context, hook).max(1)
    }

    /// The turn without waiting for it.
    fn try_turn(&self, job: &Job) -> Option<Turn> {
        let of_hook = Arc::clone(&job.known.running).try_acquire_owned().ok()?;
        Some((of_hook, self.turns.try_take(&job.known.hook)?))
    }

    /// Moves jobs that get their turn at once, while one task can begin them.
    fn fill(&self, jobs: &mut VecDeque<Job>, begun: &mut Vec<(Job, Turn)>) {
        while begun.len() < BEGUN_AT_ONCE
            && let Some(turn) = jobs.front().and_then(|job| self.try_turn(job))
            && let Some(job) = jobs.pop_front()
        {
            begun.push((job, turn));
        }
    }

    /// Waits for the turn; `None` when the worker stops before.
    pub async fn turn(&self, shared: &Shared, known: &Known) -> Option<Turn> {
        let acquired = async {
            let of_hook = Arc::clone(&known.running).acquire_owned().await.ok()?;
            Some((of_hook, self.turns.take(&known.hook).await?))
        };
        tokio::select! {
            biased;
            turn = acquired => turn,
            () = shared.stop.cancelled() => None,
        }
    }
}

/// Starts tasks that run the deliveries and hand their outcomes to the completer. A delivery that has not had its turn when
/// the worker stops is given back, uncharged.
pub fn start(shared: &Arc<Shared>, jobs: Vec<Job>) {
    let mut by_hook = HashMap::<(Uuid, i64), (Runner, VecDeque<Job>)>::new();
    for job in jobs {
        let hook = (job.delivery.hook.id, job.delivery.hook.version);
        let (_, jobs) = by_hook
            .entry(hook)
            .or_insert_with(|| (Runner::of(shared, &job), VecDeque::new()));
        jobs.push_back(job);
    }
    for (runner, jobs) in by_hook.into_values() {
        start_hook(shared, runner, jobs);
    }
}

/// Begins what gets its turn at once. One task waits for the turns of all the others: a task for each costs more than what
/// most of them do.
fn start_hook(shared: &Arc<Shared>, runner: Runner, mut jobs: VecDeque<Job>) {
    let Some(first) = jobs.front() else { return };
    if runner.pack(shared, &first.delivery.hook) > 1 {
        packing::add(shared, runner, jobs.into());
        return;
    }
    loop {
        let mut begun = Vec::new();
        runner.fill(&mut jobs, &mut begun);
        if begun.is_empty() {
            break;
        }
        launch(shared, runner.clone(), begun);
    }
    if !jobs.is_empty() {
        let task = launch_in_turn(Arc::clone(shared), runner, jobs);
        shared
            .running
            .spawn(shared.abandon.clone().run_until_cancelled_owned(task));
    }
}

async fn launch_in_turn(shared: Arc<Shared>, runner: Runner, mut jobs: VecDeque<Job>) {
    while let Some(job) = jobs.pop_front() {
        let Some(turn) = runner.turn(&shared, &job.known).await else {
            job.release(&shared);
            return jobs.into_iter().for_each(|job| job.release(&shared));
        };
        let mut begun = vec![(job, turn)];
        runner.fill(&mut jobs, &mut begun);
        launch(&shared, runner.clone(), begun);
    }
}

/// Begins the attempts, on the handler's threads where it has some; there they are watched from here, because a thread that
/// is blocked keeps no deadline.
fn launch(shared: &Arc<Shared>, runner: Runner, begun: Vec<(Job, Turn)>) {
    let attempts: Vec<_> = begun
        .into_iter()
        .map(|(job, turn)| (Arc::clone(&job.delivery), Cell::new(job.begin(shared, turn))))
        .collect();
    let Some(threads) = runner.threads else {
        let task = begin(Arc::clone(shared), runner.handler, attempts);
        shared.running.spawn(task);
        return;
    };
    let now = Instant::now();
    let watched = attempts.iter().map(|(delivery, cell)| {
        let until = now + delivery.hook.policy.timeout + GRACE + BLOCKED;
        (until, Arc::clone(cell))
    });
    shared.watch.insert(watched);
    let task = begin(Arc::clone(shared), runner.handler, attempts);
    threads.spawn(&shared.running, task);
}

/// Begins the attempts of a pack, which share one turn.
pub fn launch_pack(shared: &Arc<Shared>, runner: &Runner, jobs: Vec<Job>, turn: Turn, ended: packing::Ended) {
    let attempts: Vec<_> = jobs
        .into_iter()
        .map(|job| (Arc::clone(&job.delivery), Cell::new(job.begin_in_pack(shared))))
        .collect();
    let Some((first, _)) = attempts.first() else {
        return;
    };
    let until = Instant::now() + first.hook.policy.timeout + GRACE + BLOCKED;
    let task = run_pack(
        Arc::clone(shared),
        Arc::clone(&runner.handler),
        attempts.clone(),
        (turn, ended),
    );
    let task = shared.abandon.clone().run_until_cancelled_owned(task);
    match &runner.threads {
        None => drop(shared.running.spawn(task)),
        Some(threads) => {
            let watched = attempts.iter().map(|(_, cell)| (until, Arc::clone(cell)));
            shared.watch.insert(watched);
            threads.spawn(&shared.running, task);
        }
    }
}

/// One pack. A result that the handler leaves out counts as its failure.
async fn run_pack(
    shared: Arc<Shared>,
    handler: Arc<dyn Handler>,
    attempts: Vec<(Arc<Delivery>, Arc<Cell>)>,
    _held: (Turn, packing::Ended),
) {
    let deliveries: Vec<_> = attempts
        .iter()
        .map(|(delivery, _)| Arc::clone(delivery))
        .collect();
    let Some(timeout) = deliveries.first().map(|first| first.hook.policy.timeout + GRACE) else {
        return;
    };
    let run = AssertUnwindSafe(handler.run_pack(&shared.context, &deliveries)).catch_unwind();
    let mut results = match tokio::time::timeout(timeout, run).await {
        Ok(Ok(results)) => results.into_iter().map(Some).collect(),
        Ok(Err(_panic)) => deliveries.iter().map(|_| Some(Err(panicked()))).collect(),
        Err(_elapsed) => deliveries
            .iter()
            .map(|one| Some(Err(no_end(one))))
            .collect::<Vec<_>>(),
    };
    results.resize_with(attempts.len(), || None);
    for ((_, cell), result) in attempts.into_iter().zip(results) {
        if let Some(attempting) = cell.take() {
            let missing = || Err(HandlerError::transient("the handler gave no result"));
            attempting.end(&shared, result.unwrap_or_else(missing));
        }
    }
}

fn panicked() -> HandlerError {
    HandlerError::transient("the handler panicked")
}

/// Goes a first step with each attempt. Most need no second; the others get tasks of their own.
async fn begin(shared: Arc<Shared>, handler: Arc<dyn Handler>, attempts: Vec<(Arc<Delivery>, Arc<Cell>)>) {
    let since = Instant::now();
    for (delivery, cell) in attempts {
        let mut run = Box::pin(run(Arc::clone(&shared), Arc::clone(&handler), delivery, cell));
        if since.elapsed() < BEGINNING && (&mut run).now_or_never().is_some() {
            continue;
        }
        shared
            .running
            .spawn(shared.abandon.clone().run_until_cancelled_owned(run));
    }
}

/// One attempt; of one that was given up meanwhile, the result counts no more.
async fn run(shared: Arc<Shared>, handler: Arc<dyn Handler>, delivery: Arc<Delivery>, cell: Arc<Cell>) {
    let result = attempt(&shared.context, handler.as_ref(), &delivery).await;
    if let Some(attempting) = cell.take() {
        attempting.end(&shared, result);
    }
}

/// A handler that keeps the deadline itself knows better what it waited for: it has some grace.
async fn attempt(
    context: &Context,
    handler: &dyn Handler,
    delivery: &Delivery,
) -> Result<Done, HandlerError> {
    let run = AssertUnwindSafe(handler.run(context, delivery)).catch_unwind();
    match tokio::time::timeout(delivery.hook.policy.timeout + GRACE, run).await {
        Ok(Ok(result)) => result,
        Ok(Err(_panic)) => Err(panicked()),
        Err(_elapsed) => Err(no_end(delivery)),
    }
}

fn no_end(delivery: &Delivery) -> HandlerError {
    let waited = delivery.hook.policy.timeout + GRACE;
    HandlerError::transient(format!("no end within {} ms", waited.as_millis()))
}

/// Gives up the attempts whose threads are blocked, until it is dropped.
pub async fn watch(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(super::watch::EVERY);
    loop {
        ticks.tick().await;
        for attempting in shared.watch.take_overdue() {
            let late = no_end(attempting.delivery());
            attempting.end(&shared, Err(late));
        }
    }
}
