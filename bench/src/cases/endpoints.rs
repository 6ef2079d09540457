//! A hundred webhook endpoints, each with a hook and an event type of its own, at a steady rate of events: how long an
//! event takes to the receiver of the other ninety-nine, while one answers and while it hangs to its timeout. The time
//! runs from the event's `created_at` to the arrival of the request; both clocks are of this machine.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use jiff::Timestamp;
use zerodb_hooks_harness::{Answer, Receiver, Session};

use super::Case;
use crate::args::Options;
use crate::figures::{Metric, Reading, percentile};
use crate::pgbench::{self, Length, Load};
use crate::stage::Database;
use crate::wait;

pub const RECEIVED_P99: Metric = Metric::new("event to receiver, p99", "ms");
const RECEIVED_P50: Metric = Metric::new("event to receiver, p50", "ms");

/// Events a second, spread over the endpoints at random.
const RATE: u32 = 300;
const DEADLINE: Duration = Duration::from_secs(60);

const EVENT_TYPES: &str = "SELECT zerodb.register_event_type('endpoint.e' || n, 'app', '{n}', 'For one endpoint') FROM generate_series(0, 99) AS n";
const HOOKS: &str = "SELECT zerodb.create_hook('endpoint.e' || n, 'to.' || n,
    jsonb_build_object('url', CASE n WHEN 0 THEN '{first}' ELSE '{others}' || n END, 'timeout_ms', 5000),
    hook_type => 'webhook')
FROM generate_series(0, 99) AS n";
const EMIT_TO_EACH: &str = "SELECT zerodb.emit('endpoint.e' || n, '{}') FROM generate_series(0, 99) AS n";
const EMIT: &str = "\\set n random(0, 99)\nSELECT zerodb.emit('endpoint.e' || :n, '{}')";
/// Without the meta-events of deliveries to the one that hangs, when they are given up.
const OTHERS: &str =
    "SELECT count(*) FROM zerodb.events WHERE event LIKE 'endpoint.e%' AND event <> 'endpoint.e0'";
const OTHERS_COMPLETED: &str = "SELECT count(*) FROM zerodb.deliveries AS d
    WHERE d.state = 'completed' AND d.hook_id <> (SELECT h.id FROM zerodb.zerodb_hooks AS h WHERE h.hook_name = 'to.0')";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Endpoints {
    AllAnswer,
    OneHangs,
}

pub const ALL: &[Endpoints] = &[Endpoints::AllAnswer, Endpoints::OneHangs];

#[async_trait(?Send)]
impl Case for Endpoints {
    fn name(&self) -> &'static str {
        match self {
            Self::AllAnswer => "endpoints/all-answer",
            Self::OneHangs => "endpoints/one-hangs",
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::AllAnswer => "99 of 100 webhook endpoints, all answer",
            Self::OneHangs => "the same 99, the other hangs to its timeout",
        }
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        let (first, others) = (Receiver::start()?, Receiver::start()?);
        if *self == Self::OneHangs {
            first.always(Answer::Hang);
        }
        let hooks = HOOKS
            .replace("{first}", &first.url("/0"))
            .replace("{others}", &others.url("/"));
        for statements in [EVENT_TYPES, &hooks] {
            session.run(statements).await?;
        }
        let worker = database.start_worker_that_logs("error", &session).await?;
        // Each endpoint has its connection before the time counts.
        session.run(EMIT_TO_EACH).await?;
        all_completed(&session).await?;
        database.settle().await?;

        let (begin, clock) = (Timestamp::now(), Instant::now());
        let load = Load {
            statement: EMIT,
            clients: 4,
            length: Length::Seconds(options.endpoint_seconds),
            rate: Some(RATE),
        };
        pgbench::run(database, &load).await?;
        all_completed(&session).await?;
        worker.stop().await?;
        let times = times(&others, begin, clock)?;
        let expected = session.number(OTHERS).await?;
        let arrived = others.requests().len() as i64;
        ensure!(
            arrived == expected,
            "{expected} events, and {arrived} requests arrived"
        );
        Ok(vec![
            RECEIVED_P50.reads(percentile(&times, 0.5)),
            RECEIVED_P99.reads(percentile(&times, 0.99)),
        ])
    }
}

async fn all_completed(session: &Session) -> Result<()> {
    let expected = session.number(OTHERS).await?;
    let all = async || Ok(session.number(OTHERS_COMPLETED).await? == expected);
    wait::until(DEADLINE, all)
        .await
        .context("not everything is delivered to the 99")?;
    Ok(())
}

/// Milliseconds of each event since `begin`, which is the same moment as `clock`. Fails when one has come twice.
fn times(receiver: &Receiver, begin: Timestamp, clock: Instant) -> Result<Vec<f64>> {
    let mut seen = HashSet::new();
    let mut times = Vec::new();
    for request in receiver.requests() {
        let event = request.json()?;
        let text = |key: &str| {
            event[key]
                .as_str()
                .with_context(|| format!("no {key} in {event}"))
        };
        ensure!(seen.insert(text("id")?.to_owned()), "{event} came twice");
        let written: Timestamp = text("timestamp")?.parse()?;
        if written >= begin {
            let since = request.at.duration_since(clock).as_secs_f64();
            times.push(1000.0 * (since - (written - begin).total(jiff::Unit::Second)?));
        }
    }
    ensure!(!times.is_empty(), "no event was written");
    Ok(times)
}
