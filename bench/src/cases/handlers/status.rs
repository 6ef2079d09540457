//! What it takes to ask how hooks are: a table of ten million rows that an auto_embed hook watches, and 100,000
//! deliveries that wait for an endpoint which does not answer. The worker runs meanwhile; it has counted the table, a
//! minute after its start.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use zerodb_hooks_harness::Session;

use super::endpoint::{Endpoint, provider_file};
use crate::args::Options;
use crate::cases::Case;
use crate::figures::{Metric, Reading, percentile};
use crate::process::Process;
use crate::stage::Database;
use crate::{schema, wait};

pub const VIEW: Metric = Metric::new("SELECT * FROM zerodb.hook_status, p95", "ms");
pub const STATUS: Metric = Metric::new("SELECT zerodb.status(), p95", "ms");
const VIEW_P50: Metric = Metric::new("SELECT * FROM zerodb.hook_status, p50", "ms");
const STATUS_P50: Metric = Metric::new("SELECT zerodb.status(), p50", "ms");
const COVERAGE: Metric = Metric::new("counting the rows, by the worker now and then", "ms");

const WAITING: u32 = 100_000;
const LOOKS: usize = 100;
const DEADLINE: Duration = Duration::from_secs(300);
const BETWEEN: Duration = Duration::from_millis(200);
const TABLE: &str = "CREATE TABLE note (id bigint PRIMARY KEY, content text, embedding real[])";
const WATCH: &str = r#"
SELECT zerodb.register_event_type('note.stored', 'app', '{note_id}', 'A note was stored');
SELECT zerodb.watch('note', 'note.stored', '{"note_id": "id"}');
SELECT zerodb.create_hook('note.stored', 'auto_embed', '{"dimensions": 8, "timeout_ms": 300000}')"#;
const PENDING: &str = "SELECT pending FROM zerodb.hook_status";
const COUNTED: &str =
    "SELECT coalesce(max(extract(epoch FROM c.took) * 1000), 0) FROM zerodb.coverage AS c WHERE c.total = ";

pub struct Status;

#[async_trait(?Send)]
impl Case for Status {
    fn name(&self) -> &'static str {
        "status/ten-million"
    }

    fn title(&self) -> &'static str {
        "a table of 10,000,000 rows, 100,000 deliveries waiting"
    }

    fn is_once(&self) -> bool {
        true
    }

    fn is_on_demand(&self) -> bool {
        true
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        let rows = options.status_rows;
        session.run(TABLE).await?;
        session.run(&insert(1, rows)).await?;
        session.run("VACUUM ANALYZE note").await?;
        session.run(WATCH).await?;
        let store = |first, last| insert(rows + first, rows + last);
        schema::in_batches(&session, WAITING, store).await?;
        let endpoint = Endpoint::start(Duration::from_secs(3600))?;
        let file = provider_file(endpoint.url(), &["timeout_ms: 300000"])?;
        // It is killed with its requests when it is dropped.
        let _worker = Process::worker_with_file(&database.url(), "error", file.path(), &[])?;
        let waiting = async || Ok(session.number(PENDING).await? == i64::from(WAITING));
        wait::until_seen(BETWEEN, DEADLINE, waiting)
            .await
            .context("the view does not show the waiting deliveries")?;
        let counted = format!("{COUNTED}{}", rows + WAITING);
        let mut took = 0.0;
        let is_counted = async || {
            took = session.text(&counted).await?.parse()?;
            Ok(took > 0.0)
        };
        wait::until_seen(BETWEEN, DEADLINE, is_counted)
            .await
            .context("the worker does not count the table")?;
        database.settle().await?;

        let view = times(&session, "SELECT * FROM zerodb.hook_status").await?;
        let status = times(&session, "SELECT zerodb.status()").await?;
        let pending = session.number(PENDING).await?;
        ensure!(
            pending == i64::from(WAITING),
            "the view shows {pending} waiting deliveries"
        );
        Ok(vec![
            VIEW_P50.reads(percentile(&view, 0.5)),
            VIEW.reads(percentile(&view, 0.95)),
            STATUS_P50.reads(percentile(&status, 0.5)),
            STATUS.reads(percentile(&status, 0.95)),
            COVERAGE.reads(took),
        ])
    }
}

fn insert(first: u32, last: u32) -> String {
    format!(
        "INSERT INTO note (id, content) SELECT n, 'note ' || n FROM generate_series({first}, {last}) AS n"
    )
}

/// Milliseconds of each look.
async fn times(session: &Session, query: &str) -> Result<Vec<f64>> {
    let mut times = Vec::with_capacity(LOOKS);
    for _ in 0..LOOKS {
        let started = Instant::now();
        session.texts(query).await?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(times)
}
