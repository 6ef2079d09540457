//! pgmq as the benchmark starts it: `install`, `delete MESSAGES`, `archive MESSAGES` or `idle SAMPLES`. The server is
//! named by the PG… variables. There is no job runner here: what pgmq's functions do, and nothing else.

mod idle;

use std::io::Write;

use anyhow::{Context, Result, bail, ensure};
use pgmq::PGMQueueExt;
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::signal::unix::{SignalKind, signal};

pub const QUEUE: &str = "bench";
/// Tasks that read and finish at once, each on a connection of its own.
const TASKS: u32 = 4;
const BATCH: i32 = 1000;
/// Seconds that what was read stays hidden from other readers.
const HIDDEN: i32 = 30;

#[derive(Clone, Copy)]
enum Finish {
    Delete,
    Archive,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().context("no command")?;
    let number: Option<u32> = arguments.next().map(|word| word.parse()).transpose()?;
    match (command.as_str(), number) {
        ("install", None) => install().await,
        ("delete", Some(messages)) => burn_down(Finish::Delete, messages.into()).await,
        ("archive", Some(messages)) => burn_down(Finish::Archive, messages.into()).await,
        ("idle", Some(samples)) => idle::run(samples).await,
        _ => bail!("install, delete MESSAGES, archive MESSAGES or idle SAMPLES"),
    }
}

/// pgmq and one queue, whose inserts notify at once and not at most four times a second.
async fn install() -> Result<()> {
    let pool = pool().await?;
    let queues = PGMQueueExt::new_with_pool(pool.clone()).await;
    queues.install_sql_from_embedded().await?;
    queues.create(QUEUE).await?;
    let version = queues
        .installed_version()
        .await?
        .context("pgmq is not installed")?;
    say(&format!("pgmq {version}"))
}

/// Says so when every message is finished, and then waits for SIGTERM.
async fn burn_down(finish: Finish, expected: u64) -> Result<()> {
    let queues = PGMQueueExt::new_with_pool(pool().await?).await;
    let tasks = (0..TASKS).map(|_| empty(&queues, finish));
    let finished: u64 = futures_util::future::try_join_all(tasks).await?.into_iter().sum();
    ensure!(finished == expected, "{finished} messages were finished");
    say("handled")?;
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

/// Reads and finishes until nothing is left to read; returns how many were finished.
async fn empty(queues: &PGMQueueExt, finish: Finish) -> Result<u64> {
    let mut finished = 0;
    loop {
        let read = queues.read_batch::<Value, Value>(QUEUE, HIDDEN, BATCH).await?;
        let ids: Vec<i64> = read.iter().map(|message| message.msg_id).collect();
        if ids.is_empty() {
            return Ok(finished);
        }
        finished += u64::try_from(ids.len())?;
        let done = match finish {
            Finish::Delete => queues.delete_batch(QUEUE, &ids).await?,
            Finish::Archive => queues.archive_batch(QUEUE, &ids).await?,
        };
        ensure!(
            done.len() == ids.len(),
            "{} of {} messages were finished",
            done.len(),
            ids.len()
        );
    }
}

/// Without the question whether a connection still lives, which would cost a round trip before each statement.
async fn pool() -> Result<PgPool> {
    Ok(PgPoolOptions::new()
        .max_connections(TASKS)
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
