//! The health of hooks as all workers share it: which are failing, and which have recovered.

use std::sync::Arc;

use uuid::Uuid;

use super::error::StoreError;
use super::statements::{NOTE_FAILING, NOTE_RECOVERED, PRUNE_HEALTH};
use super::store::Store;
use zerodb_hooks_delivery::hook::Hook;

/// Failures in a row of a hook.
#[derive(Debug, Clone)]
pub struct FailingNote {
    pub hook: Arc<Hook>,
    /// The delivery of the last one.
    pub delivery_id: i64,
    pub failures: u32,
    /// The last error, without secret and payload.
    pub error: String,
}

impl Store {
    /// Notes failures in a row. What the hook became by it, `failing` or `disabled`, if anything.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn note_failing(&self, note: &FailingNote) -> Result<Option<String>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(NOTE_FAILING).await?;
        let failures = i32::try_from(note.failures).unwrap_or(i32::MAX);
        let disable_after = note.hook.disable_after();
        let disable_after = disable_after.map(|time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
        let row = connection
            .query_one(
                &statement,
                &[
                    &note.hook.id,
                    &note.hook.version,
                    &note.delivery_id,
                    &failures,
                    &note.error,
                    &disable_after,
                ],
            )
            .await?;
        Ok(row.try_get(0)?)
    }

    /// Ends the failing of those of the hooks of which a delivery has completed since. Returns how many.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn note_recovered(&self, completed: &[Uuid]) -> Result<i64, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(NOTE_RECOVERED).await?;
        Ok(connection
            .query_one(&statement, &[&completed])
            .await?
            .try_get(0)?)
    }

    /// Forgets hooks that are gone.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn prune_health(&self) -> Result<(), StoreError> {
        self.connection().await?.execute(PRUNE_HEALTH, &[]).await?;
        Ok(())
    }
}
