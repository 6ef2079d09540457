//! A backlog of texts without vectors, to the last vector that is stored: the real worker, an endpoint that takes 50
//! ms for a request of 256 texts, eight requests at once. The time runs from the start of the worker's process.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use serde_json::json;
use zerodb_hooks_harness::Session;

use super::endpoint::{Endpoint, provider_file};
use super::store;
use crate::args::Options;
use crate::cases::{Case, MEMORY, RATE};
use crate::figures::{Metric, Reading};
use crate::process::Process;
use crate::processor::{self, OF_ENDPOINT, OF_SERVER, OF_WORKER};
use crate::stage::Database;
use crate::{schema, wait};

pub const FULL_REQUESTS: Metric = Metric::new("requests at least 95 % full", "%");
const REQUESTS: Metric = Metric::new("requests", "");

pub const LATENCY: Duration = Duration::from_millis(50);
pub const PACK: usize = 256;
pub const AT_ONCE: usize = 8;
const FULL: f64 = 0.95;
const DEADLINE: Duration = Duration::from_secs(600);
/// Between two looks at the endpoint: they take its time.
const BETWEEN: Duration = Duration::from_millis(20);
/// The graph of neighbours takes most of the time; it is not ours, so a fifth of the rows is enough.
const HNSW_SHARE: u32 = 5;
const HNSW: &str = "CREATE INDEX ON zerodb_store.vectors USING hnsw (embedding vector_cosine_ops)";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    Bare,
    Hnsw,
}

#[async_trait(?Send)]
impl Case for Backlog {
    fn name(&self) -> &'static str {
        match self {
            Self::Bare => "embed/backlog",
            Self::Hnsw => "embed/backlog-hnsw",
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Bare => "texts embedded from a backlog, vectors without an index",
            Self::Hnsw => "a fifth as many, into an HNSW index",
        }
    }

    fn is_once(&self) -> bool {
        *self == Self::Hnsw
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        let rows = match self {
            Self::Bare => options.embedded_rows,
            Self::Hnsw => options.embedded_rows.div_ceil(HNSW_SHARE),
        };
        store::create_with_hook(&session, &json!({})).await?;
        if *self == Self::Hnsw {
            session.run(HNSW).await?;
        }
        store::fill(&session, rows).await?;
        let endpoint = Endpoint::start(LATENCY)?;
        let limits = [format!("max_batch: {PACK}"), format!("concurrency: {AT_ONCE}")];
        let file = provider_file(endpoint.url(), &limits.each_ref().map(String::as_str))?;
        database.settle().await?;

        let server = processor::seconds_of_server(&session).await?;
        let worker = Process::worker_with_file(&database.url(), "warn", file.path(), &[])?;
        let ended = all_stored(&session, &endpoint, rows).await?;
        let time = (ended - worker.started).as_secs_f64();
        let server = processor::seconds_of_server(&session).await? - server;
        let mut readings = vec![
            RATE.reads(f64::from(rows) / time),
            OF_WORKER.reads(worker.processor_seconds()?),
            OF_SERVER.reads(server),
            OF_ENDPOINT.reads(endpoint.processor_seconds()?),
            MEMORY.reads(worker.peak_memory()?),
        ];
        let completed = async || Ok(schema::completed(&session).await? == i64::from(rows));
        wait::until(DEADLINE, completed)
            .await
            .context("not every delivery is completed")?;
        worker.stop().await?;
        readings.extend(requests(&session, &endpoint, rows).await?);
        store::check_some(&session).await?;
        Ok(readings)
    }
}

/// Until every row has its vector. While texts are still to be sent, the rows are left in peace: counting them is work.
pub async fn all_stored(session: &Session, endpoint: &Endpoint, rows: u32) -> Result<Instant> {
    let sent = async || Ok(endpoint.seen().await?.inputs >= u64::from(rows));
    wait::until_seen(BETWEEN, DEADLINE, sent)
        .await
        .context("not every text was sent")?;
    let stored = async || Ok(session.number(store::EMBEDDED).await? == i64::from(rows));
    wait::until(DEADLINE, stored)
        .await
        .context("not every vector is stored")
}

/// How full the requests were, and the proof that each text was sent once.
async fn requests(session: &Session, endpoint: &Endpoint, rows: u32) -> Result<[Reading; 2]> {
    let seen = endpoint.seen().await?;
    ensure!(
        seen.inputs == u64::from(rows),
        "{} texts were sent for {rows} rows",
        seen.inputs
    );
    let writes = store::writes(session).await?;
    ensure!(
        writes.len() as u64 == seen.answered,
        "{} requests and {} writes: how full the requests were is not known",
        seen.answered,
        writes.len()
    );
    let full = writes.iter().filter(|size| **size as f64 >= FULL * PACK as f64);
    let share = full.count() as f64 / writes.len() as f64;
    Ok([
        REQUESTS.reads(writes.len() as f64),
        FULL_REQUESTS.reads(100.0 * share),
    ])
}
