//! Writes outcomes, as many in one statement as came while the last one was written. An outcome is kept until the
//! database has it; its slot is free only then.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::runner::{Outage, Shared};
use zerodb_hooks_delivery::outcome::Outcome;
use zerodb_hooks_store::{Attempt, Batch, Finished, Place, StoreError};

/// Outcomes written in one statement.
const BATCH: usize = 2000;
/// How long more outcomes are waited for where they come all the time: a statement costs the same for one as for fifty.
const GATHERING: Duration = Duration::from_millis(2);
/// How long an outcome waits whose delivery another session holds, before it is tried again.
const LOCKED: Duration = Duration::from_millis(250);
/// How often it is tried once the worker stops.
const LAST_TRIES: u32 = 4;
/// Time since the last write up to which they come all the time.
const STEADY: Duration = Duration::from_millis(25);

pub enum Ended {
    Attempt {
        lease: i64,
        hook: Uuid,
        attempt: Attempt,
    },
    /// No delivery runs any more.
    Close,
}

pub async fn run(shared: Arc<Shared>, mut ended: UnboundedReceiver<Ended>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut written_at: Option<Instant> = None;
    let mut later = Later::default();
    loop {
        let count = tokio::select! {
            count = ended.recv_many(&mut batch, BATCH) => count,
            () = later.is_due() => {
                later.write(&shared).await;
                continue;
            }
        };
        if count == 0 {
            return;
        }
        if count < BATCH / 4 && written_at.is_some_and(|at| at.elapsed() < STEADY) {
            tokio::time::sleep(GATHERING).await;
            while batch.len() < BATCH
                && let Ok(more) = ended.try_recv()
            {
                batch.push(more);
            }
        }
        let mut last = false;
        // Outcomes of a lease that was lost meanwhile are refused; they must not ride with the others.
        let mut leases = HashMap::<i64, Vec<(Uuid, Attempt)>>::new();
        for item in batch.drain(..) {
            match item {
                Ended::Attempt { lease, hook, attempt } => {
                    leases.entry(lease).or_default().push((hook, attempt))
                }
                Ended::Close => last = true,
            }
        }
        for (lease, attempts) in leases {
            later.keep(lease, write(&shared, lease, attempts).await);
        }
        written_at = Some(Instant::now());
        if last {
            return later.end(&shared).await;
        }
    }
}

/// Outcomes that could not be written because another session holds their rows. Their slots stay taken.
#[derive(Default)]
struct Later {
    ended: HashMap<i64, Vec<(Uuid, Attempt)>>,
    since: Option<Instant>,
}

impl Later {
    fn keep(&mut self, lease: i64, locked: Vec<(Uuid, Attempt)>) {
        if !locked.is_empty() {
            self.ended.entry(lease).or_default().extend(locked);
            self.since.get_or_insert_with(Instant::now);
        }
    }

    /// Waits until they are to be tried again; for ever when there are none.
    async fn is_due(&self) {
        match self.since {
            Some(since) => tokio::time::sleep_until((since + LOCKED).into()).await,
            None => std::future::pending().await,
        }
    }

    async fn write(&mut self, shared: &Shared) {
        self.since = None;
        for (lease, ended) in std::mem::take(&mut self.ended) {
            self.keep(lease, write(shared, lease, ended).await);
        }
    }

    /// The last tries. What is still locked comes back with the lease, which no reaper removes before.
    async fn end(mut self, shared: &Shared) {
        for _ in 0..LAST_TRIES {
            if self.ended.is_empty() {
                return;
            }
            self.is_due().await;
            self.write(shared).await;
        }
        let left: usize = self.ended.values().map(Vec::len).sum();
        if left > 0 {
            tracing::warn!(
                deliveries = left,
                "outcomes are not written: another session holds their rows"
            );
        }
    }
}

/// Writes what it can, and returns the rest: what another session holds.
async fn write(shared: &Shared, lease: i64, ended: Vec<(Uuid, Attempt)>) -> Vec<(Uuid, Attempt)> {
    let failed = ended
        .iter()
        .any(|(_, attempt)| matches!(attempt.outcome, Outcome::Failed { .. } | Outcome::Deferred { .. }));
    let written = ended.len();
    let (hooks, attempts): (Vec<Uuid>, Vec<Attempt>) = ended.into_iter().unzip();
    let ids: Vec<i64> = attempts.iter().map(|one| one.delivery_id).collect();
    let (mut completed, others): (Vec<_>, Vec<_>) =
        attempts.into_iter().partition(Attempt::completes_in_batch);
    let finished = finish(shared, lease, &others).await;
    let (locked, others): (Vec<_>, Vec<_>) = others
        .into_iter()
        .partition(|one| finished.locked.contains(&one.delivery_id));
    let mut accepted = finished.accepted + locked.len();
    let ended = ended_of_batches(&others, &completed);
    accepted += complete(shared, lease, &mut completed, &ended).await;
    if accepted < written {
        tracing::warn!(
            refused = written - accepted,
            "late outcomes were refused: their lease had passed on"
        );
    }
    if failed || finished.unblocks {
        shared.requeued.notify_one();
    }
    if locked.is_empty() {
        shared.slots.free(hooks);
        return Vec::new();
    }
    let (kept, freed): (Vec<_>, Vec<_>) = hooks
        .into_iter()
        .zip(ids)
        .partition(|(_, id)| finished.locked.contains(id));
    shared.slots.free(freed.into_iter().map(|(hook, _)| hook));
    let hook_of: HashMap<i64, Uuid> = kept.into_iter().map(|(hook, id)| (id, hook)).collect();
    locked
        .into_iter()
        .filter_map(|one| Some((*hook_of.get(&one.delivery_id)?, one)))
        .collect()
}

