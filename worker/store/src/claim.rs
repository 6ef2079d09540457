//! Claiming deliveries that wait in the queue and are due.

use tokio_postgres::Row;
use uuid::Uuid;

use super::columns::columns;
use super::error::StoreError;
use super::event_row::{EventRow, Events};
use super::statements::{CLAIM_DELIVERIES, CLAIM_SUSPECT, HAS_SUSPECTS, NEXT_DUE};
use super::store::Store;
use super::stored::Stored;

/// Deliveries lost twice that run together, with nothing beside them. One of them that kills its worker again is then
/// found alone.
const SUSPECTS: i32 = 64;
/// Bytes of event data in one answer, if it is of more than one event.
pub(super) const MOST_BYTES: i64 = 32 << 20;

/// The most that a worker may take now.
pub struct Limits {
    /// Deliveries in all.
    pub deliveries: usize,
    /// Deliveries of one hook.
    pub per_hook: usize,
    /// Hooks that get none now.
    pub saturated: Vec<Uuid>,
}

/// A delivery that was claimed just now, as the database describes it.
#[derive(Debug)]
pub struct Claimed {
    pub id: i64,
    pub stored: Stored,
    /// 1 for the first attempt.
    pub attempt: i32,
    /// The number of this claim; the end of an older one is refused.
    pub epoch: i32,
    /// Earlier attempts that ended with their worker.
    pub losses: i16,
    pub hook_id: Uuid,
    pub hook_version: i64,
    /// `None` when the event has left the log.
    pub event: Option<EventRow>,
}

impl Store {
    /// Leases deliveries that are due.
    ///
    /// # Errors
    /// Those of any statement. After `Unavailable` it may have claimed: only the end of the lease gives that back.
    pub async fn claim(&self, lease: i64, limits: &Limits) -> Result<Vec<Claimed>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(CLAIM_DELIVERIES).await?;
        let (most, per_hook) = (to_i32(limits.deliveries), to_i32(limits.per_hook));
        let rows = connection
            .query(
                &statement,
                &[&most, &per_hook, &limits.saturated, &lease, &MOST_BYTES],
            )
            .await?;
        claimed(&rows)
    }

    /// True when a delivery waits that was in flight at two crashes.
    pub async fn has_suspects(&self) -> Result<bool, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(HAS_SUSPECTS).await?;
        Ok(connection.query_one(&statement, &[]).await?.try_get(0)?)
    }

    /// Leases some deliveries that were in flight at two crashes, all of one hook. The caller runs nothing beside them.
    ///
    /// # Errors
    /// As for `claim`.
    pub async fn claim_suspects(&self, lease: i64) -> Result<Vec<Claimed>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(CLAIM_SUSPECT).await?;
        let rows = connection
            .query(&statement, &[&lease, &SUSPECTS, &MOST_BYTES])
            .await?;
        claimed(&rows)
    }

    /// Milliseconds until a delivery falls due (negative when one is), `None` when none waits.
    pub async fn next_due(&self) -> Result<Option<i64>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(NEXT_DUE).await?;
        Ok(connection.query_one(&statement, &[]).await?.try_get(0)?)
    }
}

columns! {
    /// The columns of both claims. Those of the event follow.
    ClaimColumns { id, hook_id, version, attempts, epoch, losses }
}

fn claimed(rows: &[Row]) -> Result<Vec<Claimed>, StoreError> {
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let columns = ClaimColumns::of(first)?;
    let mut events = Events::default();
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        claimed.push(Claimed {
            id: row.try_get(columns.id)?,
            stored: Stored::row(),
            attempt: row.try_get(columns.attempts)?,
            epoch: row.try_get(columns.epoch)?,
            losses: row.try_get(columns.losses)?,
            hook_id: row.try_get(columns.hook_id)?,
            hook_version: row.try_get(columns.version)?,
            event: events.read(row)?,
        });
    }
    Ok(claimed)
}

/// A number of things to be asked for; more than the server can count is its greatest number.
pub(super) fn to_i32(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
