//! Reading the figures of the database for its metrics: a connection of its own, whose lock makes its worker the one
//! that reads them, and whose statements the server ends soon.

use std::time::Duration;

use tokio_postgres::Client;

use super::connect::{SESSION, Target};
use super::error::StoreError;
use super::statements::{LEAD_SAMPLING, SAMPLE, SAMPLE_ENDPOINTS, SAMPLE_HOOKS, SAMPLE_TABLES};
use super::store::Store;
use zerodb_hooks_metrics::{HookBacklog, Sample};

/// The server ends a statement after 2 s, and waits for no lock for longer than 1 s.
const LIMITS: &str =
    "SET statement_timeout = '2s'; SET lock_timeout = '1s'; SET default_transaction_read_only = on";
/// The time for all of it; after that the connection is not trusted.
const ANSWER: Duration = Duration::from_secs(10);

/// A session that reads figures, and leads among the workers that do if it could.
pub struct Sampler {
    client: Client,
    leads: bool,
}

impl Store {
    /// Connects.
    ///
    /// # Errors
    /// Those of connecting.
    pub async fn sampler(&self) -> Result<Sampler, StoreError> {
        limited(async {
            let client = Target::parse(self.url(), "zerodb-hooks metrics")?
                .client()
                .await?;
            client.batch_execute(SESSION).await?;
            client.batch_execute(LIMITS).await?;
            Ok(Sampler { client, leads: false })
        })
        .await
    }
}

impl Sampler {
    /// Reads the figures; `None` while another worker does. It leads from then on until it is dropped.
    ///
    /// # Errors
    /// Those of the statements. After one that `is_cancelled` the session is as good as before; after any other it
    /// must be dropped.
    pub async fn read(&mut self) -> Result<Option<Sample>, StoreError> {
        limited(async {
            if !self.leads {
                self.leads = self.client.query_one(LEAD_SAMPLING, &[]).await?.try_get(0)?;
            }
            if self.leads {
                self.sample().await.map(Some)
            } else {
                Ok(None)
            }
        })
        .await
    }

    async fn sample(&self) -> Result<Sample, StoreError> {
        let row = self.client.query_one(SAMPLE, &[]).await?;
        let mut sample = Sample {
            undispatched: row.try_get("undispatched")?,
            undispatched_age_seconds: row.try_get("undispatched_age")?,
            undecided: row.try_get("undecided")?,
            running: row.try_get("running")?,
            running_age_seconds: row.try_get("running_age")?,
            blocked: row.try_get("blocked")?,
            active_hooks: row.try_get("active_hooks")?,
            switched_off_hooks: row.try_get("switched_off_hooks")?,
            workers_alive: row.try_get("alive")?,
            workers_expired: row.try_get("expired")?,
            budgets: row.try_get("budgets")?,
            budgets_exhausted: row.try_get("budgets_exhausted")?,
            ..Sample::default()
        };
        for row in self.client.query(SAMPLE_HOOKS, &[]).await? {
            let due = row.try_get("due")?;
            sample.due += due;
            sample.not_due += row.try_get::<_, i64>("not_due")?;
            sample.due_age_seconds = sample.due_age_seconds.max(row.try_get("due_age")?);
            sample.hooks.push(HookBacklog {
                user_id: row.try_get("user_id")?,
                name: row.try_get("hook_name")?,
                due,
            });
        }
        for row in self.client.query(SAMPLE_TABLES, &[]).await? {
            sample
                .table_bytes
                .push((row.try_get("name")?, row.try_get("bytes")?));
        }
        for row in self.client.query(SAMPLE_ENDPOINTS, &[]).await? {
            sample
                .endpoints
                .push((row.try_get("name")?, row.try_get("paused")?));
        }
        Ok(sample)
    }
}

async fn limited<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWER, call).await {
        Ok(result) => result,
        Err(_elapsed) => Err(StoreError::no_connection(format!(
            "no answer within {} s",
            ANSWER.as_secs()
        ))),
    }
}
