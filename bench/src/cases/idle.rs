//! The way of one event through an idle installation: from the start of the INSERT, and from its acknowledged commit,
//! to the start of the handler. Writer and worker share one process and so one clock; a handler may start before the
//! writer has heard of its commit, which counts as less than nothing.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use zerodb_hooks_harness::Session;
use zerodb_hooks_worker::{Context, Delivery, Done, Handler, HandlerError, Worker};

use super::Case;
use crate::args::Options;
use crate::figures::{Metric, Reading, percentile};
use crate::stage::{self, Database};
use crate::{beside, schema};

pub const COMMIT_P50: Metric = Metric::new("commit to handler, p50", "ms");
pub const COMMIT_P99: Metric = Metric::new("commit to handler, p99", "ms");
pub const CALL_P50: Metric = Metric::new("start of the write to handler, p50", "ms");
pub const CALL_P99: Metric = Metric::new("start of the write to handler, p99", "ms");

/// After each delivery, so that the worker has stored its outcome and sleeps again.
const PAUSE: Duration = Duration::from_millis(5);
/// Deliveries before those that count.
const WARM_UP: u32 = 50;
const DEADLINE: Duration = Duration::from_secs(30);

pub struct Idle;

#[async_trait(?Send)]
impl Case for Idle {
    fn name(&self) -> &'static str {
        "idle/latency"
    }

    fn title(&self) -> &'static str {
        "one event at a time"
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        for statements in [schema::ITEM, schema::WATCH, &schema::function_hook("stamp")] {
            session.run(statements).await?;
        }
        let (stamps, stamped) = mpsc::unbounded_channel();
        let worker = Worker::builder(&database.url())
            .handler("stamp", Stamp(stamps))
            .build()?;
        let sampling = async {
            stage::wait_for_worker(&session).await?;
            database.settle().await?;
            sample(&session, stamped, options.samples).await
        };
        let (from_commit, from_call) = beside::run(worker, sampling).await?;
        Ok(readings(&from_commit, &from_call))
    }
}

/// From milliseconds of each sample; a rival's are read in the same way.
pub fn readings(from_commit: &[f64], from_call: &[f64]) -> Vec<Reading> {
    vec![
        COMMIT_P50.reads(percentile(from_commit, 0.5)),
        COMMIT_P99.reads(percentile(from_commit, 0.99)),
        CALL_P50.reads(percentile(from_call, 0.5)),
        CALL_P99.reads(percentile(from_call, 0.99)),
    ]
}

/// Which item's event has arrived, and when.
pub type Stamped = (Option<i64>, Instant);

/// Says what arrives.
pub struct Stamp(pub mpsc::UnboundedSender<Stamped>);

#[async_trait]
impl Handler for Stamp {
    async fn run(&self, _context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        let at = Instant::now();
        let _closed = self
            .0
            .send((delivery.event.data.value()?["item_id"].as_i64(), at));
        Ok(Done::default())
    }
}

/// Milliseconds of each sample, from the commit and from the call.
pub async fn sample(
    session: &Session,
    mut stamped: mpsc::UnboundedReceiver<Stamped>,
    samples: u32,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let statement = session
        .client
        .prepare(&format!("{} RETURNING id", schema::INSERT_ONE))
        .await?;
    let (mut from_commit, mut from_call) = (Vec::new(), Vec::new());
    let mut pause = interval(PAUSE);
    pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0..WARM_UP + samples {
        pause.reset();
        pause.tick().await;
        let called = Instant::now();
        let item: i64 = session.client.query_one(&statement, &[]).await?.try_get(0)?;
        let committed = Instant::now();
        let Some((event_item, handled)) = timeout(DEADLINE, stamped.recv()).await? else {
            bail!("the worker has ended");
        };
        ensure!(
            event_item == Some(item),
            "item {item} was stored, and an event of {event_item:?} delivered"
        );
        if number >= WARM_UP {
            from_commit.push(milliseconds(committed, handled));
            from_call.push(milliseconds(called, handled));
        }
    }
    Ok((from_commit, from_call))
}

/// Negative when `to` came first.
fn milliseconds(from: Instant, to: Instant) -> f64 {
    let seconds = |later: Instant, earlier: Instant| later.duration_since(earlier).as_secs_f64();
    1000.0
        * if to >= from {
            seconds(to, from)
        } else {
            -seconds(from, to)
        }
}
