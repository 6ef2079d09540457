//! Actions of first-party handlers on users' tables: the functions `zerodb._do_…`, run as a role that may use the table.

use serde_json::Value;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::statements::AS_OWNER;
use super::{Store, StoreError};

/// How long an action waits for a row that somebody else has locked, and how long it may take.
const PATIENCE: &str = "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '14s'";

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
        self.bounded(self.run_as_owner(hook, relid, action, args, vectors))
            .await
    }

    async fn run_as_owner(
        &self,
        hook: Uuid,
        relid: u32,
        action: &str,
        args: &Value,
        vectors: Option<&[f32]>,
    ) -> Result<Value, StoreError> {
        let connection = self.rows.get().await?;
        let statement = connection.prepare_cached(AS_OWNER).await?;
        let parameters: [&(dyn ToSql + Sync); 5] = [&hook, &relid, &action, args, &vectors];
        // Sent at once; where the action fails, COMMIT rolls back.
        let (_begun, _bounded, row, _committed) = futures_util::join!(
            connection.batch_execute("BEGIN"),
            connection.batch_execute(PATIENCE),
            connection.query_one(&statement, &parameters),
            connection.batch_execute("COMMIT"),
        );
        Ok(row?.try_get::<_, Option<Value>>(0)?.unwrap_or_default())
    }
}
