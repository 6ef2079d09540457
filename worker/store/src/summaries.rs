//! Reads and writes of `auto_summarize`: rows through the actions `summary_…`, and the summaries of parts of long
//! texts.

use std::collections::HashMap;

use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::error::StoreError;
use super::statements::{
    KEEP_SUMMARY_CHUNK, LOAD_SUMMARY_CHUNKS, PRUNE_SUMMARY_CHUNKS, READ_SUMMARY, WRITE_SUMMARY,
};
use super::store::Store;

/// Summaries of parts that one statement deletes.
const BATCH: u64 = 10_000;

impl Store {
    /// Runs `summary_read`, and adds the hash that is kept for tables without a column for it. Null for a row that is
    /// gone.
    ///
    /// # Errors
    /// As for `as_owner`.
    pub async fn read_summary(&self, hook: Uuid, relid: u32, args: &Value) -> Result<Value, StoreError> {
        let parameters: [&(dyn ToSql + Sync); 3] = [&hook, &relid, args];
        self.act(READ_SUMMARY, &parameters).await
    }

    /// Runs `summary_write`, and keeps the hash if so told: where the table has no column for it. False when the row
    /// has changed or gone.
    ///
    /// # Errors
    /// As for `as_owner`.
    pub async fn write_summary(
        &self,
        hook: Uuid,
        relid: u32,
        args: &Value,
        keeps_hash: bool,
    ) -> Result<bool, StoreError> {
        let parameters: [&(dyn ToSql + Sync); 4] = [&hook, &relid, args, &keeps_hash];
        let written = self.act(WRITE_SUMMARY, &parameters).await?;
        Ok(written == Value::Bool(true))
    }

    /// The summaries of parts that are known, by their hashes.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn load_summary_chunks(
        &self,
        hook: Uuid,
        hashes: &[&[u8]],
    ) -> Result<HashMap<Vec<u8>, String>, StoreError> {
        let parameters: [&(dyn ToSql + Sync); 2] = [&hook, &hashes];
        let found = async {
            let connection = self.row_connection().await?;
            let statement = connection.prepare_cached(LOAD_SUMMARY_CHUNKS).await?;
            Ok(connection.query(&statement, &parameters).await?)
        };
        let found: Vec<Row> = self.bounded(found).await?;
        let kept = |row: &Row| Ok((row.try_get("hash")?, row.try_get("summary")?));
        found.iter().map(kept).collect()
    }

    /// Keeps the summary of a part; safe to be repeated.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn keep_summary_chunk(&self, hook: Uuid, hash: &[u8], summary: &str) -> Result<(), StoreError> {
        let parameters: [&(dyn ToSql + Sync); 3] = [&hook, &hash, &summary];
        let kept = async {
            let connection = self.row_connection().await?;
            let statement = connection.prepare_cached(KEEP_SUMMARY_CHUNK).await?;
            connection.execute(&statement, &parameters).await?;
            Ok(())
        };
        self.bounded(kept).await
    }

    /// Deletes a batch of summaries of parts that are old; true when there may be more.
    pub async fn prune_summary_chunks(&self) -> Result<bool, StoreError> {
        let connection = self.connection().await?;
        Ok(connection.execute(PRUNE_SUMMARY_CHUNKS, &[]).await? >= BATCH)
    }
}
