//! graphile_worker (Rust) as the benchmark starts it: `migrate`, `burn-down JOBS` or `idle SAMPLES`. The server is named
//! by the PG… variables. The settings are the fastest of those that were tried on two processors.

mod idle;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use graphile_worker::{IntoTaskHandlerResult, LocalQueueConfig, TaskHandler, WorkerContext, WorkerOptions};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

const CONCURRENCY: usize = 24;
/// Jobs that each local queue holds.
const LOCAL_QUEUE: usize = 500;
/// With one, a worker waits for each fetch of a backlog.
const LOCAL_QUEUES: usize = 2;
const COMPLETION_BATCH: Duration = Duration::from_millis(1);

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().context("no command")?;
    let number: Option<u32> = arguments.next().map(|word| word.parse()).transpose()?;
    match (command.as_str(), number) {
        ("migrate", None) => migrate().await,
        ("burn-down", Some(jobs)) => burn_down(jobs.into()).await,
        ("idle", Some(samples)) => idle::run(samples).await,
        _ => bail!("migrate, burn-down JOBS or idle SAMPLES"),
    }
}

async fn migrate() -> Result<()> {
    options(LOCAL_QUEUES).await?.init().await?;
    Ok(())
}

#[derive(Deserialize, Serialize)]
struct Noop {
    item_id: i64,
}

#[derive(Clone, Debug)]
struct Handled {
    count: Arc<AtomicU64>,
    expected: u64,
}

impl TaskHandler for Noop {
    const IDENTIFIER: &'static str = "noop";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let Some(handled) = context.get_ext::<Handled>() else {
            return Err("no counter".to_owned());
        };
        if handled.count.fetch_add(1, Ordering::Relaxed) + 1 == handled.expected {
            say("handled").map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// Until SIGTERM. Says so when the last job that is expected has run; its completion may not be stored yet.
async fn burn_down(expected: u64) -> Result<()> {
    let count = Arc::new(AtomicU64::new(0));
    let worker = options(LOCAL_QUEUES)
        .await?
        .add_extension(Handled { count, expected })
        .define_job::<Noop>()
        .init()
        .await?;
    worker.run().await?;
    Ok(())
}

/// The settings of every run, but for the number of local queues.
async fn options(local_queues: usize) -> Result<WorkerOptions> {
    Ok(WorkerOptions::default()
        .pg_pool(pool().await?)
        .concurrency(CONCURRENCY)
        .local_queue(
            LocalQueueConfig::default()
                .with_size(LOCAL_QUEUE)
                .with_queue_count(local_queues),
        )
        .complete_job_batch_delay(COMPLETION_BATCH)
        .fail_job_batch_delay(COMPLETION_BATCH))
}

/// Without the question whether a connection still lives, which would cost a round trip before each statement.
async fn pool() -> Result<PgPool> {
    Ok(PgPoolOptions::new()
        .max_connections(10)
        .test_before_acquire(false)
        .connect_with(PgConnectOptions::new())
        .await?)
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}
