//! Ended attempts of one lease on their way into the database: which statement writes which, what counts as written,
//! and what becomes of an outcome that the server refuses. No I/O: `settle.rs` sends what stands here.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::ended_attempt::EndedAttempt;
use super::error::StoreError;
use super::finish::Finished;
use super::stored::Batch;
use zerodb_hooks_delivery::outcome::Outcome;

/// Ended attempts that are being written. It remembers how far that has come.
#[derive(Debug)]
pub struct Settlement {
    lease: i64,
    /// Outcomes that are written by row, one group after another. These go first: a batch is removed with the last
    /// completions.
    groups: VecDeque<Group>,
    /// Completions that are written as arrays, sorted by batch and id.
    completions: Vec<EndedAttempt>,
    /// The batches of the completions and of the outcomes that are written, each with how many of its deliveries
    /// these are.
    batches: HashMap<i64, (Arc<Batch>, usize)>,
    settled: Settled,
}

/// The result of writing ended attempts.
#[derive(Debug, Default)]
pub struct Settled {
    /// Attempts whose lease or claim had passed to another worker: they were not written.
    pub refused: usize,
    /// Attempts whose rows another session holds: to be settled again later.
    pub locked: Vec<EndedAttempt>,
    /// A delivery may be due before anybody would look for it.
    pub requeued: bool,
    /// Something could not be written at all. It comes back when the lease expires: the lease must not be renewed.
    pub unwritten: bool,
}

/// Outcomes that one statement writes.
#[derive(Debug)]
struct Group {
    attempts: Vec<EndedAttempt>,
    /// The outcome was refused as it was, and another one stands in its place.
    is_replaced: bool,
}

impl Settlement {
    /// Attempts that ran under `lease`.
    #[must_use]
    pub fn new(lease: i64, attempts: Vec<EndedAttempt>) -> Self {
        let (mut completions, outcomes): (Vec<_>, Vec<_>) =
            attempts.into_iter().partition(EndedAttempt::completes_in_batch);
        completions.sort_unstable_by_key(|attempt| (attempt.batch_id(), attempt.delivery_id));
        let mut settlement = Self {
            lease,
            groups: VecDeque::new(),
            completions: Vec::new(),
            batches: HashMap::new(),
            settled: Settled::default(),
        };
        for attempt in &completions {
            settlement.count(attempt);
        }
        settlement.completions = completions;
        settlement.settled.requeued = outcomes.iter().any(is_put_off);
        if !outcomes.is_empty() {
            settlement.groups.push_back(Group {
                attempts: outcomes,
                is_replaced: false,
            });
        }
        settlement
    }

    #[must_use]
    pub fn end(self) -> Settled {
        self.settled
    }

    pub(super) fn lease(&self) -> i64 {
        self.lease
    }

    /// The outcomes to be written next; `None` once all are.
    pub(super) fn outcomes(&self) -> Option<&[EndedAttempt]> {
        self.groups.front().map(|group| group.attempts.as_slice())
    }

    /// Notes the answer to the outcomes.
    pub(super) fn finish(&mut self, finished: &Finished) {
        let Some(group) = self.groups.pop_front() else {
            return;
        };
        let count = group.attempts.len();
        for attempt in group.attempts {
            if finished.locked.contains(&attempt.delivery_id) {
                self.settled.locked.push(attempt);
            } else {
                self.count(&attempt);
            }
        }
        self.settled.requeued |= finished.unblocks;
        self.settled.refused += count.saturating_sub(finished.accepted + finished.locked.len());
    }

    /// Notes that the server refused the outcomes. Each is then written by itself, so that one takes no other with
    /// it; one that is refused again, as a failure without its text; and when that is refused too, not at all.
    pub(super) fn refuse_outcomes(&mut self, error: &StoreError) {
        let Some(mut group) = self.groups.pop_front() else {
            return;
        };
        match group.attempts.as_mut_slice() {
            [attempt] if group.is_replaced => {
                tracing::error!(delivery.id = attempt.delivery_id, %error, "an outcome could not be stored at all");
                if let Some(delivery) = attempt.stored.batched() {
                    delivery.batch.keep();
                }
                self.settled.unwritten = true;
            }
            [attempt] => {
                tracing::error!(delivery.id = attempt.delivery_id, %error, "an outcome could not be stored as it was");
                attempt.outcome = Outcome::Discarded {
                    error: "the outcome could not be stored".into(),
                    status: None,
                    exhausted: false,
                };
                group.is_replaced = true;
                self.groups.push_front(group);
            }
            _ => {
                self.settled.requeued = true;
                self.groups
                    .extend(group.attempts.into_iter().map(|attempt| Group {
                        attempts: vec![attempt],
                        is_replaced: false,
                    }));
            }
        }
    }

    /// The completions to be written, and the batches that are empty with them; `None` when there is nothing to
    /// write. To be asked when all outcomes are written.
    pub(super) fn completions(&self) -> Option<(&[EndedAttempt], Vec<i64>)> {
        let emptied: Vec<i64> = self
            .batches
            .iter()
            .filter(|(_, (batch, count))| batch.ends_with(*count))
            .map(|(id, _)| *id)
            .collect();
        let is_any = !self.completions.is_empty() || !emptied.is_empty();
        is_any.then_some((self.completions.as_slice(), emptied))
    }

    /// Notes that the completions are written, if there were any. Only now do the outcomes count too: a batch is what
    /// remembers the rest.
    pub(super) fn complete(&mut self, accepted: usize) {
        self.settled.refused += self.completions.len().saturating_sub(accepted);
        for (batch, count) in self.batches.values() {
            batch.note_written(*count);
        }
        self.completions.clear();
        self.batches.clear();
    }

    /// Notes that the server refused the completions: the batches stay for whoever has the lease next.
    pub(super) fn refuse_completions(&mut self, error: &StoreError) {
        tracing::error!(%error, "completions could not be stored");
        for (batch, _) in self.batches.values() {
            batch.keep();
        }
        self.settled.unwritten = true;
        self.completions.clear();
        self.batches.clear();
    }

    /// Counts an attempt for its batch.
    fn count(&mut self, attempt: &EndedAttempt) {
        if let Some(delivery) = attempt.stored.batched() {
            let counted = self
                .batches
                .entry(delivery.batch.id)
                .or_insert_with(|| (Arc::clone(&delivery.batch), 0));
            counted.1 += 1;
        }
    }
}

/// True for what waits for another try.
fn is_put_off(attempt: &EndedAttempt) -> bool {
    matches!(attempt.outcome, Outcome::Failed { .. } | Outcome::Deferred { .. })
}

#[cfg(test)]
mod tests;
