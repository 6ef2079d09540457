//! Gathers the jobs of a hook whose handler takes several in one call. A pack that is not full leaves only when no
//! other one of its hook is under way (Nagle's rule, RFC 896) or it has waited long enough: so an event that comes
//! alone is not held up, and in a backlog packs are full. Decides nothing about outcomes.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::capacity::Capacity;
use crate::executor::Executor;
use crate::handler_call::HandlerCall;
use crate::hooks::LoadedHook;
use crate::job::Job;
use crate::permit::Permit;

/// Wait of a pack for company while another one of its hook is under way.
const GATHERING: Duration = Duration::from_millis(250);

/// The queues by hook. A queue exists while it has a task that empties it.
pub struct Packing {
    queues: Mutex<HashMap<Uuid, Arc<Queue>>>,
    executor: Arc<Executor>,
    capacity: Arc<Capacity>,
    stop: CancellationToken,
}

#[derive(Default)]
struct Queue {
    jobs: Mutex<VecDeque<Job>>,
    /// Notified when jobs come, and when a pack has ended.
    changed: Notify,
    /// Notified when jobs are taken, for those who wait until it is empty.
    taken: Notify,
    packs_under_way: AtomicUsize,
}

impl Packing {
    pub fn new(executor: Arc<Executor>, capacity: Arc<Capacity>, stop: CancellationToken) -> Self {
        Self {
            queues: Mutex::default(),
            executor,
            capacity,
            stop,
        }
    }

    /// Queues jobs of one hook.
    pub fn add(self: &Arc<Self>, loaded: &LoadedHook, jobs: VecDeque<Job>) {
        let hook = loaded.hook.id;
        let mut queues = self.lock();
        if let Some(queue) = queues.get(&hook) {
            queue.lock().extend(jobs);
            queue.changed.notify_one();
            return;
        }
        let queue = Arc::new(Queue {
            jobs: Mutex::new(jobs),
            ..Queue::default()
        });
        queues.insert(hook, Arc::clone(&queue));
        drop(queues);
        let pack = loaded.pack_size(&self.executor.context);
        let wanted = loaded.permits.available_permits().saturating_mul(pack);
        self.capacity.want(hook, Some(wanted));
        self.executor.spawn(Arc::clone(self).send_all(hook, queue));
    }

    /// Waits until no job of a hook is queued.
    pub async fn idle(&self, hook: Uuid) {
        loop {
            let Some(queue) = self.lock().get(&hook).cloned() else {
                return;
            };
            let taken = queue.taken.notified();
            if queue.lock().is_empty() {
                return;
            }
            taken.await;
        }
    }

    /// Sends packs until the queue is empty and nothing of it is under way. What has no permit when the worker stops
    /// is given back.
    async fn send_all(self: Arc<Self>, hook: Uuid, queue: Arc<Queue>) {
        let mut size = 1;
        loop {
            queue.ready(size).await;
            if self.closes(hook, &queue) {
                return;
            }
            let Some(loaded) = queue.lock().front().map(|job| Arc::clone(&job.loaded)) else {
                continue;
            };
            // It changes with what the handler learns.
            size = loaded.pack_size(&self.executor.context);
            let permit = Permit::take(&loaded, &self.stop).await;
            let jobs = queue.take(size);
            match permit {
                Some(permit) => self.launch(&loaded, &queue, jobs, permit),
                None => jobs
                    .into_iter()
                    .for_each(|job| self.executor.attempts.release(job)),
            }
        }
    }

    fn launch(&self, loaded: &LoadedHook, queue: &Arc<Queue>, jobs: Vec<Job>, permit: Permit) {
        let attempts = jobs
            .into_iter()
            .map(|job| self.executor.attempts.begin(job, None))
            .collect();
        let held = (permit, UnderWay::begin(queue));
        self.executor
            .launch(&loaded.registered, vec![HandlerCall::pack(attempts, held)]);
    }

    /// Removes the queue when nothing is left of it.
    fn closes(&self, hook: Uuid, queue: &Queue) -> bool {
        let mut queues = self.lock();
        let closes = queue.lock().is_empty() && queue.packs_under_way.load(Ordering::Acquire) == 0;
        if closes {
            queues.remove(&hook);
            drop(queues);
            self.capacity.want(hook, None);
        }
        closes
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Queue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next jobs, at most `most`, all of one version of the hook.
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

    /// Waits until a pack of this size is full or worth sending.
    async fn ready(&self, size: usize) {
        let since = Instant::now();
        loop {
            let changed = self.changed.notified();
            let (waiting, under_way) = (self.lock().len(), self.packs_under_way.load(Ordering::Acquire));
            let Some(left) = wait(waiting, size, under_way, since.elapsed()) else {
                return;
            };
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(left) => {}
            }
        }
    }
}

/// The time that `waiting` jobs wait longer for a pack of `size`; `None` when they leave now.
fn wait(waiting: usize, size: usize, under_way: usize, waited: Duration) -> Option<Duration> {
    let is_worth_sending = waiting >= size || (waiting > 0 && under_way == 0);
    let left = GATHERING.saturating_sub(waited);
    (!is_worth_sending && !left.is_zero()).then_some(left)
}

/// A pack under way; it has ended when this is dropped.
struct UnderWay(Arc<Queue>);

impl UnderWay {
    fn begin(queue: &Arc<Queue>) -> Self {
        queue.packs_under_way.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(queue))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.packs_under_way.fetch_sub(1, Ordering::AcqRel);
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests;
