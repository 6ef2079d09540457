//! Getting work: from the log to leased deliveries, and due deliveries.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::order::release_ordered;
use super::place::{Batch, EventKey, Json, Place};
use super::statements::{
    CLAIM_DELIVERIES, CLAIM_SUSPECT, DISPATCH_EVENTS, HAS_SUSPECTS, LOCK_DISPATCH, NEXT_DUE,
};
use super::{Store, StoreError};

/// Deliveries lost twice that run together, with nothing beside them. One of them that kills its worker again is then found alone.
const SUSPECTS: i32 = 64;

/// How much this worker can take now.
pub struct Limits {
    /// Deliveries in all.
    pub deliveries: usize,
    /// Deliveries of one hook.
    pub per_hook: usize,
    /// Hooks that get none now.
    pub saturated: Vec<Uuid>,
}

/// What the dispatcher did in one move.
pub struct Dispatched {
    /// Events read.
    pub events: usize,
    /// Deliveries made of them, and ordered ones released.
    pub matched: usize,
    /// Whether what was read was all that was visible: false when an older look was only brought to its end.
    pub was_fresh: bool,
    /// Those that are this worker's already; the others wait.
    pub leased: Vec<Claimed>,
}

/// A leased delivery as the database describes it.
#[derive(Debug)]
pub struct Claimed {
    pub id: i64,
    pub place: Place,
    pub attempt: i32,
    pub epoch: i32,
    /// Earlier attempts that ended with their worker.
    pub losses: i16,
    pub hook_id: Uuid,
    pub hook_version: i64,
    /// `None` when the event has left the log.
    pub event: Option<EventRow>,
}

#[derive(Debug)]
pub struct EventRow {
    pub key: EventKey,
    pub event_type: String,
    pub data: serde_json::Value,
    pub user_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub bank_id: Option<String>,
    pub traceparent: Option<String>,
    pub created_at: jiff::Timestamp,
    /// The table whose row it is about; 0 when it was emitted.
    pub relid: u32,
}

impl Store {
    /// Moves the dispatcher by at most `events` events, then releases ordered deliveries where it may have to. `None` when
    /// another worker is dispatching. One transaction under the dispatcher's lock; what it leases, at most
    /// `limits.deliveries`, is leased to `lease`.
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
        let parameters: [&(dyn ToSql + Sync); 4] = [&most, &lease, &deliveries, &limits.saturated];
        // Sent at once: the server works through them without waiting for this side. The lock is a statement of its own, so
        // that the next one's snapshot holds the last owner's cursor.
        let (_begun, locked, rows, _committed) = futures_util::try_join!(
            connection.batch_execute("BEGIN"),
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

    /// Leases deliveries that are due.
    pub async fn claim(&self, lease: i64, limits: &Limits) -> Result<Vec<Claimed>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(CLAIM_DELIVERIES).await?;
        let (most, per_hook) = (to_i32(limits.deliveries), to_i32(limits.per_hook));
        let rows = connection
            .query(&statement, &[&most, &per_hook, &limits.saturated, &lease])
            .await?;
        rows.iter().map(claimed).collect()
    }

    /// True when a delivery waits that was in flight at two crashes.
    pub async fn has_suspects(&self) -> Result<bool, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(HAS_SUSPECTS).await?;
        Ok(connection.query_one(&statement, &[]).await?.try_get(0)?)
    }

    /// Leases some of them, all of one hook; the caller runs nothing beside them.
    pub async fn claim_suspects(&self, lease: i64) -> Result<Vec<Claimed>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(CLAIM_SUSPECT).await?;
        let rows = connection.query(&statement, &[&lease, &SUSPECTS]).await?;
        rows.iter().map(claimed).collect()
    }

    /// Milliseconds until a delivery falls due (negative when one is), `None` when none waits.
    pub async fn next_due(&self) -> Result<Option<i64>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(NEXT_DUE).await?;
        Ok(connection.query_one(&statement, &[]).await?.try_get(0)?)
    }
}

