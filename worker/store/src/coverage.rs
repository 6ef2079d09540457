//! Coverage: the share of rows of a hook's tables that have a result. Which tables are to be counted, and keeping the
//! counts.

use std::time::Duration;

use uuid::Uuid;

use super::backfill::Backfill;
use super::error::StoreError;
use super::statements::{DUE_COVERAGE, KEEP_COVERAGE};
use super::store::Store;

/// The rows of a table, and those with a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    pub total: i64,
    pub done: i64,
}

impl Store {
    /// The tables that are to be counted now, each as a backfill that is not begun.
    pub async fn due_coverage(&self) -> Result<Vec<Backfill>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(DUE_COVERAGE).await?;
        let rows = connection.query(&statement, &[]).await?;
        rows.iter()
            .map(|row| {
                Ok(Backfill {
                    hook_id: row.try_get("hook_id")?,
                    hook_version: row.try_get("version")?,
                    relid: row.try_get("relid")?,
                    event_type: row.try_get("event_type")?,
                    missing_only: false,
                    replaces_given: false,
                    after: None,
                    total: None,
                })
            })
            .collect()
    }

    pub async fn keep_coverage(
        &self,
        hook: Uuid,
        relid: u32,
        counted: Counted,
        took: Duration,
    ) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(KEEP_COVERAGE).await?;
        connection
            .execute(
                &statement,
                &[&hook, &relid, &counted.total, &counted.done, &took.as_secs_f64()],
            )
            .await?;
        Ok(())
    }
}
