//! Ending attempts of deliveries that have a row, and of those that get one by it: all but the completions of batches.

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::ended_attempt::EndedAttempt;
use super::error::StoreError;
use super::ledger::LedgerSettings;
use super::statements::{FINISH_DELIVERIES, SPILL_DELIVERIES};
use super::store::Store;
use super::xid::Xid;

/// The answer to outcomes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Finished {
    /// How many were written: those whose lease and claim still held.
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
            if row.try_get("locked")? {
                finished.locked.push(row.try_get("id")?);
            } else {
                finished.accepted += 1;
                finished.unblocks |= row.try_get::<_, bool>("unblocks")?;
            }
        }
        Ok(finished)
    }
}

impl Store {
    /// Writes the outcomes, and waits for no other session: rows that one holds are `locked`. Deliveries of batches
    /// get their rows first, in the same transaction. Idempotent: an outcome that was written before is refused the
    /// second time.
    pub(super) async fn finish(
        &self,
        lease: i64,
        ledger: LedgerSettings<'_>,
        attempts: &[EndedAttempt],
    ) -> Result<Finished, StoreError> {
        let connection = self.connection().await?;
        let spill = connection.prepare_cached(SPILL_DELIVERIES).await?;
        let finish = connection.prepare_cached(FINISH_DELIVERIES).await?;
        let spilled = SpilledColumns::of(attempts);
        let outcomes = OutcomeColumns::of(attempts);
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&lease];
        parameters.extend(outcomes.parameters());
        parameters.extend([&ledger.worker as &(dyn ToSql + Sync), &ledger.keeps_completed]);
        if spilled.ids.is_empty() {
            return Finished::of(&connection.query(&finish, &parameters).await?);
        }
        // Sent at once: the server works through them without waiting for this side.
        let (_begun, _spilled, finished, _committed) = futures_util::try_join!(
            connection.batch_execute("BEGIN"),
            async {
                let SpilledColumns {
                    batches,
                    ids,
                    xids,
                    ords,
                } = &spilled;
                connection
                    .execute(&spill, &[&lease, batches, ids, xids, ords])
                    .await
            },
            connection.query(&finish, &parameters),
            connection.batch_execute("COMMIT"),
        )?;
        Finished::of(&finished)
    }
}

/// The attempts at deliveries of batches as arrays: the parameters of `spill_deliveries.sql` after the lease.
#[derive(Default)]
struct SpilledColumns {
    batches: Vec<i64>,
    ids: Vec<i64>,
    xids: Vec<Xid>,
    ords: Vec<i32>,
}

impl SpilledColumns {
    fn of(attempts: &[EndedAttempt]) -> Self {
        let mut columns = Self::default();
        for attempt in attempts {
            if let Some(delivery) = attempt.stored.batched() {
                columns.batches.push(delivery.batch.id);
                columns.ids.push(attempt.delivery_id);
                columns.xids.push(delivery.event.xid);
                columns.ords.push(delivery.event.ord);
            }
        }
        columns
    }
}

/// The attempts as arrays: the parameters of `finish_deliveries.sql` between the lease and the ledger's.
struct OutcomeColumns<'a> {
    ids: Vec<i64>,
    epochs: Vec<i32>,
    outcomes: Vec<&'static str>,
    waits: Vec<i64>,
    errors: Vec<Option<&'a str>>,
    statuses: Vec<Option<i32>>,
    starts: Vec<Timestamp>,
    durations: Vec<i32>,
}

impl<'a> OutcomeColumns<'a> {
    fn of(attempts: &'a [EndedAttempt]) -> Self {
        Self {
            ids: attempts.iter().map(|attempt| attempt.delivery_id).collect(),
            epochs: attempts.iter().map(|attempt| attempt.epoch).collect(),
            outcomes: attempts.iter().map(|attempt| attempt.outcome.written()).collect(),
            waits: attempts.iter().map(EndedAttempt::retry_ms).collect(),
            errors: attempts.iter().map(|attempt| attempt.outcome.error()).collect(),
            statuses: attempts.iter().map(EndedAttempt::status).collect(),
            starts: attempts.iter().map(|attempt| attempt.started_at).collect(),
            durations: attempts.iter().map(EndedAttempt::duration_ms).collect(),
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
