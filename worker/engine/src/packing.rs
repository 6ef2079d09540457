//! Gathers the deliveries of a hook whose handler takes several at once. A pack that is not full leaves only when no other one
//! of its hook is under way (Nagle's rule, RFC 896) or it has waited long enough: so an event that comes alone is not held up,
//! and in a backlog packs are full. Runs them through the executor; decides nothing about outcomes.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use uuid::Uuid;

use super::attempting::Job;
use super::executor::{self, Runner};
use super::runner::Shared;

/// How long a pack waits for company while another one of its hook is under way.
const GATHERING: Duration = Duration::from_millis(250);

/// The queues by hook. A queue exists while it has a task that empties it.
#[derive(Default)]
pub struct Packing(Mutex<HashMap<Uuid, Arc<Queue>>>);

struct Queue {
    jobs: Mutex<VecDeque<Job>>,
    changed: Notify,
    /// For those who wait until it is empty.
    taken: Notify,
    /// Packs under way.
    running: AtomicUsize,
}

impl Packing {
    /// Waits until nothing of a hook waits for company or for a turn.
    pub async fn idle(&self, hook: Uuid) {
        loop {
            let Some(queue) = self.lock().get(&hook).cloned() else {
                return;
            };
            let changed = queue.taken.notified();
            if queue.lock().is_empty() {
                return;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Queue>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next jobs, at most `most`, all of one version of the hook.
    fn take(&self, most: usize) -> Vec<Job> {
        let mut jobs = self.lock();
        let version = jobs.front().map(|job| job.delivery.hook.version);
        let same = jobs
            .iter()
            .take(most)
            .take_while(|job| Some(job.delivery.hook.version) == version)
            .count();
        let taken = jobs.drain(..same).collect();
        self.taken.notify_waiters();
        taken
    }

    /// Waits until a pack is full or worth sending.
    async fn ready(&self, pack: usize) {
        let since = Instant::now();
        loop {
            let changed = self.changed.notified();
            let waiting = self.lock().len();
            if waiting >= pack || (waiting > 0 && self.running.load(Ordering::Acquire) == 0) {
                return;
            }
            let left = GATHERING.saturating_sub(since.elapsed());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(left) => {}
            }
        }
    }
}

/// Takes jobs of one hook, for a handler that takes packs.
pub fn add(shared: &Arc<Shared>, runner: Runner, jobs: Vec<Job>) {
    let Some(first) = jobs.first() else { return };
    let hook = first.delivery.hook.id;
    let mut queues = shared.packing.lock();
    if let Some(queue) = queues.get(&hook) {
        queue.lock().extend(jobs);
        queue.changed.notify_one();
        return;
    }
    let pack = runner.pack(shared, &first.delivery.hook);
    let wanted = first.known.running.available_permits().saturating_mul(pack);
    let queue = Arc::new(Queue {
        jobs: Mutex::new(jobs.into()),
        changed: Notify::new(),
        taken: Notify::new(),
        running: AtomicUsize::new(0),
    });
    queues.insert(hook, Arc::clone(&queue));
    drop(queues);
    shared.slots.want(hook, Some(wanted));
    let task = send_all(Arc::clone(shared), hook, queue, runner);
    shared
        .running
        .spawn(shared.abandon.clone().run_until_cancelled_owned(task));
}

/// Sends packs until the queue is empty and nothing of it is under way. What has no turn when the worker stops is given back.
async fn send_all(shared: Arc<Shared>, hook: Uuid, queue: Arc<Queue>, runner: Runner) {
    let mut pack = 1;
    loop {
        queue.ready(pack).await;
        if closes(&shared, hook, &queue) {
            return;
        }
        let Some(known) = queue.lock().front().map(|job| job.known.clone()) else {
            continue;
        };
        // It changes with what the handler learns.
        pack = runner.pack(&shared, &known.hook);
        let turn = runner.turn(&shared, &known).await;
        let jobs = queue.take(pack);
        match turn {
            Some(turn) => {
                queue.running.fetch_add(1, Ordering::AcqRel);
                let ended = Ended(Arc::clone(&queue));
                executor::launch_pack(&shared, &runner, jobs, turn, ended);
            }
            None => jobs.into_iter().for_each(|job| job.release(&shared)),
        }
    }
}

/// Removes the queue when nothing is left of it.
fn closes(shared: &Shared, hook: Uuid, queue: &Queue) -> bool {
    let mut queues = shared.packing.lock();
    let closes = queue.lock().is_empty() && queue.running.load(Ordering::Acquire) == 0;
    if closes {
        queues.remove(&hook);
        drop(queues);
        shared.slots.want(hook, None);
    }
    closes
}

/// Says, when it is dropped, that a pack has ended.
pub struct Ended(Arc<Queue>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
        self.0.changed.notify_one();
    }
}
