//! Delivering the events of a time range again, within a bound: what a person was shown, and no more.

use jiff::Timestamp;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, GenericClient};
use uuid::Uuid;

use crate::{QueryError, statements};

/// A time range of one hook's events.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// Which hook.
    pub hook: Uuid,
    /// Included.
    pub since: Timestamp,
    /// Included.
    pub until: Timestamp,
}

/// How many events of the range match the hook, without delivering one.
///
/// # Errors
/// Those of the statement, also that it took longer than the session's `statement_timeout`.
pub async fn count_replay(client: &Client, range: Range) -> Result<i64, QueryError> {
    replayed(client, range, true).await
}

/// Delivers them again, unless they have become more than `most`: then nothing, and `Err` with their number inside.
///
/// # Errors
/// Those of the statements; nothing is delivered then.
pub async fn replay(client: &mut Client, range: Range, most: i64) -> Result<Result<i64, i64>, QueryError> {
    let transaction = client.transaction().await?;
    let events = replayed(&transaction, range, false).await?;
    if events > most {
        transaction.rollback().await?;
        return Ok(Err(events));
    }
    transaction.commit().await?;
    Ok(Ok(events))
}

/// Whether an error says that a statement took longer than it may.
pub fn took_too_long(error: &QueryError) -> bool {
    error.sqlstate() == Some(&SqlState::QUERY_CANCELED)
}

async fn replayed(client: &impl GenericClient, range: Range, dry_run: bool) -> Result<i64, QueryError> {
    let Range { hook, since, until } = range;
    let row = client
        .query_one(statements::REPLAY, &[&hook, &since, &until, &dry_run])
        .await?;
    Ok(row.try_get("events")?)
}
