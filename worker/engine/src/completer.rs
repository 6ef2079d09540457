//! Gathers ended attempts and has them written, as many in one statement as came while the last one was written. An
//! outcome is kept until the database has it; its delivery counts for the capacity until then.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use uuid::Uuid;

use crate::attempt::Message;
use crate::capacity::Capacity;
use crate::lease::Lease;
use crate::writer::Settle;
use zerodb_hooks_store::EndedAttempt;

/// Outcomes written in one statement.
const BATCH: usize = 2000;
/// Wait for more outcomes where they come all the time: a statement costs the same for one as for fifty.
const GATHERING: Duration = Duration::from_millis(2);
/// Wait before an outcome is tried again whose delivery another session holds.
const LOCKED: Duration = Duration::from_millis(250);
/// Tries of such an outcome once the worker stops.
const LAST_TRIES: u32 = 4;
/// Time since the last write up to which they come all the time.
const STEADY: Duration = Duration::from_millis(25);

pub struct Completer<W> {
    writer: W,
    lease: Arc<Lease>,
    capacity: Arc<Capacity>,
    /// Told when a delivery may be due.
    requeued: Arc<Notify>,
    locked: Locked,
    written_at: Option<Instant>,
}

/// Attempts by the lease under which they ran. Those of a lease that was lost are refused; they must not ride with
/// the others.
type ByLease = HashMap<i64, Vec<EndedAttempt>>;

/// Attempts that could not be written because another session holds their rows. The capacity still counts them.
#[derive(Default)]
struct Locked {
    attempts: ByLease,
    /// The time at which the first of them was refused.
    since: Option<Instant>,
}

impl<W: Settle> Completer<W> {
    pub fn new(writer: W, lease: Arc<Lease>, capacity: Arc<Capacity>, requeued: Arc<Notify>) -> Self {
        Self {
            writer,
            lease,
            capacity,
            requeued,
            locked: Locked::default(),
            written_at: None,
        }
    }

    /// Ends with `Message::Close`, once everything before it is written.
    pub async fn run(mut self, mut messages: UnboundedReceiver<Message>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let count = tokio::select! {
                count = messages.recv_many(&mut batch, BATCH) => count,
                () = self.locked.is_due() => {
                    self.write_locked().await;
                    continue;
                }
            };
            if count == 0 {
                return;
            }
            if is_gathered(count, self.written_at.map(|at| at.elapsed())) {
                tokio::time::sleep(GATHERING).await;
                while batch.len() < BATCH
                    && let Ok(more) = messages.try_recv()
                {
                    batch.push(more);
                }
            }
            let closes = self.write_batch(&mut batch).await;
            self.written_at = Some(Instant::now());
            if closes {
                return self.write_last().await;
            }
        }
    }

    /// True when no attempt follows.
    async fn write_batch(&mut self, batch: &mut Vec<Message>) -> bool {
        let mut closes = false;
        let mut by_lease = ByLease::new();
        for message in batch.drain(..) {
            match message {
                Message::Ended { lease, attempt } => by_lease.entry(lease).or_default().push(attempt),
                Message::Close => closes = true,
            }
        }
        self.write_all(by_lease).await;
        closes
    }

    async fn write_locked(&mut self) {
        let locked = self.locked.take();
        self.write_all(locked).await;
    }

    /// The last tries. What is still locked comes back with the lease, which no reaper removes before.
    async fn write_last(mut self) {
        for _ in 0..LAST_TRIES {
            if self.locked.attempts.is_empty() {
                return;
            }
            self.locked.is_due().await;
            self.write_locked().await;
        }
        let left: usize = self.locked.attempts.values().map(Vec::len).sum();
        if left > 0 {
            tracing::warn!(
                deliveries = left,
                "outcomes are not written: another session holds their rows"
            );
        }
    }

    async fn write_all(&mut self, by_lease: ByLease) {
        for (lease, attempts) in by_lease {
            self.write(lease, attempts).await;
        }
    }

    async fn write(&mut self, lease: i64, attempts: Vec<EndedAttempt>) {
        let mut hooks: Vec<Uuid> = attempts.iter().map(|attempt| attempt.hook_id).collect();
        let settled = self.writer.settle(lease, attempts).await;
        if settled.refused > 0 {
            tracing::warn!(
                refused = settled.refused,
                "late outcomes were refused: their lease had passed on"
            );
        }
        if settled.unwritten {
            self.lease.doubt();
        }
        if settled.requeued {
            self.requeued.notify_one();
        }
        for attempt in &settled.locked {
            if let Some(at) = hooks.iter().position(|hook| *hook == attempt.hook_id) {
                hooks.swap_remove(at);
            }
        }
        self.capacity.free(hooks);
        self.locked.add(lease, settled.locked);
    }
}

/// True when more outcomes are waited for: few came, but the last ones were written just now.
fn is_gathered(count: usize, since_written: Option<Duration>) -> bool {
    count < BATCH / 4 && since_written.is_some_and(|time| time < STEADY)
}

impl Locked {
    fn add(&mut self, lease: i64, attempts: Vec<EndedAttempt>) {
        if !attempts.is_empty() {
            self.attempts.entry(lease).or_default().extend(attempts);
            self.since.get_or_insert_with(Instant::now);
        }
    }

    fn take(&mut self) -> ByLease {
        self.since = None;
        mem::take(&mut self.attempts)
    }

    /// Waits until they are to be tried again; for ever when there are none.
    async fn is_due(&self) {
        match self.since {
            Some(since) => tokio::time::sleep_until(since + LOCKED).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests;
