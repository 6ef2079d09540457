//! Ten thousand event types and a thousand watched tables: watching one more, writing to all of them in turn, and
//! dispatching a backlog in which each event is of another type.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use async_trait::async_trait;
use zerodb_hooks_harness::Session;

use crate::args::Options;
use crate::cases::{Case, RATE};
use crate::figures::{Metric, Reading, percentile};
use crate::process::Process;
use crate::stage::Database;
use crate::{noop_worker, schema, wait};

const WATCH_FIRST: Metric = Metric::new("watch of a table, the first 50, p50", "ms");
const WATCH_LAST: Metric = Metric::new("watch of a table, the last 50 of 1,000, p50", "ms");
const UNWATCH: Metric = Metric::new("unwatch of one of 1,000, p50", "ms");
const FIRST_WRITE: Metric = Metric::new("first write of a session to a table, p50", "ms");
const NEXT_WRITE: Metric = Metric::new("next write to the same table, p50", "ms");
const CREATE: Metric = Metric::new("create_hook of a webhook with a template, p50", "ms");
const CREATE_EMBED: Metric = Metric::new("create_hook of auto_embed for one of the types, p50", "ms");

const TYPES: u32 = 10_000;
const TABLES: u32 = 1000;
const SAMPLES: u32 = 50;
const DEADLINE: Duration = Duration::from_secs(300);
const MAKE_TYPES: &str = "
INSERT INTO zerodb.event_type (name, channel, fields, description)
SELECT 'kind' || n || '.stored', 'kinds', '{id}', 'One of many types' FROM generate_series(1, 10000) AS n";
const EMIT: &str = "SELECT count(zerodb.emit('kind' || n || '.stored', jsonb_build_object('id', n)))";

pub struct Types;

#[async_trait(?Send)]
impl Case for Types {
    fn name(&self) -> &'static str {
        "tenants/types"
    }

    fn title(&self) -> &'static str {
        "10,000 event types, 1,000 watched tables"
    }

    fn is_once(&self) -> bool {
        true
    }

    async fn measure(&self, database: &Database<'_>, _options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        session.run(MAKE_TYPES).await?;
        session.run("VACUUM (ANALYZE) zerodb.event_type").await?;
        let hook = schema::function_hook("noop").replace("item.stored", "*");
        session.run(&hook).await?;
        let watched = watch_all(&session).await?;
        database.settle().await?;
        let p50 = |times: &[f64]| percentile(times, 0.5);
        let last = watched.len() - SAMPLES as usize;
        let mut readings = vec![
            WATCH_FIRST.reads(p50(&watched[..SAMPLES as usize])),
            WATCH_LAST.reads(p50(&watched[last..])),
        ];
        readings.extend(writes(database).await?);
        let webhook = |n| {
            format!(
                r#"SELECT zerodb.create_hook('kind{n}.stored', 'web', '{{"url": "https://example.com/", "body_template": "{{{{ id }}}}"}}', hook_type => 'webhook')"#
            )
        };
        readings.push(CREATE.reads(p50(&sampled(&session, webhook).await?)));
        let embed =
            |n| format!("SELECT zerodb.create_hook('kind{n}.stored', 'auto_embed', '{{\"dimensions\": 8}}')");
        readings.push(CREATE_EMBED.reads(p50(&sampled(&session, embed).await?)));
        session
            .run("DELETE FROM zerodb.zerodb_hooks WHERE hook_name <> 'noop'")
            .await?;
        let unwatch = |n| format!("SELECT zerodb.unwatch('kind{n}')");
        readings.push(UNWATCH.reads(p50(&sampled(&session, unwatch).await?)));
        readings.push(RATE.reads(dispatched(database, &session).await?));
        Ok(readings)
    }
}

/// Milliseconds of each watch.
async fn watch_all(session: &Session) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for n in 1..=TABLES {
        session
            .run(&format!("CREATE TABLE kind{n} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, content text, embedding real[])"))
            .await?;
        let started = Instant::now();
        session
            .run(&format!("SELECT zerodb.watch('kind{n}', 'kind{n}.stored')"))
            .await?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(times)
}

/// A session that has written to none of the tables writes to each of them twice.
async fn writes(database: &Database<'_>) -> Result<[Reading; 2]> {
    let session = database.session().await?;
    session.run("SET synchronous_commit = off").await?;
    let (mut first, mut next) = (Vec::new(), Vec::new());
    for n in 1..=TABLES {
        for times in [&mut first, &mut next] {
            let started = Instant::now();
            session
                .run(&format!("INSERT INTO kind{n} (content) VALUES ('a text')"))
                .await?;
            times.push(started.elapsed().as_secs_f64() * 1000.0);
        }
    }
    Ok([
        FIRST_WRITE.reads(percentile(&first, 0.5)),
        NEXT_WRITE.reads(percentile(&next, 0.5)),
    ])
}

/// Milliseconds of a call for each of the first tables.
async fn sampled(session: &Session, sql: impl Fn(u32) -> String) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for n in 1..=SAMPLES {
        let started = Instant::now();
        session.run(&sql(n)).await?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(times)
}

/// Events a second of a backlog of all types.
async fn dispatched(database: &Database<'_>, session: &Session) -> Result<f64> {
    schema::in_batches(session, TYPES, |first, last| {
        format!("{EMIT} FROM generate_series({first}, {last}) AS n")
    })
    .await?;
    let events = TYPES + 2 * TABLES;
    schema::expect_rows(session, "zerodb.outbox", i64::from(events)).await?;
    database.settle().await?;
    let mut worker = Process::noop_worker(&database.url(), events)?;
    worker.says(noop_worker::HANDLED, DEADLINE).await?;
    let all = async || Ok(schema::completed(session).await? == i64::from(events));
    let ended = wait::until(DEADLINE, all)
        .await
        .context("not everything is completed")?;
    let rate = f64::from(events) / (ended - worker.started).as_secs_f64();
    worker.stop().await?;
    Ok(rate)
}
