//! Updates of one row while the model works on its text: single durable UPDATEs, each an event, one every 20 ms;
//! before any worker runs, and while the endpoint takes 30 s for the request with this row.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};
use zerodb_hooks_harness::Session;

use super::endpoint::{Endpoint, provider_file};
use super::store;
use crate::args::Options;
use crate::cases::Case;
use crate::figures::{Metric, Reading, percentile};
use crate::process::Process;
use crate::stage::Database;
use crate::wait;

pub const UPDATE_P99: Metric = Metric::new("UPDATE of the row, p99", "ms");
pub const UPDATE_MAX: Metric = Metric::new("UPDATE of the row, slowest", "ms");
const UPDATE_P50: Metric = Metric::new("UPDATE of the row, p50", "ms");
const ALONE_P99: Metric = Metric::new("the same without a worker, p99", "ms");
const ALONE_MAX: Metric = Metric::new("the same without a worker, slowest", "ms");

const REQUEST: Duration = Duration::from_secs(30);
const SAMPLING: Duration = Duration::from_secs(25);
const ALONE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);
const UPDATE: &str = "UPDATE zerodb_store.vectors SET content = 'text ' || $1::bigint WHERE id = 'v1'";
/// Nothing that the worker does on its own takes so long.
const OPEN: &str = "SELECT count(*) FROM pg_stat_activity AS a
    WHERE a.application_name LIKE 'zerodb-hooks%' AND a.xact_start < clock_timestamp() - interval '1 s'";

pub struct Writer;

#[async_trait(?Send)]
impl Case for Writer {
    fn name(&self) -> &'static str {
        "embed/writer"
    }

    fn title(&self) -> &'static str {
        "a row that is being embedded, by a request of 30 s"
    }

    fn is_once(&self) -> bool {
        true
    }

    async fn measure(&self, database: &Database<'_>, _options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        store::create_with_hook(&session, &json!({"timeout_ms": 120_000})).await?;
        store::fill(&session, 1).await?;
        let endpoint = Endpoint::start(REQUEST)?;
        let file = provider_file(endpoint.url(), &["timeout_ms: 120000"])?;
        database.settle().await?;
        let alone = updates(&session, ALONE).await?;

        // It is killed with its requests when it is dropped.
        let _worker = Process::worker_with_file(&database.url(), "error", file.path(), &[])?;
        let asked = async || Ok(endpoint.seen().await?.now > 0);
        let asked_at = wait::until(Duration::from_secs(10), asked)
            .await
            .context("the worker sends no request")?;
        let meanwhile = updates(&session, SAMPLING).await?;
        let open = session.number(OPEN).await?;
        let seen = endpoint.seen().await?;
        ensure!(
            seen.answered == 0 && seen.now > 0 && asked_at.elapsed() < REQUEST,
            "the request ended while the row was updated"
        );
        ensure!(
            open == 0,
            "{open} transactions of the worker were open for a second"
        );
        Ok(vec![
            UPDATE_P50.reads(percentile(&meanwhile, 0.5)),
            UPDATE_P99.reads(percentile(&meanwhile, 0.99)),
            UPDATE_MAX.reads(percentile(&meanwhile, 1.0)),
            ALONE_P99.reads(percentile(&alone, 0.99)),
            ALONE_MAX.reads(percentile(&alone, 1.0)),
        ])
    }
}

/// Milliseconds of each update, to its acknowledged commit.
async fn updates(session: &Session, time: Duration) -> Result<Vec<f64>> {
    let statement = session.client.prepare(UPDATE).await?;
    let mut ticks = interval(PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (since, mut taken) = (Instant::now(), Vec::new());
    while since.elapsed() < time {
        ticks.tick().await;
        let started = Instant::now();
        let updated = session
            .client
            .execute(&statement, &[&(taken.len() as i64)])
            .await?;
        taken.push(started.elapsed().as_secs_f64() * 1000.0);
        ensure!(updated == 1, "{updated} rows were updated");
    }
    Ok(taken)
}
