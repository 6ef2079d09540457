//! Ending attempts otherwise than by completing a batch's deliveries, many in one statement.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::place::{Place, Xid};
use super::statements::{FINISH_DELIVERIES, SPILL_DELIVERIES};
use super::{Store, StoreError};
use zerodb_hooks_delivery::outcome::Outcome;

/// An attempt that has ended and is not written yet.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub delivery_id: i64,
    pub place: Place,
    pub epoch: i32,
    pub started_at: Timestamp,
    pub duration: Duration,
    pub outcome: Outcome,
}

impl Attempt {
    pub fn batch_id(&self) -> Option<i64> {
        match &self.place {
            Place::Row => None,
            Place::Batch { batch, .. } => Some(batch.id),
        }
    }

    pub fn duration_ms(&self) -> i32 {
        i32::try_from(self.duration.as_millis()).unwrap_or(i32::MAX)
    }

    /// True when it is written with `Store::complete`, else with `Store::finish`.
    pub fn completes_in_batch(&self) -> bool {
        matches!(
            (&self.place, &self.outcome),
            (Place::Batch { .. }, Outcome::Completed { .. })
        )
    }

    fn retry_ms(&self) -> i64 {
        match self.outcome {
            Outcome::Failed { retry_in, .. } | Outcome::Deferred { retry_in, .. } => {
                i64::try_from(retry_in.as_millis()).unwrap_or(i64::MAX)
            }
            _ => 0,
        }
    }
}

/// What became of outcomes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Those whose lease and epoch still held.
    pub accepted: usize,
    /// An ordered delivery ended: another one of its key may have to be released.
    pub unblocks: bool,
    /// Deliveries whose rows another session holds: their outcomes are to be written later.
    pub locked: Vec<i64>,
}

impl Finished {
    fn of(rows: &[Row]) -> Result<Self, StoreError> {
        let mut finished = Self::default();
        for row in rows {
            if row.try_get::<_, bool>(LOCKED)? {
                finished.locked.push(row.try_get(ID)?);
            } else {
                finished.accepted += 1;
                finished.unblocks |= row.try_get::<_, bool>(UNBLOCKS)?;
            }
        }
        Ok(finished)
    }
}

// The columns of the statement's answer.
const ID: usize = 0;
const UNBLOCKS: usize = 2;
const LOCKED: usize = 3;

impl Store {
    /// Writes the outcomes; accepted are those whose lease and epoch still hold. Waits for no other session: rows that one holds
    /// are `locked`. Deliveries of batches get their rows first, in the same transaction. Idempotent: an outcome that was written
    /// before is refused the second time.
    pub async fn finish(
        &self,
        lease: i64,
        worker: &str,
        record_all: bool,
        attempts: &[Attempt],
    ) -> Result<Finished, StoreError> {
        let connection = self.connection().await?;
        let spill = connection.prepare_cached(SPILL_DELIVERIES).await?;
        let finish = connection.prepare_cached(FINISH_DELIVERIES).await?;
        let spilled = Spilled::of(attempts);
        let ended = Ended::of(attempts);
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&lease];
        parameters.extend(ended.parameters());
        parameters.extend([&worker as &(dyn ToSql + Sync), &record_all]);
        if spilled.ids.is_empty() {
            return Finished::of(&connection.query(&finish, &parameters).await?);
        }
        // Sent at once: the server works through them without waiting for this side.
        let (_begun, _spilled, accepted, _committed) = futures_util::try_join!(
            connection.batch_execute("BEGIN"),
            async {
                let spilled: [&(dyn ToSql + Sync); 5] = [
                    &lease,
                    &spilled.batches,
                    &spilled.ids,
                    &spilled.xids,
                    &spilled.ords,
                ];
                connection.execute(&spill, &spilled).await
            },
            connection.query(&finish, &parameters),
            connection.batch_execute("COMMIT"),
        )?;
        Finished::of(&accepted)
    }
}

/// The deliveries of batches among the attempts, as arrays.
#[derive(Default)]
struct Spilled {
    batches: Vec<i64>,
    ids: Vec<i64>,
    xids: Vec<Xid>,
    ords: Vec<i32>,
}

impl Spilled {
    fn of(attempts: &[Attempt]) -> Self {
        let mut spilled = Self::default();
        for attempt in attempts {
            if let Place::Batch { batch, event } = &attempt.place {
                spilled.batches.push(batch.id);
                spilled.ids.push(attempt.delivery_id);
                spilled.xids.push(event.xid);
                spilled.ords.push(event.ord);
            }
        }
        spilled
    }
}

/// The attempts as arrays, in the order of the statement's parameters.
struct Ended<'a> {
    ids: Vec<i64>,
    epochs: Vec<i32>,
    outcomes: Vec<&'static str>,
    waits: Vec<i64>,
    errors: Vec<Option<&'a str>>,
    statuses: Vec<Option<i32>>,
    starts: Vec<Timestamp>,
    durations: Vec<i32>,
}

impl<'a> Ended<'a> {
    fn of(attempts: &'a [Attempt]) -> Self {
        Self {
            ids: attempts.iter().map(|attempt| attempt.delivery_id).collect(),
            epochs: attempts.iter().map(|attempt| attempt.epoch).collect(),
            outcomes: attempts.iter().map(|attempt| attempt.outcome.name()).collect(),
            waits: attempts.iter().map(Attempt::retry_ms).collect(),
            errors: attempts.iter().map(|attempt| attempt.outcome.error()).collect(),
            statuses: attempts
                .iter()
                .map(|attempt| attempt.outcome.status().map(i32::from))
                .collect(),
            starts: attempts.iter().map(|attempt| attempt.started_at).collect(),
            durations: attempts.iter().map(Attempt::duration_ms).collect(),
        }
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 8] {
        [
            &self.ids,
            &self.epochs,
            &self.outcomes,
            &self.waits,
            &self.errors,
            &self.statuses,
            &self.starts,
            &self.durations,
        ]
    }
}
