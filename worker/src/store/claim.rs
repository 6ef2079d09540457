//! Getting work: from the log to leased deliveries, and due deliveries.

use tokio_postgres::Row;
use uuid::Uuid;

use super::statements::{
    CLAIM_DELIVERIES, CLAIM_SUSPECT, DISPATCH_EVENTS, HAS_SUSPECTS, LOCK_DISPATCH, NEXT_DUE,
};
use super::{Store, StoreError};

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
    /// Deliveries made of them.
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
    pub xid: i64,
    pub ord: i32,
    pub event_type: String,
    pub data: String,
    pub user_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub bank_id: Option<String>,
    pub traceparent: Option<String>,
    pub created_at: jiff::Timestamp,
}

impl Store {
    /// Moves the dispatcher by at most `events` events. `None` when another worker is dispatching. One transaction under
    /// the dispatcher's lock; what it leases, at most `limits.deliveries`, is leased to `lease`.
    pub async fn dispatch(
        &self,
        lease: i64,
        events: usize,
        limits: &Limits,
    ) -> Result<Option<Dispatched>, StoreError> {
        let mut connection = self.connection().await?;
        let lock = connection.prepare_cached(LOCK_DISPATCH).await?;
        let dispatch = connection.prepare_cached(DISPATCH_EVENTS).await?;
        let transaction = connection.transaction().await?;
        // The lock comes in a statement of its own: the next one's snapshot then holds the last owner's cursor.
        if !transaction.query_one(&lock, &[]).await?.try_get::<_, bool>(0)? {
            return Ok(None);
        }
        let deliveries = to_i32(limits.deliveries);
        let rows = transaction
            .query(
                &dispatch,
                &[&to_i32(events), &lease, &deliveries, &limits.saturated],
            )
            .await?;
        transaction.commit().await?;
        let count = |column: &str| -> Result<usize, StoreError> {
            let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(column))?;
            Ok(usize::try_from(count).unwrap_or(0))
        };
        Ok(Some(Dispatched {
            events: count("events")?,
            matched: count("matched")?,
            was_fresh: rows.first().map_or(Ok(true), |row| row.try_get("fresh"))?,
            leased: rows
                .iter()
                .filter_map(|row| dispatched(row).transpose())
                .collect::<Result<_, _>>()?,
        }))
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

    /// Leases one such delivery; the caller runs nothing beside it.
    pub async fn claim_suspect(&self, lease: i64) -> Result<Option<Claimed>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(CLAIM_SUSPECT).await?;
        connection
            .query_opt(&statement, &[&lease])
            .await?
            .as_ref()
            .map(claimed)
            .transpose()
    }

    /// Milliseconds until a delivery falls due (negative when one is), `None` when none waits.
    pub async fn next_due(&self) -> Result<Option<i64>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(NEXT_DUE).await?;
        Ok(connection.query_one(&statement, &[]).await?.try_get(0)?)
    }
}

fn claimed(row: &Row) -> Result<Claimed, StoreError> {
    Ok(Claimed {
        id: row.try_get("id")?,
        attempt: row.try_get("attempts")?,
        epoch: row.try_get("epoch")?,
        losses: row.try_get("losses")?,
        hook_id: row.try_get("hook_id")?,
        hook_version: row.try_get("version")?,
        event: event_row(row)?,
    })
}

/// A row of the dispatch statement; `None` for the one that only carries the count.
fn dispatched(row: &Row) -> Result<Option<Claimed>, StoreError> {
    let Some(id) = row.try_get("id")? else {
        return Ok(None);
    };
    Ok(Some(Claimed {
        id,
        attempt: 1,
        epoch: 1,
        losses: 0,
        hook_id: row.try_get("hook_id")?,
        hook_version: row.try_get("version")?,
        event: event_row(row)?,
    }))
}

fn event_row(row: &Row) -> Result<Option<EventRow>, StoreError> {
    let Some(event_type) = row.try_get("event_type")? else {
        return Ok(None);
    };
    Ok(Some(EventRow {
        event_type,
        xid: row.try_get("event_xid")?,
        ord: row.try_get("event_ord")?,
        data: row.try_get("data")?,
        user_id: row.try_get("user_id")?,
        project_id: row.try_get("project_id")?,
        bank_id: row.try_get("bank_id")?,
        traceparent: row.try_get("traceparent")?,
        created_at: row.try_get("created_at")?,
    }))
}

fn to_i32(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
