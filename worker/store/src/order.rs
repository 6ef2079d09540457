//! Releasing ordered deliveries: of each key the next one, when the one before has ended.

use deadpool_postgres::Object;
use tokio_postgres::error::SqlState;

use super::error::StoreError;
use super::statements::{LOCK_RELEASE, RELEASE_ORDERED};

/// Makes the first delivery of each key due that is signalled and has none; returns how many. Every worker may call
/// it at any time: they take turns, and a call without need has no effect. Nothing is released where the turn does
/// not come within the 5 s of `lock_release.sql`: the signals stay for the next call.
pub(super) async fn release_ordered(connection: &Object) -> Result<usize, StoreError> {
    let lock = connection.prepare_cached(LOCK_RELEASE).await?;
    let release = connection.prepare_cached(RELEASE_ORDERED).await?;
    // Sent at once: the lock is never held while the server waits for this side.
    let (begun, locked, released, committed) = futures_util::join!(
        connection.batch_execute("BEGIN"),
        connection.query_one(&lock, &[]),
        connection.query_one(&release, &[]),
        connection.batch_execute("COMMIT"),
    );
    match locked {
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            tracing::warn!("the turn to release ordered deliveries did not come within 5 s, trying again");
            return Ok(0);
        }
        other => other?,
    };
    begun?;
    committed?;
    Ok(usize::try_from(released?.try_get::<_, i64>(0)?).unwrap_or(0))
}
