//! Moving the dispatcher: from the log to leased deliveries.

use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::claim::{Claimed, Limits, MOST_BYTES, to_i32};
use super::columns::columns;
use super::error::StoreError;
use super::event_row::Events;
use super::order::release_ordered;
use super::statements::DISPATCH_EVENTS;
use super::store::Store;
use super::stored::{Batch, Stored};
use super::xid::{EventKey, Xid};

/// Pairs of an event and a hook in one move, if it is of more than one event. On two cores 20,000 took 0.3 s.
const MOST_PAIRS: i64 = 20_000;
/// The server gives up before this side does, so that it works for nobody no longer.
const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = '12s'";

/// The result of one move of the dispatcher.
#[derive(Debug)]
pub struct Dispatched {
    /// Events taken.
    pub events: usize,
    /// Deliveries made of them, pairs that are to be decided, and ordered deliveries released.
    pub matched: usize,
    /// Whether all that was visible was read: false when only an older window of the log was brought to its end.
    pub was_fresh: bool,
    /// Some pairs wait for `Store::judge`.
    pub undecided: bool,
    /// The deliveries that are leased to this worker; the others wait in the queue.
    pub leased: Vec<Claimed>,
}

impl Store {
    /// Moves the dispatcher by at most `events` events, then releases ordered deliveries where it may have to. `None`
    /// when another worker is dispatching. One transaction under the dispatcher's lock. It leases at most
    /// `limits.deliveries` to `lease`, and takes fewer events where these are for many hooks, or large.
    ///
    /// # Errors
    /// Those of any statement. After `Unavailable` it may have leased: only the end of the lease gives that back.
    pub async fn dispatch(
        &self,
        lease: i64,
        events: usize,
        limits: &Limits,
    ) -> Result<Option<Dispatched>, StoreError> {
        let connection = self.connection().await?;
        let dispatch = connection.prepare_cached(DISPATCH_EVENTS).await?;
        let (most, deliveries) = (to_i32(events), to_i32(limits.deliveries));
        let parameters: [&(dyn ToSql + Sync); 6] = [
            &most,
            &lease,
            &deliveries,
            &limits.saturated,
            &MOST_PAIRS,
            &MOST_BYTES,
        ];
        // Sent at once: the server works through them without waiting for this side.
        let (_begun, rows, _committed) = futures_util::try_join!(
            connection.batch_execute(BEGIN),
            connection.query(&dispatch, &parameters),
            connection.batch_execute("COMMIT"),
        )?;
        let Some(first) = rows.first() else {
            self.stall().was_refused(&connection).await?;
            return Ok(None);
        };
        self.stall().had_lock();
        let columns = DispatchColumns::of(first)?;
        let mut found = dispatched(first, &rows, &columns)?;
        if first.try_get(columns.ordered)? {
            match release_ordered(&connection).await {
                Ok(released) => found.matched += released,
                // What is leased must not be forgotten, and the signals stay for the next time.
                Err(error) if !found.leased.is_empty() => {
                    tracing::warn!(%error, "ordered deliveries could not be released, trying again");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(found))
    }
}

columns! {
    /// The columns of the answer. The counts are in every row. A row has a batch, or an event, or neither.
    DispatchColumns {
        events,
        matched,
        fresh,
        ordered,
        undecided,
        batch_id,
        hook_id,
        version,
        ids,
        event_xids,
        event_ords,
    }
}

fn dispatched(first: &Row, rows: &[Row], columns: &DispatchColumns) -> Result<Dispatched, StoreError> {
    let count = |column: usize| -> Result<usize, StoreError> {
        Ok(usize::try_from(first.try_get::<_, i64>(column)?).unwrap_or(0))
    };
    let mut events = Events::default();
    for row in rows {
        events.read(row)?;
    }
    let mut leased = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(id) = row.try_get(columns.batch_id)? {
            lease_batch(row, columns, id, &events, &mut leased)?;
        }
    }
    // In the order of the log, whatever order the batches came in.
    leased.sort_by_key(|one| one.event.as_ref().map(|event| event.key));
    Ok(Dispatched {
        events: count(columns.events)?,
        matched: count(columns.matched)?,
        was_fresh: first.try_get::<_, Option<bool>>(columns.fresh)?.unwrap_or(true),
        undecided: first.try_get(columns.undecided)?,
        leased,
    })
}

/// Adds the deliveries of a batch.
fn lease_batch(
    row: &Row,
    columns: &DispatchColumns,
    id: i64,
    events: &Events,
    leased: &mut Vec<Claimed>,
) -> Result<(), StoreError> {
    let ids: Vec<i64> = row.try_get(columns.ids)?;
    let xids: Vec<Xid> = row.try_get(columns.event_xids)?;
    let ords: Vec<i32> = row.try_get(columns.event_ords)?;
    let batch = Arc::new(Batch::new(id, ids.len()));
    let (hook_id, hook_version) = (row.try_get(columns.hook_id)?, row.try_get(columns.version)?);
    for ((id, xid), ord) in ids.into_iter().zip(xids).zip(ords) {
        let key = EventKey { xid, ord };
        leased.push(Claimed {
            id,
            stored: Stored::in_batch(Arc::clone(&batch), key),
            attempt: 1,
            epoch: 1,
            losses: 0,
            hook_id,
            hook_version,
            event: events.get(key).cloned(),
        });
    }
    Ok(())
}
