//! Completing deliveries of batches, many in one row of arrays: the usual end of a delivery.

use jiff::Timestamp;
use tokio_postgres::types::ToSql;
use zerodb_hooks_contract::event_log::COMPLETION_SPAN;

use super::ended_attempt::EndedAttempt;
use super::error::StoreError;
use super::ledger::LedgerSettings;
use super::statements::COMPLETE_DELIVERIES;
use super::store::Store;
use super::xid::{EventKey, Xid};

impl Store {
    /// Writes that these deliveries of batches, sorted by batch and id, were completed, and removes the batches that
    /// are empty with them. Returns how many were accepted: all but those of a lease that has passed on. When the
    /// answer was lost, it is repeated with the same deliveries.
    pub(super) async fn complete(
        &self,
        lease: i64,
        ledger: LedgerSettings<'_>,
        completions: &[EndedAttempt],
        emptied: &[i64],
    ) -> Result<usize, StoreError> {
        let (groups, deliveries) = columns_of(completions);
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(COMPLETE_DELIVERIES).await?;
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&lease, &ledger.worker];
        parameters.extend(groups.parameters());
        parameters.extend(deliveries.parameters());
        parameters.extend([&ledger.keeps_completed as &(dyn ToSql + Sync), &emptied]);
        let answer = connection.query_one(&statement, &parameters).await?;
        Ok(usize::try_from(answer.try_get::<_, i64>(0)?).unwrap_or(0))
    }
}

/// Consecutive deliveries of one batch as arrays: an element for each group, which becomes a row of
/// `zerodb.completion`.
#[derive(Default)]
struct GroupColumns {
    batches: Vec<i64>,
    /// Where the group begins and ends in `DeliveryColumns`, counted from 1 as SQL does.
    first: Vec<i32>,
    last: Vec<i32>,
    first_ids: Vec<i64>,
    last_ids: Vec<i64>,
    first_xids: Vec<Xid>,
    last_xids: Vec<Xid>,
}

/// The deliveries of all groups as arrays.
#[derive(Default)]
struct DeliveryColumns {
    ids: Vec<i64>,
    xids: Vec<Xid>,
    ords: Vec<i32>,
    starts: Vec<Timestamp>,
    durations: Vec<i32>,
    statuses: Vec<Option<i32>>,
}

fn columns_of(completions: &[EndedAttempt]) -> (GroupColumns, DeliveryColumns) {
    let (mut groups, mut deliveries) = (GroupColumns::default(), DeliveryColumns::default());
    for attempt in completions {
        if let Some(delivery) = attempt.stored.batched() {
            let number = deliveries.push(attempt, delivery.event);
            groups.extend(delivery.batch.id, number, attempt.delivery_id, delivery.event.xid);
        }
    }
    (groups, deliveries)
}

impl GroupColumns {
    /// Adds the delivery with this number to the group of its batch, or begins one.
    fn extend(&mut self, batch: i64, number: i32, id: i64, xid: Xid) {
        if !self.takes(batch, id, xid) {
            self.batches.push(batch);
            self.first.push(number);
            self.last.push(number);
            self.first_ids.push(id);
            self.last_ids.push(id);
            self.first_xids.push(xid);
            self.last_xids.push(xid);
        }
        change_last(&mut self.last, |_| number);
        change_last(&mut self.last_ids, |_| id);
        change_last(&mut self.first_xids, |first| first.min(xid));
        change_last(&mut self.last_xids, |last| last.max(xid));
    }

    /// Whether the delivery belongs to the last group: it is of its batch, and near enough to be found with it.
    fn takes(&self, batch: i64, id: i64, xid: Xid) -> bool {
        let (Some(first_id), Some(first), Some(last)) = (
            self.first_ids.last(),
            self.first_xids.last(),
            self.last_xids.last(),
        ) else {
            return false;
        };
        let (first, last) = ((*first).min(xid), (*last).max(xid));
        self.batches.last() == Some(&batch)
            && id.abs_diff(*first_id) < COMPLETION_SPAN
            && last.0.abs_diff(first.0) < COMPLETION_SPAN
    }

    /// $3 to $9 of `complete_deliveries.sql`.
    fn parameters(&self) -> [&(dyn ToSql + Sync); 7] {
        [
            &self.batches,
            &self.first,
            &self.last,
            &self.first_ids,
            &self.last_ids,
            &self.first_xids,
            &self.last_xids,
        ]
    }
}

impl DeliveryColumns {
    /// Adds a delivery and returns its number, counted from 1.
    fn push(&mut self, attempt: &EndedAttempt, event: EventKey) -> i32 {
        self.ids.push(attempt.delivery_id);
        self.xids.push(event.xid);
        self.ords.push(event.ord);
        self.starts.push(attempt.started_at);
        self.durations.push(attempt.duration_ms());
        self.statuses.push(attempt.status());
        i32::try_from(self.ids.len()).unwrap_or(i32::MAX)
    }

    /// $10 to $15 of `complete_deliveries.sql`.
    fn parameters(&self) -> [&(dyn ToSql + Sync); 6] {
        [
            &self.ids,
            &self.xids,
            &self.ords,
            &self.starts,
            &self.durations,
            &self.statuses,
        ]
    }
}

fn change_last<T: Copy>(values: &mut [T], change: impl Fn(T) -> T) {
    if let Some(last) = values.last_mut() {
        *last = change(*last);
    }
}
