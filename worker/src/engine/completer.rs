//! Writes outcomes, as many in one statement as came while the last one was written. An outcome is kept until the
//! database has it; its slot is free only then.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::runner::{Outage, Shared};
use crate::outcome::Outcome;
use crate::store::{Attempt, Batch, Finished, Place, StoreError};

/// Outcomes written in one statement.
const BATCH: usize = 2000;
/// How long more outcomes are waited for where they come all the time: a statement costs the same for one as for fifty.
const GATHERING: Duration = Duration::from_millis(2);
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
    loop {
        let count = ended.recv_many(&mut batch, BATCH).await;
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
            write(&shared, lease, attempts).await;
        }
        written_at = Some(Instant::now());
        if last {
            return;
        }
    }
}

async fn write(shared: &Shared, lease: i64, ended: Vec<(Uuid, Attempt)>) {
    let failed = ended
        .iter()
        .any(|(_, attempt)| matches!(attempt.outcome, Outcome::Failed { .. } | Outcome::Deferred { .. }));
    let written = ended.len();
    let (hooks, attempts): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
    let (mut completed, others): (Vec<_>, Vec<_>) =
        attempts.into_iter().partition(Attempt::completes_in_batch);
    let finished = finish(shared, lease, &others).await;
    let mut accepted = finished.accepted;
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
    shared.slots.free(hooks);
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
            for attempt in attempts {
                finish_alone(shared, lease, attempt.clone()).await;
            }
            Finished {
                accepted: attempts.len(),
                unblocks: true,
            }
        }
    }
}

async fn finish_alone(shared: &Shared, lease: i64, mut attempt: Attempt) {
    let write = Write::Outcomes(std::slice::from_ref(&attempt));
    if let Err(error) = until_answered(shared, lease, write).await {
        tracing::error!(delivery.id = attempt.delivery_id, %error, "an outcome could not be stored as it was");
        attempt.outcome = Outcome::Discarded {
            error: "the outcome could not be stored".into(),
            status: None,
        };
        let write = Write::Outcomes(std::slice::from_ref(&attempt));
        if let Err(error) = until_answered(shared, lease, write).await {
            tracing::error!(%error, "an outcome could not be stored at all");
            // Its delivery comes back with the lease.
            if let Place::Batch { batch, .. } = &attempt.place {
                batch.keep();
            }
            shared.doubt_lease();
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
                    unblocks: false,
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
