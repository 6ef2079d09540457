//! Keeping the relations flat: rotation of the log, pruning.

use super::error::StoreError;
use super::statements::{
    CANCEL_ORPHANS, NOTE_SETTINGS, PRUNE_AUDIT, PRUNE_CURSOR, PRUNE_DELIVERIES, ROTATE_LOG,
};
use super::store::Store;

/// Deliveries deleted or cancelled in one statement.
const BATCH: i32 = 10_000;

/// How far pruning has come. What is old and had not ended when it was passed is met again from the start.
#[derive(Debug, Default)]
pub struct PrunePlace {
    after: i64,
}

impl Store {
    /// True when the partition was emptied.
    pub async fn rotate_log(&self, slot: i32, retention: &str) -> Result<bool, StoreError> {
        let connection = self.connection().await?;
        Ok(connection
            .query_one(ROTATE_LOG, &[&slot, &retention])
            .await?
            .try_get(0)?)
    }

    /// Looks at a batch of deliveries and deletes those that ended before the retention. Moves `place` to where the
    /// next call goes on; true when that is worth while now.
    pub async fn prune_deliveries(
        &self,
        retention: &str,
        place: &mut PrunePlace,
    ) -> Result<bool, StoreError> {
        let connection = self.connection().await?;
        let row = connection
            .query_one(PRUNE_DELIVERIES, &[&retention, &place.after, &BATCH])
            .await?;
        place.after = row.try_get(0)?;
        Ok(row.try_get(1)?)
    }

    pub async fn prune_cursor(&self) -> Result<(), StoreError> {
        self.connection().await?.query_one(PRUNE_CURSOR, &[]).await?;
        Ok(())
    }

    /// Deletes rows of the audit trail that have been kept long enough; true when there may be more.
    pub async fn prune_audit(&self) -> Result<bool, StoreError> {
        let row = self.connection().await?.query_one(PRUNE_AUDIT, &[&BATCH]).await?;
        Ok(row.try_get(0)?)
    }

    /// Has the audit trail say which settings have changed.
    pub async fn note_settings(&self) -> Result<(), StoreError> {
        self.connection().await?.query_one(NOTE_SETTINGS, &[]).await?;
        Ok(())
    }

    /// Cancels what waits for hooks that are gone; true when there may be more.
    pub async fn cancel_orphans(&self) -> Result<bool, StoreError> {
        let row = self
            .connection()
            .await?
            .query_one(CANCEL_ORPHANS, &[&BATCH])
            .await?;
        Ok(row.try_get::<_, i64>(0)? >= i64::from(BATCH))
    }

    /// Tells the other workers that there is work.
    pub async fn wake_peers(&self) -> Result<(), StoreError> {
        self.connection()
            .await?
            .query_one(super::statements::WAKE_PEERS, &[])
            .await?;
        Ok(())
    }
}
