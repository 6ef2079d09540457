use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::stored::Stored;
use crate::xid::{EventKey, Xid};

fn attempt(delivery_id: i64, stored: Stored, outcome: Outcome) -> EndedAttempt {
    EndedAttempt {
        delivery_id,
        hook_id: Uuid::nil(),
        stored,
        epoch: 1,
        started_at: Timestamp::UNIX_EPOCH,
        duration: Duration::ZERO,
        outcome,
    }
}

fn completed() -> Outcome {
    Outcome::Completed { status: None }
}

fn failed() -> Outcome {
    Outcome::retry_in(Duration::ZERO, "down")
}

/// The delivery `id` of a batch.
fn within(batch: &Arc<Batch>, id: i64) -> Stored {
    let event = EventKey {
        xid: Xid(1),
        ord: i32::try_from(id).unwrap(),
    };
    Stored::in_batch(Arc::clone(batch), event)
}

fn ids(attempts: &[EndedAttempt]) -> Vec<i64> {
    attempts.iter().map(|attempt| attempt.delivery_id).collect()
}

fn accepted(count: usize) -> Finished {
    Finished {
        accepted: count,
        ..Finished::default()
    }
}

fn refusal() -> StoreError {
    StoreError::Database {
        sqlstate: "22P05".into(),
        message: "untranslatable character".into(),
    }
}

#[test]
fn outcomes_go_first_and_a_batch_with_the_last_completions() {
    let batch = Arc::new(Batch::new(10, 3));
    let mut settlement = Settlement::new(
        1,
        vec![
            attempt(12, within(&batch, 12), completed()),
            attempt(11, within(&batch, 11), failed()),
            attempt(10, within(&batch, 10), completed()),
            attempt(99, Stored::row(), completed()),
        ],
    );
    assert_eq!(ids(settlement.outcomes().unwrap()), [11, 99]);
    settlement.finish(&accepted(2));
    assert!(settlement.outcomes().is_none());
    let (completions, emptied) = settlement.completions().unwrap();
    assert_eq!((ids(completions), emptied), (vec![10, 12], vec![10]));
    settlement.complete(2);
    assert!(settlement.completions().is_none());
    let settled = settlement.end();
    assert_eq!(
        (settled.refused, settled.requeued, settled.unwritten),
        (0, true, false)
    );
}

#[test]
fn a_batch_of_which_a_row_is_locked_is_not_removed_before_that_is_written() {
    let batch = Arc::new(Batch::new(10, 2));
    let both = vec![
        attempt(10, within(&batch, 10), completed()),
        attempt(11, within(&batch, 11), failed()),
    ];
    let mut first = Settlement::new(1, both);
    first.finish(&Finished {
        locked: vec![11],
        ..Finished::default()
    });
    assert_eq!(first.completions().unwrap().1, Vec::<i64>::new());
    first.complete(1);
    let settled = first.end();
    assert_eq!((ids(&settled.locked), settled.refused), (vec![11], 0));
    let mut second = Settlement::new(1, settled.locked);
    second.finish(&accepted(1));
    let (completions, emptied) = second.completions().unwrap();
    assert_eq!(
        (completions.len(), emptied),
        (0, vec![10]),
        "a batch also ends without completions"
    );
}

#[test]
fn what_another_worker_has_by_now_is_refused() {
    let batch = Arc::new(Batch::new(10, 1));
    let mut settlement = Settlement::new(
        1,
        vec![
            attempt(10, within(&batch, 10), completed()),
            attempt(98, Stored::row(), failed()),
            attempt(99, Stored::row(), failed()),
        ],
    );
    settlement.finish(&accepted(1));
    settlement.complete(0);
    assert_eq!(settlement.end().refused, 2);
}

#[test]
fn one_outcome_that_cannot_be_stored_takes_no_other_with_it() {
    let mut settlement = Settlement::new(
        1,
        vec![
            attempt(98, Stored::row(), failed()),
            attempt(99, Stored::row(), failed()),
        ],
    );
    settlement.refuse_outcomes(&refusal());
    assert_eq!(ids(settlement.outcomes().unwrap()), [98]);
    settlement.refuse_outcomes(&refusal());
    let replaced = settlement.outcomes().unwrap();
    assert_eq!(
        (ids(replaced), replaced[0].outcome.name()),
        (vec![98], "discarded")
    );
    settlement.finish(&accepted(1));
    assert_eq!(ids(settlement.outcomes().unwrap()), [99]);
    settlement.finish(&accepted(1));
    assert!(settlement.outcomes().is_none() && settlement.completions().is_none());
    let settled = settlement.end();
    assert_eq!((settled.refused, settled.unwritten), (0, false));
}

#[test]
fn a_batch_stays_when_something_of_it_cannot_be_written_at_all() {
    let batch = Arc::new(Batch::new(10, 2));
    let mut settlement = Settlement::new(
        1,
        vec![
            attempt(10, within(&batch, 10), completed()),
            attempt(11, within(&batch, 11), failed()),
        ],
    );
    settlement.refuse_outcomes(&refusal());
    settlement.refuse_outcomes(&refusal());
    assert_eq!(settlement.completions().unwrap().1, Vec::<i64>::new());
    settlement.complete(1);
    assert!(settlement.end().unwritten && !batch.ends_with(2));
}

#[test]
fn completions_that_are_refused_leave_their_batch_to_the_lease() {
    let batch = Arc::new(Batch::new(10, 1));
    let mut settlement = Settlement::new(1, vec![attempt(10, within(&batch, 10), completed())]);
    settlement.refuse_completions(&refusal());
    assert!(settlement.completions().is_none());
    assert!(settlement.end().unwritten && !batch.ends_with(1));
}