/// Batches, with how many of their deliveries have ended with these attempts.
type EndedOfBatches = HashMap<i64, (Arc<Batch>, usize)>;

fn ended_of_batches(finished: &[Attempt], completed: &[Attempt]) -> EndedOfBatches {
    let mut ended = EndedOfBatches::new();
    for attempt in finished.iter().chain(completed) {
        if let Place::Batch { batch, .. } = &attempt.place {
            ended.entry(batch.id).or_insert((Arc::clone(batch), 0)).1 += 1;
        }
    }
    ended
}

/// Writes completions, and removes the batches of which nothing is left. Only what is written counts as ended: a batch is
/// what remembers the rest.
async fn complete(shared: &Shared, lease: i64, attempts: &mut [Attempt], ended: &EndedOfBatches) -> usize {
    let emptied: Vec<i64> = ended
        .iter()
        .filter(|(_, (batch, count))| batch.ends_with(*count))
        .map(|(id, _)| *id)
        .collect();
    if attempts.is_empty() && emptied.is_empty() {
        ended.values().for_each(|(batch, count)| batch.note_ended(*count));
        return 0;
    }
    // The order in which the store groups them.
    attempts.sort_unstable_by_key(|attempt| (attempt.batch_id(), attempt.delivery_id));
    let write = Write::Completions {
        attempts,
        emptied: &emptied,
    };
    match until_answered(shared, lease, write).await {
        Ok(finished) => {
            ended.values().for_each(|(batch, count)| batch.note_ended(*count));
            finished.accepted
        }
        Err(error) => {
            tracing::error!(%error, "completions could not be stored");
            // Their deliveries come back with the lease.
            ended.values().for_each(|(batch, _)| batch.keep());
            shared.doubt_lease();
            attempts.len()
        }
    }
}

async fn finish(shared: &Shared, lease: i64, attempts: &[Attempt]) -> Finished {
    if attempts.is_empty() {
        return Finished::default();
    }
    match until_answered(shared, lease, Write::Outcomes(attempts)).await {
        Ok(finished) => finished,
        // Something in one of them cannot be stored: each by itself, so that it takes no other with it.
        Err(_) => {
            let mut locked = Vec::new();
            for attempt in attempts {
                locked.extend(finish_alone(shared, lease, attempt.clone()).await);
            }
            Finished {
                accepted: attempts.len() - locked.len(),
                unblocks: true,
                locked,
            }
        }
    }
}

/// Returns its delivery where another session holds it.
async fn finish_alone(shared: &Shared, lease: i64, mut attempt: Attempt) -> Vec<i64> {
    let write = Write::Outcomes(std::slice::from_ref(&attempt));
    let error = match until_answered(shared, lease, write).await {
        Ok(finished) => return finished.locked,
        Err(error) => error,
    };
    tracing::error!(delivery.id = attempt.delivery_id, %error, "an outcome could not be stored as it was");
    attempt.outcome = Outcome::Discarded {
        error: "the outcome could not be stored".into(),
        status: None,
    };
    let write = Write::Outcomes(std::slice::from_ref(&attempt));
    match until_answered(shared, lease, write).await {
        Ok(finished) => finished.locked,
        Err(error) => {
            tracing::error!(%error, "an outcome could not be stored at all");
            // Its delivery comes back with the lease.
            if let Place::Batch { batch, .. } = &attempt.place {
                batch.keep();
            }
            shared.doubt_lease();
            Vec::new()
        }
    }
}

#[derive(Clone, Copy)]
enum Write<'a> {
    Outcomes(&'a [Attempt]),
    Completions {
        attempts: &'a [Attempt],
        emptied: &'a [i64],
    },
}

/// Tries until the database answers.
async fn until_answered(shared: &Shared, lease: i64, write: Write<'_>) -> Result<Finished, StoreError> {
    let (store, worker) = (&shared.store, &shared.settings.name);
    let mut outage = Outage::default();
    loop {
        let record_all = shared.installation().record_all;
        let written = match write {
            Write::Outcomes(attempts) => {
                store
                    .bounded(store.finish(lease, worker, record_all, attempts))
                    .await
            }
            Write::Completions { attempts, emptied } => {
                let write = store.complete(lease, worker, record_all, attempts, emptied);
                let accepted = store.bounded(write).await;
                accepted.map(|accepted| Finished {
                    accepted,
                    ..Finished::default()
                })
            }
        };
        match written {
            Err(error) if error.is_passing() => outage.wait(&error, &CancellationToken::new()).await,
            result => {
                outage.over();
                return result;
            }
        }
    }
}