// The columns that the three statements have in common, in this order, and those that follow.
const ID: usize = 0;
const HOOK_ID: usize = 1;
const HOOK_VERSION: usize = 2;
const EVENT_XID: usize = 3;
const EVENT_ORD: usize = 4;
const SLOT: usize = 5;
const EVENT_TYPE: usize = 6;
const DATA: usize = 7;
const USER_ID: usize = 8;
const PROJECT_ID: usize = 9;
const BANK_ID: usize = 10;
const TRACEPARENT: usize = 11;
const CREATED_AT: usize = 12;
const RELID: usize = 13;
const ATTEMPTS: usize = 14;
const EPOCH: usize = 15;
const LOSSES: usize = 16;
const EVENTS: usize = 14;
const MATCHED: usize = 15;
const FRESH: usize = 16;
const ORDERED: usize = 17;

fn claimed(row: &Row) -> Result<Claimed, StoreError> {
    Ok(Claimed {
        id: row.try_get(ID)?,
        place: Place::Row,
        attempt: row.try_get(ATTEMPTS)?,
        epoch: row.try_get(EPOCH)?,
        losses: row.try_get(LOSSES)?,
        hook_id: row.try_get(HOOK_ID)?,
        hook_version: row.try_get(HOOK_VERSION)?,
        event: event_row(row)?,
    })
}

/// Reads the answer of the dispatch statement: the counts are in every row, and a row without delivery has only them.
fn dispatched(rows: &[Row]) -> Result<Dispatched, StoreError> {
    let count = |column: usize| -> Result<usize, StoreError> {
        let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(column))?;
        Ok(usize::try_from(count).unwrap_or(0))
    };
    let batches = batches(rows)?;
    let mut leased = Vec::with_capacity(rows.len());
    for row in rows {
        let (Some(id), Some(event)) = (row.try_get(ID)?, event_row(row)?) else {
            continue;
        };
        let hook_id = row.try_get(HOOK_ID)?;
        let Some(batch) = batches.get(&(hook_id, row.try_get(SLOT)?)) else {
            continue;
        };
        leased.push(Claimed {
            id,
            place: Place::Batch {
                batch: Arc::clone(batch),
                event: event.key,
            },
            attempt: 1,
            epoch: 1,
            losses: 0,
            hook_id,
            hook_version: row.try_get(HOOK_VERSION)?,
            event: Some(event),
        });
    }
    Ok(Dispatched {
        events: count(EVENTS)?,
        matched: count(MATCHED)?,
        was_fresh: rows
            .first()
            .map_or(Ok(None), |row| row.try_get(FRESH))?
            .unwrap_or(true),
        leased,
    })
}

/// The batches that the dispatch statement made: one for each hook and slot, named by its least delivery.
fn batches(rows: &[Row]) -> Result<HashMap<(Uuid, i16), Arc<Batch>>, StoreError> {
    let mut sizes = HashMap::<(Uuid, i16), (i64, usize)>::new();
    for row in rows {
        let Some(id) = row.try_get::<_, Option<i64>>(ID)? else {
            continue;
        };
        let (least, size) = sizes
            .entry((row.try_get(HOOK_ID)?, row.try_get(SLOT)?))
            .or_insert((id, 0));
        *least = id.min(*least);
        *size += 1;
    }
    Ok(sizes
        .into_iter()
        .map(|(key, (least, size))| (key, Arc::new(Batch::new(least, size))))
        .collect())
}

fn event_row(row: &Row) -> Result<Option<EventRow>, StoreError> {
    let Some(event_type) = row.try_get(EVENT_TYPE)? else {
        return Ok(None);
    };
    Ok(Some(EventRow {
        key: EventKey {
            xid: row.try_get(EVENT_XID)?,
            ord: row.try_get(EVENT_ORD)?,
        },
        event_type,
        data: row.try_get::<_, Json>(DATA)?.0,
        user_id: row.try_get(USER_ID)?,
        project_id: row.try_get(PROJECT_ID)?,
        bank_id: row.try_get(BANK_ID)?,
        traceparent: row.try_get(TRACEPARENT)?,
        created_at: row.try_get(CREATED_AT)?,
        relid: row.try_get(RELID)?,
    }))
}

fn to_i32(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
