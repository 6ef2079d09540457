//! Getting work that waits in the queue: deliveries that are due.

use tokio_postgres::Row;
use uuid::Uuid;

use super::event_row::{EventRow, Events};
use super::place::Place;
use super::statements::{CLAIM_DELIVERIES, CLAIM_SUSPECT, HAS_SUSPECTS, NEXT_DUE};
use super::{Store, StoreError};

/// Deliveries lost twice that run together, with nothing beside them. One of them that kills its worker again is then found alone.
const SUSPECTS: i32 = 64;
/// Bytes of event data in one answer, if it is of more than one event.
pub(super) const MOST_BYTES: i64 = 32 << 20;

/// How much this worker can take now.
pub struct Limits {
    /// Deliveries in all.
    pub deliveries: usize,
    /// Deliveries of one hook.
    pub per_hook: usize,
    /// Hooks that get none now.
    pub saturated: Vec<Uuid>,
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

impl Store {
    /// Leases deliveries that are due.
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

    /// Leases some of them, all of one hook; the caller runs nothing beside them.
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

// The columns of both claims, in this order; those of the event follow.
const ID: usize = 0;
const HOOK_ID: usize = 1;
const HOOK_VERSION: usize = 2;
const ATTEMPTS: usize = 3;
const EPOCH: usize = 4;
const LOSSES: usize = 5;
const EVENT: usize = 6;

fn claimed(rows: &[Row]) -> Result<Vec<Claimed>, StoreError> {
    let mut events = Events::default();
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        claimed.push(Claimed {
            id: row.try_get(ID)?,
            place: Place::Row,
            attempt: row.try_get(ATTEMPTS)?,
            epoch: row.try_get(EPOCH)?,
            losses: row.try_get(LOSSES)?,
            hook_id: row.try_get(HOOK_ID)?,
            hook_version: row.try_get(HOOK_VERSION)?,
            event: events.read(row, EVENT)?,
        });
    }
    Ok(claimed)
}

pub(super) fn to_i32(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
