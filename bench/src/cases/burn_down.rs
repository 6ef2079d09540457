//! A backlog of events that one no-op hook matches: from the start of the worker's process to the last durable
//! completion. The process is this program with the worker library, so its memory is that of a worker.

use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::{Case, MEMORY, RATE, START};
use crate::args::Options;
use crate::figures::Reading;
use crate::process::Process;
use crate::stage::Database;
use crate::{noop_worker, schema, wait};

const DEADLINE: Duration = Duration::from_secs(300);

/// By what the ledger keeps (`zerodb.record_attempts`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum BurnDown {
    All,
    Failures,
}

pub const ALL: &[BurnDown] = &[BurnDown::All, BurnDown::Failures];

#[async_trait(?Send)]
impl Case for BurnDown {
    fn name(&self) -> &'static str {
        match self {
            Self::All => "burn-down/all",
            Self::Failures => "burn-down/failures",
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::All => "no-op deliveries, every attempt in the ledger",
            Self::Failures => "no-op deliveries, failed attempts in the ledger",
        }
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let (kept, attempts) = match self {
            Self::All => ("all", i64::from(options.events)),
            Self::Failures => ("failures", 0),
        };
        let session = database.session().await?;
        for statements in [schema::ITEM, schema::WATCH, &schema::function_hook("noop")] {
            session.run(statements).await?;
        }
        database.set("zerodb.record_attempts", kept).await?;
        schema::store_with_events(&session, options.events).await?;
        database.settle().await?;

        let mut worker = Process::noop_worker(&database.url(), options.events)?;
        // Counting deliveries while they are made would slow them down: the worker says when the last one has run.
        worker.says(noop_worker::HANDLED, DEADLINE).await?;
        let all = async || Ok(schema::completed(&session).await? == i64::from(options.events));
        let ended = wait::until(DEADLINE, all)
            .await
            .context("not everything is completed")?;
        let time = (ended - worker.started).as_secs_f64();

        schema::expect_rows(&session, "zerodb.attempts", attempts).await?;
        let start = worker.seconds_until(schema::first_connection(&session).await?)?;
        let memory = worker.peak_memory()?;
        worker.stop().await?;
        let rate = f64::from(options.events) / time;
        Ok(vec![
            RATE.reads(rate),
            START.reads(start * 1000.0),
            MEMORY.reads(memory),
        ])
    }
}
