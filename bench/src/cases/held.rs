//! A steady stream of writes and deliveries, alone and beside a session that holds a snapshot open from before the
//! first write to after the last delivery. Dead rows cannot go while it does; how many there are at the end is
//! reported for each table. The latency runs from the event's `created_at`, the start of its INSERT, to the start of
//! the handler: it has the writer's commit in it. Both clocks are of this machine.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use jiff::Timestamp;
use zerodb_hooks_harness::Session;
use zerodb_hooks_worker::{Context, Delivery, Done, Handler, HandlerError, Worker};

use super::{Case, RATE};
use crate::args::Options;
use crate::figures::{Metric, Reading, percentile};
use crate::pgbench::{self, Length, Load};
use crate::stage::{self, Database};
use crate::{beside, schema, wait};

pub const DELIVERED: Metric = Metric::new("delivered while writing", "1/s");
pub const LATENCY_P99: Metric = Metric::new("created_at to handler, p99", "ms");
const LATENCY_P50: Metric = Metric::new("created_at to handler, p50", "ms");
const DEAD: Metric = Metric::new("dead rows at the end", "");

const EVENTS_A_SECOND: u32 = 2000;
const CLIENTS: u32 = 8;
const DEADLINE: Duration = Duration::from_secs(600);
const HOLD: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM item";
/// What `pg_stat_user_tables` knows once every other session has ended and told what it did.
const DEAD_ROWS: &str = "SELECT t.schemaname || '.' || t.relname AS name, t.n_dead_tup AS dead
    FROM pg_stat_user_tables AS t WHERE t.n_dead_tup > 0 ORDER BY t.n_dead_tup DESC, 1";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Held {
    Free,
    Snapshot,
}

pub const ALL: &[Held] = &[Held::Free, Held::Snapshot];

#[async_trait(?Send)]
impl Case for Held {
    fn name(&self) -> &'static str {
        match self {
            Self::Free => "held/free",
            Self::Snapshot => "held/snapshot",
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Free => "2,000 events a second",
            Self::Snapshot => "2,000 events a second, a snapshot held open",
        }
    }

    fn is_once(&self) -> bool {
        true
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        for statements in [schema::ITEM, schema::WATCH, &schema::function_hook("clock")] {
            session.run(statements).await?;
        }
        let holder = match self {
            Self::Free => None,
            Self::Snapshot => Some(database.session().await?),
        };
        if let Some(holder) = &holder {
            holder.run(HOLD).await?;
        }
        let ages = Ages::default();
        let worker = Worker::builder(&database.url())
            .handler("clock", ages.clone())
            .build()?;
        let mut readings = beside::run(worker, stream(database, &session, options, &ages)).await?;
        readings.extend(dead_rows(&session, holder.iter().count()).await?);
        if let Some(holder) = holder {
            holder.run("COMMIT").await?;
        }
        Ok(readings)
    }
}

/// Writes for the whole time, lets the worker come to the end, and proves that nothing is missing.
async fn stream(
    database: &Database<'_>,
    session: &Session,
    options: &Options,
    ages: &Ages,
) -> Result<Vec<Reading>> {
    stage::wait_for_worker(session).await?;
    database.settle().await?;
    let load = Load {
        statement: schema::INSERT_ONE,
        clients: CLIENTS,
        length: Length::Seconds(options.held_seconds),
        rate: Some(EVENTS_A_SECOND),
    };
    let run = pgbench::run(database, &load).await?;
    let meanwhile = ages.taken().len() as f64;
    let handled = async || Ok(ages.taken().len() as i64 >= run.transactions);
    wait::until(DEADLINE, handled)
        .await
        .context("not every event was handled")?;
    let completed = async || Ok(schema::completed(session).await? == run.transactions);
    wait::until(DEADLINE, completed)
        .await
        .context("not every delivery is completed")?;
    for table in ["item", "zerodb.outbox", "zerodb.attempts"] {
        schema::expect_rows(session, table, run.transactions).await?;
    }
    let milliseconds = ages.taken().clone();
    let seconds = run.transactions as f64 / run.per_second;
    Ok(vec![
        RATE.reads(run.per_second),
        DELIVERED.reads(meanwhile / seconds),
        LATENCY_P50.reads(percentile(&milliseconds, 0.5)),
        LATENCY_P99.reads(percentile(&milliseconds, 0.99)),
    ])
}

/// In all, and for each table that has any. `holders` sessions stay.
async fn dead_rows(session: &Session, holders: usize) -> Result<Vec<Reading>> {
    let alone = async || Ok(schema::connections(session).await? == holders as i64);
    wait::until(Duration::from_secs(30), alone)
        .await
        .context("the worker's sessions do not end")?;
    session.run("SELECT pg_stat_force_next_flush()").await?;
    let mut readings = Vec::new();
    for row in session.rows(DEAD_ROWS).await? {
        let (name, dead) = (row["name"].as_str(), row["dead"].as_f64());
        let (name, dead) = name.zip(dead).context("a table without a name or a number")?;
        readings.push(Metric::named(format!("dead rows of {name}"), "").reads(dead));
    }
    let all = readings.iter().map(|reading| reading.value).sum();
    readings.insert(0, DEAD.reads(all));
    Ok(readings)
}

/// Milliseconds from each event to its handler.
#[derive(Clone, Default)]
struct Ages(Arc<Mutex<Vec<f64>>>);

impl Ages {
    fn taken(&self) -> std::sync::MutexGuard<'_, Vec<f64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Handler for Ages {
    async fn run(&self, _context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        let age = Timestamp::now().as_microsecond() - delivery.event.created_at.as_microsecond();
        self.taken().push(age as f64 / 1000.0);
        Ok(Done::default())
    }
}
