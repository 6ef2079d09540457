//! Actions of first-party handlers on users' tables: the functions `zerodb._do_…`, run as a role that may use the table.

use std::collections::HashMap;

use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::statements::{AS_OWNER, LOAD_EMBEDDINGS, READ_CHUNKS, WRITE_CHUNKS, WRITE_EMBEDDINGS};
use super::{Store, StoreError};

/// How long an action waits for a row that somebody else has locked, and how long it may take.
const PATIENCE: &str = "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '14s'";

/// What vectors were made from, for a table that has no column for it. The rows are those of the action's arguments.
pub struct Hashes<'a> {
    pub keys: Vec<Value>,
    pub hashes: Vec<&'a str>,
    pub model: &'a str,
}

impl Store {
    /// Runs `zerodb._do_<action>` on the table `relid` for a hook, in one short transaction. `vectors` lie one after another.
    ///
    /// # Errors
    /// What the action raises; `Unavailable` when no answer comes. Safe to cancel: the transaction is then rolled back, or
    /// was made.
    pub async fn as_owner(
        &self,
        hook: Uuid,
        relid: u32,
        action: &str,
        args: &Value,
        vectors: Option<&[f32]>,
    ) -> Result<Value, StoreError> {
        let parameters: [&(dyn ToSql + Sync); 5] = [&hook, &relid, &action, args, &vectors];
        self.bounded(self.act(AS_OWNER, &parameters)).await
    }

    /// Runs `embed_write` and keeps the hashes of the rows that it wrote, in one transaction.
    ///
    /// # Errors
    /// As for `as_owner`.
    pub async fn write_embeddings(
        &self,
        hook: Uuid,
        relid: u32,
        args: &Value,
        vectors: &[f32],
        hashes: &Hashes<'_>,
    ) -> Result<Value, StoreError> {
        let Hashes { keys, hashes, model } = hashes;
        let parameters: [&(dyn ToSql + Sync); 7] = [&hook, &relid, args, &vectors, keys, hashes, model];
        self.bounded(self.act(WRITE_EMBEDDINGS, &parameters)).await
    }

    /// Runs `chunk_read`, and adds what the row's chunks were made from. Null for a row that is gone.
    ///
    /// # Errors
    /// As for `as_owner`.
    pub async fn read_chunks(&self, hook: Uuid, relid: u32, args: &Value) -> Result<Value, StoreError> {
        let parameters: [&(dyn ToSql + Sync); 3] = [&hook, &relid, args];
        self.bounded(self.act(READ_CHUNKS, &parameters)).await
    }

    /// Runs `chunk_write`, and keeps the hash that is given for a row whose chunks are all there. False when the row has changed
    /// or gone.
    ///
    /// # Errors
    /// As for `as_owner`.
    pub async fn write_chunks(
        &self,
        hook: Uuid,
        relid: u32,
        args: &Value,
        vectors: &[f32],
        (hash, model): (Option<&str>, &str),
    ) -> Result<bool, StoreError> {
        let parameters: [&(dyn ToSql + Sync); 6] = [&hook, &relid, args, &vectors, &hash, &model];
        let written = self.bounded(self.act(WRITE_CHUNKS, &parameters)).await?;
        Ok(written == Value::Bool(true))
    }

    /// The hash and the model of the vectors of some rows, by their keys.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn load_embeddings(
        &self,
        hook: Uuid,
        relid: u32,
        keys: &[Value],
    ) -> Result<HashMap<Value, (String, String)>, StoreError> {
        let parameters: [&(dyn ToSql + Sync); 3] = [&hook, &relid, &keys];
        let found = async {
            let connection = self.rows.get().await?;
            let statement = connection.prepare_cached(LOAD_EMBEDDINGS).await?;
            Ok(connection.query(&statement, &parameters).await?)
        };
        let found: Vec<Row> = self.bounded(found).await?;
        let kept = |row: &Row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?)));
        found.iter().map(kept).collect()
    }

    /// One statement that returns one value, within `PATIENCE`.
    pub(super) async fn act(
        &self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Value, StoreError> {
        let connection = self.rows.get().await?;
        let statement = connection.prepare_cached(statement).await?;
        // Sent at once; where the action fails, COMMIT rolls back.
        let (_begun, _bounded, row, _committed) = futures_util::join!(
            connection.batch_execute("BEGIN"),
            connection.batch_execute(PATIENCE),
            connection.query_one(&statement, parameters),
            connection.batch_execute("COMMIT"),
        );
        let row = row.map_err(|error| StoreError::from(error).of_owner())?;
        Ok(row.try_get::<_, Option<Value>>(0)?.unwrap_or_default())
    }
}
