//! Backfills: which one is worked on by whom, and how far it has come.

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::error::StoreError;
use super::statements::{ADVANCE_BACKFILL, CLAIM_BACKFILL, LEAVE_BACKFILL};
use super::store::Store;

/// A backfill of this worker's.
#[derive(Debug, Clone)]
pub struct Backfill {
    pub hook_id: Uuid,
    pub hook_version: i64,
    pub relid: u32,
    /// The type of the events that the table's watch records.
    pub event_type: String,
    pub missing_only: bool,
    pub replaces_given: bool,
    /// The key after which it goes on.
    pub after: Option<Value>,
    /// Rows in all, once they are counted.
    pub total: Option<i64>,
}

/// The result of a page.
#[derive(Debug, Default)]
pub struct Page {
    /// The last key; `None` at the end of the table.
    pub last: Option<Value>,
    pub seen: i64,
    pub done: i64,
    pub failed: Vec<(Value, String)>,
}

impl Store {
    /// Takes a backfill that nobody works on.
    pub async fn claim_backfill(&self, lease: i64) -> Result<Option<Backfill>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(CLAIM_BACKFILL).await?;
        let Some(row) = connection.query_opt(&statement, &[&lease]).await? else {
            return Ok(None);
        };
        Ok(Some(Backfill {
            hook_id: row.try_get("hook_id")?,
            relid: row.try_get("relid")?,
            event_type: row.try_get("event_type")?,
            missing_only: row.try_get("missing_only")?,
            replaces_given: row.try_get("replaces_given")?,
            after: row.try_get("after_key")?,
            total: row.try_get("total")?,
            hook_version: row.try_get("version")?,
        }))
    }

    /// Notes how many rows there are. False when the backfill is no longer this worker's.
    pub async fn count_backfill(
        &self,
        lease: i64,
        backfill: &Backfill,
        total: i64,
    ) -> Result<bool, StoreError> {
        self.move_backfill(lease, backfill, &Page::default(), Some(total))
            .await
    }

    /// Moves a backfill past a page. False when it is no longer this worker's: another took it, it was started anew,
    /// or its hook is paused.
    pub async fn advance_backfill(
        &self,
        lease: i64,
        backfill: &Backfill,
        page: &Page,
    ) -> Result<bool, StoreError> {
        self.move_backfill(lease, backfill, page, None).await
    }

    async fn move_backfill(
        &self,
        lease: i64,
        backfill: &Backfill,
        page: &Page,
        total: Option<i64>,
    ) -> Result<bool, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(ADVANCE_BACKFILL).await?;
        let (keys, errors): (Vec<&Value>, Vec<&str>) = page
            .failed
            .iter()
            .map(|(key, error)| (key, error.as_str()))
            .unzip();
        let row = connection
            .query_one(
                &statement,
                &[
                    &lease,
                    &backfill.hook_id,
                    &backfill.relid,
                    &page.last,
                    &page.seen,
                    &page.done,
                    &keys,
                    &errors,
                    &total,
                ],
            )
            .await?;
        Ok(row.try_get(0)?)
    }

    /// Gives a backfill back, to be taken up again after `wait` by whoever is free.
    pub async fn leave_backfill(
        &self,
        lease: i64,
        backfill: &Backfill,
        wait: Duration,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(LEAVE_BACKFILL).await?;
        let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        connection
            .execute(
                &statement,
                &[&lease, &backfill.hook_id, &backfill.relid, &wait, &error],
            )
            .await?;
        Ok(())
    }
}
