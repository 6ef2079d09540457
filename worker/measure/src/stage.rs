//! What the bench makes in the database and takes away again: schema, tables, watch, hook; and what it asks while it
//! runs. The only file of the bench that changes more than rows of its own tables.

use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use zerodb_hooks_queries::connect;
use zerodb_hooks_store::Store;

use crate::refusal::BenchRefusal;
use crate::statements;
use crate::worker::HANDLER;

/// The type of the bench's events, as in its statements.
pub const EVENT_TYPE: &str = "zerodb_hooks_bench.item_stored";
/// Rows of one transaction of a backlog.
const PER_TRANSACTION: i64 = 1000;

/// A session of the bench: for every user, whatever its role has set, and durable.
pub(crate) async fn session(url: &str) -> Result<Client> {
    let client = connect(url, "zerodb-hooks bench").await?;
    client.query_one(statements::SESSION, &[]).await?;
    Ok(client)
}

/// What was made.
pub(crate) struct BenchStage {
    client: Client,
    hook: Uuid,
}

impl BenchStage {
    /// Makes all of it or, when there is an error, nothing.
    pub(crate) async fn set_up(mut client: Client, own_worker: bool) -> Result<Self> {
        let (hook_type, config) = if own_worker {
            ("function", json!({}))
        } else {
            ("log", json!({"level": "debug", "message": HANDLER}))
        };
        let transaction = client.transaction().await?;
        for statement in [
            statements::CREATE_SCHEMA,
            statements::MARK_SCHEMA,
            statements::REGISTER,
            statements::WATCH,
        ] {
            transaction.execute(statement, &[]).await?;
        }
        let made = transaction
            .query_one(statements::CREATE_HOOK, &[&hook_type, &config])
            .await?;
        let hook = made.try_get("id")?;
        transaction.commit().await?;
        Ok(Self { client, hook })
    }

    /// Takes all of it away; over another connection when this one was lost.
    pub(crate) async fn clear(mut self, url: &str, store: &Store) -> Result<()> {
        if self.client.is_closed() {
            self.client = session(url).await?;
        }
        remove(&mut self.client, store).await
    }

    /// Writes rows that have an event each.
    pub(crate) async fn fill(&self, rows: i64) -> Result<()> {
        let statement = self.client.prepare(statements::FILL).await?;
        let mut left = rows;
        while left > 0 {
            let next = left.min(PER_TRANSACTION);
            self.client.execute(&statement, &[&next]).await?;
            left -= next;
        }
        Ok(())
    }

    /// Waits until a worker has its lease.
    pub(crate) async fn runs(&self, worker: &str) -> Result<()> {
        let runs = async || {
            let row = self.client.query_one(statements::RUNS, &[&worker]).await?;
            Ok(row.try_get("runs")?)
        };
        until(Duration::from_secs(30), Duration::from_millis(20), runs, || {
            BenchRefusal::new(
                "the worker of the bench does not reach the database",
                "`zerodb-hooks doctor` tells more",
            )
        })
        .await
    }

    /// Waits until every event of the bench is dispatched and every delivery of its hook has ended.
    pub(crate) async fn settles(&self, deadline: Duration, every: Duration) -> Result<()> {
        let settled = async || {
            let row = self.client.query_one(statements::LEFT, &[&self.hook]).await?;
            Ok(row.try_get::<_, i64>("remaining")? == 0)
        };
        until(deadline, every, settled, || BenchRefusal::undelivered(deadline)).await
    }

    /// The server's clock.
    pub(crate) async fn clock(&self) -> Result<Timestamp> {
        Ok(self
            .client
            .query_one(statements::CLOCK, &[])
            .await?
            .try_get("now")?)
    }

    /// What was made and completed since then, and after how many seconds the last one was.
    pub(crate) async fn completed_since(&self, since: Timestamp) -> Result<(i64, f64)> {
        let parameters: [&(dyn ToSql + Sync); 2] = [&self.hook, &since];
        let row = self.client.query_one(statements::COMPLETED, &parameters).await?;
        Ok((row.try_get("completed")?, row.try_get("seconds")?))
    }
}

/// Removes what a bench has made, as much of it as there is. The order matters: what a killed worker of a bench held is
/// given back first, so that it waits for the hook and is cancelled with it.
pub(crate) async fn remove(client: &mut Client, store: &Store) -> Result<()> {
    for row in client.query(statements::LEASES, &[]).await? {
        store.release_lease(row.try_get("id")?).await?;
    }
    client.query(statements::DELETE_HOOK, &[]).await?;
    let transaction = client.transaction().await?;
    if transaction.query_opt(statements::SCHEMA, &[]).await?.is_some() {
        transaction.query(statements::UNWATCH, &[]).await?;
        transaction.execute(statements::DROP_TABLES, &[]).await?;
        transaction.execute(statements::DROP_SCHEMA, &[]).await?;
    }
    Ok(transaction.commit().await?)
}

/// Looks again and again until it is so.
pub(crate) async fn until(
    deadline: Duration,
    every: Duration,
    mut look: impl AsyncFnMut() -> Result<bool>,
    late: impl FnOnce() -> BenchRefusal,
) -> Result<()> {
    let started = Instant::now();
    let mut tick = interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if look().await? {
            return Ok(());
        }
        if started.elapsed() > deadline {
            return Err(late().into());
        }
    }
}
