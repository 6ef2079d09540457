//! Moving the dispatcher: from the log to leased deliveries.

use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::claim::{Claimed, Limits, MOST_BYTES, to_i32};
use super::event_row::Events;
use super::order::release_ordered;
use super::place::{Batch, EventKey, Place, Xid};
use super::statements::{DISPATCH_EVENTS, LOCK_DISPATCH};
use super::{Store, StoreError};

/// Pairs of an event and a hook in one move, if it is of more than one event. On two cores 20,000 took 0.3 s.
const MOST_PAIRS: i64 = 20_000;
/// The server gives up before this side does, so that it works for nobody no longer.
const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = '12s'";

/// What the dispatcher did in one move.
pub struct Dispatched {
    /// Events taken.
    pub events: usize,
    /// Deliveries made of them, pairs that are to be decided, and ordered deliveries released.
    pub matched: usize,
    /// Whether what was read was all that was visible: false when an older look was only brought to its end.
    pub was_fresh: bool,
    /// Some pairs wait for `Store::judge`.
    pub undecided: bool,
    /// Those that are this worker's already; the others wait.
    pub leased: Vec<Claimed>,
}

impl Store {
    /// Moves the dispatcher by at most `events` events, then releases ordered deliveries where it may have to. `None` when
    /// another worker is dispatching. One transaction under the dispatcher's lock; what it leases, at most
    /// `limits.deliveries`, is leased to `lease`. It takes fewer events where these are for many hooks, or large.
    pub async fn dispatch(
        &self,
        lease: i64,
        events: usize,
        limits: &Limits,
    ) -> Result<Option<Dispatched>, StoreError> {
        let connection = self.connection().await?;
        let lock = connection.prepare_cached(LOCK_DISPATCH).await?;
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
        // Sent at once: the server works through them without waiting for this side. The lock is a statement of its own, so
        // that the next one's snapshot holds the last owner's cursor.
        let (_begun, locked, rows, _committed) = futures_util::try_join!(
            connection.batch_execute(BEGIN),
            connection.query_one(&lock, &[]),
            connection.query(&dispatch, &parameters),
            connection.batch_execute("COMMIT"),
        )?;
        if !locked.try_get::<_, bool>(0)? {
            self.turn.refused(&connection).await?;
            return Ok(None);
        }
        self.turn.had();
        let ordered = rows.first().map_or(Ok(false), |row| row.try_get(ORDERED))?;
        let mut found = dispatched(&rows)?;
        if ordered {
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

// The columns of the answer, in this order; those of an event follow.
const EVENTS: usize = 0;
const MATCHED: usize = 1;
const FRESH: usize = 2;
const ORDERED: usize = 3;
const UNDECIDED: usize = 4;
const BATCH_ID: usize = 5;
const HOOK_ID: usize = 6;
const VERSION: usize = 7;
const IDS: usize = 8;
const XIDS: usize = 9;
const ORDS: usize = 10;
const EVENT: usize = 11;

/// Reads the answer: the counts are in every row, and a row has a batch, or an event, or neither.
fn dispatched(rows: &[Row]) -> Result<Dispatched, StoreError> {
    let count = |column: usize| -> Result<usize, StoreError> {
        let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(column))?;
        Ok(usize::try_from(count).unwrap_or(0))
    };
    let mut events = Events::default();
    for row in rows {
        events.read(row, EVENT)?;
    }
    let mut leased = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(id) = row.try_get(BATCH_ID)? {
            lease_batch(row, id, &events, &mut leased)?;
        }
    }
    // In the order of the log, whatever order the batches came in.
    leased.sort_by_key(|one| one.event.as_ref().map(|event| event.key));
    Ok(Dispatched {
        events: count(EVENTS)?,
        matched: count(MATCHED)?,
        was_fresh: rows
            .first()
            .map_or(Ok(None), |row| row.try_get(FRESH))?
            .unwrap_or(true),
        undecided: rows.first().map_or(Ok(false), |row| row.try_get(UNDECIDED))?,
        leased,
    })
}

/// Adds the deliveries of a batch.
fn lease_batch(row: &Row, id: i64, events: &Events, leased: &mut Vec<Claimed>) -> Result<(), StoreError> {
    let ids: Vec<i64> = row.try_get(IDS)?;
    let xids: Vec<Xid> = row.try_get(XIDS)?;
    let ords: Vec<i32> = row.try_get(ORDS)?;
    let batch = Arc::new(Batch::new(id, ids.len()));
    let (hook_id, hook_version) = (row.try_get(HOOK_ID)?, row.try_get(VERSION)?);
    for ((id, xid), ord) in ids.into_iter().zip(xids).zip(ords) {
        let key = EventKey { xid, ord };
        leased.push(Claimed {
            id,
            place: Place::Batch {
                batch: Arc::clone(&batch),
                event: key,
            },
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
