//! Durable inserts of single rows by many clients at once: what a hook costs those who write.

use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use zerodb_hooks_harness::Session;

use super::{Case, MEMORY, RATE};
use crate::args::Options;
use crate::figures::{Metric, Reading};
use crate::host::USED_EACH;
use crate::pgbench::{Length, Load};
use crate::process::Process;
use crate::stage::Database;
use crate::{pgbench, schema, wait};

pub const KEPT_UP: Metric = Metric::new("delivered while writing", "%");

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Single {
    Untouched,
    Floor,
    Hook,
    HookWithoutWorker,
    NoHook,
    Naive,
}

pub const ALL: &[Single] = &[
    Single::Untouched,
    Single::Floor,
    Single::Hook,
    Single::HookWithoutWorker,
    Single::NoHook,
    Single::Naive,
];

#[async_trait(?Send)]
impl Case for Single {
    fn name(&self) -> &'static str {
        match self {
            Self::Untouched => "single/untouched",
            Self::Floor => "single/floor",
            Self::Hook => "single/hook",
            Self::HookWithoutWorker => "single/hook-no-worker",
            Self::NoHook => "single/no-hook",
            Self::Naive => "single/naive",
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Untouched => "untouched table",
            Self::Floor => "floor: row and event in one plain statement",
            Self::Hook => "watched, matching hook, busy worker on this machine",
            Self::HookWithoutWorker => "watched, matching hook, worker stopped",
            Self::NoHook => "watched, no active hook",
            Self::Naive => "naive trigger: INSERT and NOTIFY",
        }
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        self.set_up(&session).await?;
        let worker = match self {
            Self::Hook => Some(database.start_worker(&session).await?),
            _ => None,
        };
        database.settle().await?;
        let load = Load {
            statement: self.statement(),
            clients: options.clients,
            length: Length::Seconds(options.seconds),
            rate: None,
        };
        let run = pgbench::run(database, &load).await?;
        let mut readings = vec![RATE.reads(run.per_second), USED_EACH.reads(run.processor_us)];
        if let Some(worker) = worker {
            readings.extend(deliver_the_rest(worker, &session, run.transactions).await?);
        }
        self.expect_written(&session, run.transactions).await?;
        Ok(readings)
    }
}

impl Single {
    pub fn statement(self) -> &'static str {
        match self {
            Self::Floor => schema::INSERT_ONE_WITH_EVENT,
            _ => schema::INSERT_ONE,
        }
    }

    /// The table, and what is put around it.
    pub async fn set_up(self, session: &Session) -> Result<()> {
        session.run(schema::ITEM).await?;
        for statements in self.around() {
            session.run(statements).await?;
        }
        Ok(())
    }

    /// Fails unless each transaction left its row, and its event where there must be one.
    pub async fn expect_written(self, session: &Session, transactions: i64) -> Result<()> {
        schema::expect_rows(session, "item", transactions).await?;
        let (log, rows) = self.log_of(transactions);
        schema::expect_rows(session, log, rows).await
    }

    fn around(self) -> &'static [&'static str] {
        match self {
            Self::Untouched => &[],
            Self::Floor => &[schema::EVENT_COPY],
            Self::Hook | Self::HookWithoutWorker => &[schema::WATCH, schema::QUIET_HOOK],
            Self::NoHook => &[schema::WATCH],
            Self::Naive => &[schema::NAIVE_TRIGGER],
        }
    }

    /// Where its events are, and how many there must be.
    fn log_of(self, transactions: i64) -> (&'static str, i64) {
        match self {
            Self::Floor => ("event_copy", transactions),
            Self::Naive => ("naive_event", transactions),
            Self::Hook | Self::HookWithoutWorker => ("zerodb.outbox", transactions),
            Self::Untouched | Self::NoHook => ("zerodb.outbox", 0),
        }
    }
}

/// How far the worker had come when the writers stopped, and the proof that it comes to the end.
async fn deliver_the_rest(worker: Process, session: &Session, events: i64) -> Result<Vec<Reading>> {
    let kept_up = 100.0 * schema::completed(session).await? as f64 / events as f64;
    let all = async || Ok(schema::completed(session).await? == events);
    wait::until(Duration::from_secs(120), all)
        .await
        .context("not everything is delivered")?;
    let memory = worker.peak_memory()?;
    worker.stop().await?;
    Ok(vec![KEPT_UP.reads(kept_up), MEMORY.reads(memory)])
}
