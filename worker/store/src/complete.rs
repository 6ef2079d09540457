//! Completing deliveries of batches: the arrays that one statement writes. The usual end of a delivery.

use jiff::Timestamp;

use super::place::{EventKey, Xid};
use super::statements::COMPLETE_DELIVERIES;
use super::{Attempt, Place, Store, StoreError};

/// Deliveries to be written, in groups of one batch each.
#[derive(Default)]
struct Groups {
    batches: Vec<i64>,
    /// Places in the arrays below, counted from 1, as SQL does.
    first: Vec<i32>,
    last: Vec<i32>,
    first_ids: Vec<i64>,
    last_ids: Vec<i64>,
    first_xids: Vec<Xid>,
    last_xids: Vec<Xid>,
    ids: Vec<i64>,
    xids: Vec<Xid>,
    ords: Vec<i32>,
    starts: Vec<Timestamp>,
    durations: Vec<i32>,
    statuses: Vec<Option<i32>>,
}

impl Groups {
    fn of(attempts: &[Attempt]) -> Self {
        let mut groups = Self::default();
        for attempt in attempts {
            if let Place::Batch { batch, event } = &attempt.place {
                groups.add(batch.id, *event, attempt);
            }
        }
        groups
    }

    fn add(&mut self, batch: i64, event: EventKey, attempt: &Attempt) {
        if self.batches.last() != Some(&batch) {
            self.batches.push(batch);
            self.first.push(self.place() + 1);
            self.last.push(0);
            self.first_ids.push(attempt.delivery_id);
            self.last_ids.push(0);
            self.first_xids.push(event.xid);
            self.last_xids.push(event.xid);
        }
        self.ids.push(attempt.delivery_id);
        self.xids.push(event.xid);
        self.ords.push(event.ord);
        self.starts.push(attempt.started_at);
        self.durations.push(attempt.duration_ms());
        self.statuses.push(attempt.outcome.status().map(i32::from));
        let place = self.place();
        widen(&mut self.last, |_| place);
        widen(&mut self.last_ids, |_| attempt.delivery_id);
        widen(&mut self.first_xids, |xid| xid.min(event.xid));
        widen(&mut self.last_xids, |xid| xid.max(event.xid));
    }

    fn place(&self) -> i32 {
        i32::try_from(self.ids.len()).unwrap_or(i32::MAX)
    }
}

/// Changes what is kept of the group at the end.
fn widen<T: Copy>(bounds: &mut [T], change: impl Fn(T) -> T) {
    if let Some(bound) = bounds.last_mut() {
        *bound = change(*bound);
    }
}

impl Store {
    /// Writes that these deliveries of batches, sorted by batch and id, were completed, and removes the batches that have
    /// ended with them; returns how many were accepted: all but those of a lease that has passed on. When the answer was
    /// lost, it is repeated with the same deliveries.
    pub async fn complete(
        &self,
        lease: i64,
        worker: &str,
        record_all: bool,
        attempts: &[Attempt],
        ended_batches: &[i64],
    ) -> Result<usize, StoreError> {
        let groups = Groups::of(attempts);
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(COMPLETE_DELIVERIES).await?;
        let accepted: i64 = connection
            .query_one(
                &statement,
                &[
                    &lease,
                    &worker,
                    &groups.batches,
                    &groups.first,
                    &groups.last,
                    &groups.first_ids,
                    &groups.last_ids,
                    &groups.first_xids,
                    &groups.last_xids,
                    &groups.ids,
                    &groups.xids,
                    &groups.ords,
                    &groups.starts,
                    &groups.durations,
                    &groups.statuses,
                    &record_all,
                    &ended_batches,
                ],
            )
            .await?
            .try_get(0)?;
        Ok(usize::try_from(accepted).unwrap_or(0))
    }
}
