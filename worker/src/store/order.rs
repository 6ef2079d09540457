//! Releasing ordered deliveries: of each key the next one, when the one before has ended.

use deadpool_postgres::Object;

use super::StoreError;
use super::statements::{LOCK_RELEASE, RELEASE_ORDERED};

/// Makes the first delivery of each key due that is signalled and has none; returns how many. Every worker may call it at any
/// time: they take turns, and a call without need has no effect.
pub(super) async fn release_ordered(connection: &Object) -> Result<usize, StoreError> {
    let lock = connection.prepare_cached(LOCK_RELEASE).await?;
    let release = connection.prepare_cached(RELEASE_ORDERED).await?;
    // Sent at once: the lock is never held while the server waits for this side.
    let (_begun, _locked, released, _committed) = futures_util::try_join!(
        connection.batch_execute("BEGIN"),
        connection.query_one(&lock, &[]),
        connection.query_one(&release, &[]),
        connection.batch_execute("COMMIT"),
    )?;
    Ok(usize::try_from(released.try_get::<_, i64>(0)?).unwrap_or(0))
}
