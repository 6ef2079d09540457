//! Deciding pairs of an event and a hook that the dispatcher has left open, within a time limit.

use std::time::Duration;

use deadpool_postgres::Transaction;
use tokio_postgres::Row;
use uuid::Uuid;

use super::claim::{MOST_BYTES, to_i32};
use super::error::StoreError;
use super::order::release_ordered;
use super::statements::{DISABLE_HOOK, DROP_CANDIDATES, JUDGE_CANDIDATES, LIST_CANDIDATES};
use super::store::Store;

/// A hook that has candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    pub hook_id: Uuid,
    pub hook_version: i64,
    pub user_id: Uuid,
    /// Its deliveries keep an order.
    pub ordered: bool,
}

/// The result of deciding some candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    pub decided: usize,
    /// Candidates that match: they are deliveries now.
    pub made: usize,
}

impl Store {
    /// Active hooks that have candidates.
    pub async fn undecided(&self) -> Result<Vec<Undecided>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(LIST_CANDIDATES).await?;
        let rows = connection.query(&statement, &[]).await?;
        rows.iter().map(undecided).collect()
    }

    /// Decides at most `most` candidates of a hook, the first written first. One transaction.
    ///
    /// # Errors
    /// `Database` with the SQLSTATE of a cancelled query when that takes longer than `limit`: then none is decided.
    pub async fn judge(&self, hook: &Undecided, most: usize, limit: Duration) -> Result<Judged, StoreError> {
        let mut connection = self.connection().await?;
        let judge = connection.prepare_cached(JUDGE_CANDIDATES).await?;
        let drop = connection.prepare_cached(DROP_CANDIDATES).await?;
        let transaction = connection.transaction().await?;
        limit_time(&transaction, limit).await?;
        let rows = transaction
            .query(&judge, &[&hook.hook_id, &to_i32(most), &MOST_BYTES])
            .await?;
        let mut ids = Vec::<i64>::with_capacity(rows.len());
        let mut made = 0;
        for row in &rows {
            ids.push(row.try_get("id")?);
            made += usize::from(row.try_get::<_, bool>("matches")?);
        }
        transaction.execute(&drop, &[&ids]).await?;
        transaction.commit().await?;
        // Also without one that matches: a later event of another candidate's key may have waited for it.
        if hook.ordered && !ids.is_empty() {
            release_ordered(&connection).await?;
        }
        Ok(Judged {
            decided: ids.len(),
            made,
        })
    }

    /// Switches a hook off, with the reason that its user reads. False when it has changed meanwhile or is locked.
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn disable_hook(&self, hook: Uuid, version: i64, reason: &str) -> Result<bool, StoreError> {
        let connection = self.connection().await?;
        Ok(connection
            .query_one(DISABLE_HOOK, &[&hook, &version, &reason])
            .await?
            .try_get(0)?)
    }
}

async fn limit_time(transaction: &Transaction<'_>, limit: Duration) -> Result<(), StoreError> {
    let limit = format!("SET LOCAL statement_timeout = {}", limit.as_millis());
    Ok(transaction.batch_execute(&limit).await?)
}

fn undecided(row: &Row) -> Result<Undecided, StoreError> {
    Ok(Undecided {
        hook_id: row.try_get("id")?,
        hook_version: row.try_get("version")?,
        user_id: row.try_get("user_id")?,
        ordered: row.try_get("ordered")?,
    })
}
