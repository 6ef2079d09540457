//! Actions of handlers on users' tables: the functions `zerodb._do_…`, run as a role that may use the
//! table.

use std::collections::HashMap;

use serde_json::Value;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

use super::connect::SESSION;
use super::error::StoreError;
use super::fenced::{Fenced, Session};
use super::statements::{AS_OWNER, LOAD_EMBEDDINGS, READ_CHUNKS, WRITE_CHUNKS, WRITE_EMBEDDINGS};
use super::store::{ANSWER, Store};

/// The waits of an action: for a row that somebody else has locked, and in all.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '14s'";
/// Users' triggers may have run: what they can leave in a session goes, but for prepared statements, which they
/// cannot make.
const FORGET: &str = "CLOSE ALL; UNLISTEN *; SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP; RESET ALL";

/// Hashes of the sources of vectors, for a table that has no column for them. The rows are those of the action's
/// arguments.
pub struct Hashes<'a> {
    pub keys: Vec<Value>,
    pub hashes: Vec<&'a str>,
    pub model: &'a str,
}

impl Store {
    /// Runs `zerodb._do_<action>` on the table `relid` for a hook, in one short transaction. `vectors` lie one after
    /// another.
    ///
    /// # Errors
    /// What the action raises; `Unavailable` when no answer comes. Safe to cancel: the transaction is then rolled
    /// back, or was made.
    pub async fn as_owner(
        &self,
        hook: Uuid,
        relid: u32,
        action: &str,
        args: &Value,
        vectors: Option<&[f32]>,
    ) -> Result<Value, StoreError> {
        let parameters: [&(dyn ToSql + Sync); 5] = [&hook, &relid, &action, args, &vectors];
        self.act(AS_OWNER, &parameters).await
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
        self.act(WRITE_EMBEDDINGS, &parameters).await
    }

    /// Runs `chunk_read`, and adds what the row's chunks were made from. Null for a row that is gone.
    ///
    /// # Errors
    /// As for `as_owner`.
    pub async fn read_chunks(&self, hook: Uuid, relid: u32, args: &Value) -> Result<Value, StoreError> {
        let parameters: [&(dyn ToSql + Sync); 3] = [&hook, &relid, args];
        self.act(READ_CHUNKS, &parameters).await
    }

    /// Runs `chunk_write`, and keeps the hash that is given for a row whose chunks are all there. False when the row
    /// has changed or gone.
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
        let written = self.act(WRITE_CHUNKS, &parameters).await?;
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
            let connection = self.row_connection().await?;
            let statement = connection.prepare_cached(LOAD_EMBEDDINGS).await?;
            Ok(connection.query(&statement, &parameters).await?)
        };
        let found: Vec<Row> = self.bounded(found).await?;
        let kept = |row: &Row| Ok((row.try_get("key")?, (row.try_get("hash")?, row.try_get("model")?)));
        found.iter().map(kept).collect()
    }

    /// One statement in which users' code may run, and that returns one value.
    ///
    /// # Errors
    /// `Unavailable` when it could not be begun. Else what it or its COMMIT raises, or that it did not end. Safe to
    /// cancel: the session is then ended.
    pub(super) async fn act(
        &self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Value, StoreError> {
        let ready = self.bounded(async {
            let connection = self.row_connection().await.map_err(StoreError::untried)?;
            let statement = connection.prepare_cached(statement).await?;
            Ok((connection, statement))
        });
        let (connection, statement) = ready.await?;
        let fenced = Fenced::new(Session::Pooled(connection), self.ending());
        let (result, is_clean) =
            match tokio::time::timeout(ANSWER, run(&fenced, &statement, parameters)).await {
                Ok(ran) => ran,
                Err(_elapsed) => {
                    let has_begun = fenced.has_begun();
                    drop(fenced);
                    return Err(self.unanswered(has_begun).await);
                }
            };
        if is_clean {
            drop(fenced.release());
        }
        result
    }

    /// The error of an action that did not end: its own fault only if the server answers others.
    async fn unanswered(&self, has_begun: bool) -> StoreError {
        let answers = self.bounded(async {
            let connection = self.connection().await?;
            Ok(connection.batch_execute("").await?)
        });
        match answers.await {
            Ok(()) if has_begun => StoreError::no_end(ANSWER),
            _ => StoreError::no_connection(format!("no answer within {} s", ANSWER.as_secs())),
        }
    }
}

/// Runs it, and says whether the session is as it was before.
async fn run(
    fenced: &Fenced,
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> (Result<Value, StoreError>, bool) {
    let Some(client) = fenced.client() else {
        return (Err(StoreError::no_connection("the connection ended")), false);
    };
    // Sent at once; where the action fails, COMMIT rolls back.
    let (begun, row, committed, forgotten, set_up) = futures_util::join!(
        fenced.begin(client, BEGIN),
        client.query_one(statement, parameters),
        client.batch_execute("COMMIT"),
        client.batch_execute(FORGET),
        client.batch_execute(SESSION),
    );
    let result = match (begun, row, committed) {
        (Err(error), ..) => Err(StoreError::no_connection(error)),
        (Ok(()), Err(error), _) | (Ok(()), Ok(_), Err(error)) => Err(StoreError::of_users_code(&error)),
        (Ok(()), Ok(row), Ok(())) => row
            .try_get::<_, Option<Value>>(0)
            .map(Option::unwrap_or_default)
            .map_err(StoreError::from),
    };
    (result, forgotten.is_ok() && set_up.is_ok())
}
