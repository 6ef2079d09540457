//! A batch, its completions and its rows, for deliveries that one worker leased when it dispatched them. What a step
//! stands for:
//! - `Dispatch`, `Write`: the worker sends `dispatch_events.sql` (`dispatcher.rs`), or what its completer writes:
//!   outcomes, then completions (`settlement.rs` of the store), once more where the answer was lost.
//! - `Begin`, `Lock`, `Commit`, `Rollback`: a statement at the server, also one whose worker has lost the connection
//!   or its life.
//! - `Told`, `Lose`, `Fail`: its answer, none because the connection is lost, an error that trying again does not mend.
//! - `End`: a handler's end.
//! - `Beat`, `Expire`: as in the model of leases. A paused worker is one that takes no step.
//! - `LockLease`, `Reap`, `Free`, `Undo`: the reaper's lock, its second statement's snapshot, its commit or a rollback.
//! - `Claim`, `EndRow`: what has a row, each in one step; `lease.rs` has their parts.
//! - `Prune`: a row leaves after the retention, which outlives a batch and a statement, but not a connection: what was
//!   sent may begin later.
//! - `Crash`: the worker dies. Another one never does, and its lease stays.
//!
//! Left out: discarded and released deliveries, `redeliver`, and completions that leave with their events.

mod model;
mod reaper;
mod server;
mod state;
mod statement;
mod worker;

use self::model::Batches;
use crate::{holds, is_caught};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    Sound,
    /// A completion looks for its lease without locking it.
    CompletesWithoutLock,
    /// The reaper locks the lease in the statement that reads what is left, so with a snapshot from before the lock.
    ReapsInOneStatement,
    NoUniqueKey,
    /// A spill looks for the lease only.
    SpillsWithoutBatch,
    /// The last completions' batch is deleted by a statement before them.
    DeletesBeforeWriting,
    /// What the server has refused for good counts as written when the batch's end is looked for.
    CountsRefusedWrites,
    /// A batch is removed with completions only.
    KeepsSpilledBatches,
}
use Variant::*;

const NONE_LOST: &str =
    "every delivery has ended, waits as a row, or its lease is kept by who works at it or will expire";
const NONE_TWICE: &str = "no delivery is completed twice, and none has both a completion and a row";
const NONE_LATE: &str = "nothing is completed or spilled for a worker whose lease is gone";
const REMOVED_AT_ITS_END: &str = "a batch is removed exactly when nothing of it is left";

#[test]
fn no_delivery_of_a_batch_is_lost_or_completed_twice() {
    holds(Batches(Sound), 100_000);
}

#[test]
fn a_completion_that_does_not_hold_its_lease_comes_too_late() {
    is_caught(Batches(CompletesWithoutLock), NONE_LATE);
    is_caught(Batches(CompletesWithoutLock), NONE_TWICE);
}

#[test]
fn a_reaper_that_reads_before_it_locks_frees_what_is_completed_and_forgets_what_is_leased() {
    is_caught(Batches(ReapsInOneStatement), NONE_TWICE);
    is_caught(Batches(ReapsInOneStatement), NONE_LOST);
}

#[test]
fn without_a_unique_key_a_repeated_write_completes_twice() {
    is_caught(Batches(NoUniqueKey), NONE_TWICE);
}

#[test]
fn a_spill_that_does_not_look_for_its_batch_brings_back_what_has_ended() {
    is_caught(Batches(SpillsWithoutBatch), NONE_TWICE);
}

#[test]
fn a_batch_that_is_deleted_before_all_is_written_loses_deliveries() {
    is_caught(Batches(DeletesBeforeWriting), NONE_LOST);
    is_caught(Batches(DeletesBeforeWriting), REMOVED_AT_ITS_END);
}

#[test]
fn a_batch_must_not_end_with_a_write_that_was_refused() {
    is_caught(Batches(CountsRefusedWrites), NONE_LOST);
    is_caught(Batches(CountsRefusedWrites), REMOVED_AT_ITS_END);
}

#[test]
fn a_batch_whose_last_deliveries_are_spilled_must_end_too() {
    is_caught(Batches(KeepsSpilledBatches), REMOVED_AT_ITS_END);
}
