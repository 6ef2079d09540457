//! What it takes to keep a long history flat, and what a writer and the worker feel meanwhile: the deliveries of the
//! oldest day are pruned, its partition is emptied, and the tables are vacuumed, while single rows are written and
//! delivered one after another. The same is written before, with nothing else going on.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use async_trait::async_trait;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::oneshot;
use tokio::time::{interval, timeout};
use zerodb_hooks_harness::Session;
use zerodb_hooks_worker::Worker;

use super::maker;
use crate::args::Options;
use crate::cases::Case;
use crate::cases::idle::{Stamp, Stamped};
use crate::figures::{Metric, Reading, percentile};
use crate::stage::{self, Database};
use crate::{beside, schema, wait};

pub const UPKEEP: &str = "history/upkeep";
const ALONE_P50: Metric = Metric::new("start of the write to handler, alone, p50", "ms");
pub const ALONE_P99: Metric = Metric::new("start of the write to handler, alone, p99", "ms");
const DURING_P50: Metric = Metric::new("start of the write to handler, meanwhile, p50", "ms");
pub const DURING_P99: Metric = Metric::new("start of the write to handler, meanwhile, p99", "ms");
const DURING_MAX: Metric = Metric::new("start of the write to handler, meanwhile, slowest", "ms");
const WRITE_MAX: Metric = Metric::new("the write alone, meanwhile, slowest", "ms");
const PRUNED: Metric = Metric::new("deliveries pruned", "");
const PRUNING: Metric = Metric::new("pruning them", "ms");
const SLOWEST_PRUNE: Metric = Metric::new("the slowest statement of it", "ms");
const EMPTYING: Metric = Metric::new("emptying the partition", "ms");
const EMPTIED: Metric = Metric::new("events in it", "");
const VACUUM: Metric = Metric::new("VACUUM of the deliveries afterwards", "ms");
const FREEZE: Metric = Metric::new("VACUUM (FREEZE) of the next partition", "ms");

const ALONE: Duration = Duration::from_secs(10);
const DEADLINE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(5);
/// All of the first partition is older.
const RETENTION: &str = "5 days";
const BATCH: u32 = 10_000;
/// The partition of the oldest events, and the one after it.
const OLDEST: &str = "SELECT o.slot FROM zerodb.outbox AS o ORDER BY o.xid, o.ord LIMIT 1";
const OF_SLOT: &str = "SELECT count(*) FROM zerodb.outbox WHERE slot = ";

pub struct Upkeep;

/// Milliseconds of each write, and of each from its start to its handler.
#[derive(Default)]
struct Felt {
    writes: Vec<f64>,
    handled: Vec<f64>,
}

#[async_trait(?Send)]
impl Case for Upkeep {
    fn name(&self) -> &'static str {
        UPKEEP
    }

    fn title(&self) -> &'static str {
        "a long history is kept flat while one row after another is written"
    }

    fn is_once(&self) -> bool {
        true
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        maker::make(&session, options.history()).await?;
        for statements in [
            schema::ITEM,
            "SELECT zerodb.watch('item', 'item.stored')",
            &schema::function_hook("stamp"),
        ] {
            session.run(statements).await?;
        }
        let (stamps, mut stamped) = mpsc::unbounded_channel();
        let worker = Worker::builder(&database.url())
            .handler("stamp", Stamp(stamps))
            .build()?;
        let keeper = database.session().await?;
        let measuring = async {
            stage::wait_for_worker(&session).await?;
            database.settle().await?;
            let (stop, stopped) = oneshot::channel();
            let resting = async {
                let since = Instant::now();
                wait::until_seen(PAUSE, DEADLINE, async || Ok(since.elapsed() >= ALONE)).await?;
                drop(stop);
                anyhow::Ok(())
            };
            let (alone, _) = tokio::try_join!(write(&session, &mut stamped, stopped), resting)?;
            let (stop, stopped) = oneshot::channel();
            let keeping = async {
                let kept = keep(&keeper).await;
                drop(stop);
                kept
            };
            let (during, mut readings) = tokio::try_join!(write(&session, &mut stamped, stopped), keeping)?;
            readings.extend([
                ALONE_P50.reads(percentile(&alone.handled, 0.5)),
                ALONE_P99.reads(percentile(&alone.handled, 0.99)),
                DURING_P50.reads(percentile(&during.handled, 0.5)),
                DURING_P99.reads(percentile(&during.handled, 0.99)),
                DURING_MAX.reads(percentile(&during.handled, 1.0)),
                WRITE_MAX.reads(percentile(&during.writes, 1.0)),
            ]);
            Ok(readings)
        };
        beside::run(worker, measuring).await
    }
}

/// Writes one row after another, each once the one before has been handled, until it is told to stop.
async fn write(
    session: &Session,
    stamped: &mut UnboundedReceiver<Stamped>,
    mut stop: oneshot::Receiver<()>,
) -> Result<Felt> {
    let statement = session.client.prepare(schema::INSERT_ONE).await?;
    let mut felt = Felt::default();
    let mut pause = interval(PAUSE);
    while matches!(stop.try_recv(), Err(oneshot::error::TryRecvError::Empty)) {
        let called = Instant::now();
        session.client.execute(&statement, &[]).await?;
        felt.writes.push(called.elapsed().as_secs_f64() * 1000.0);
        let Some((_, handled)) = timeout(DEADLINE, stamped.recv()).await? else {
            bail!("the worker has ended");
        };
        felt.handled
            .push(handled.duration_since(called).as_secs_f64() * 1000.0);
        pause.reset();
        pause.tick().await;
    }
    Ok(felt)
}

/// The upkeep of one turn of the log, as maintenance does it.
async fn keep(session: &Session) -> Result<Vec<Reading>> {
    let slot = session.number(OLDEST).await?;
    let (pruned, pruning, slowest) = prune(session).await?;
    let emptied = session.number(&format!("{OF_SLOT}{slot}")).await?;
    let emptying = time(
        session,
        &format!("SELECT zerodb._rotate_log({slot}, '{RETENTION}')"),
    )
    .await?;
    let left = session.number(&format!("{OF_SLOT}{slot}")).await?;
    ensure!(left == 0, "{left} events are left in the partition");
    let vacuum = time(session, "VACUUM zerodb.delivery").await?;
    let next = session.number(OLDEST).await?;
    let freeze = time(session, &format!("VACUUM (FREEZE) zerodb.outbox_{next}")).await?;
    Ok(vec![
        PRUNED.reads(pruned as f64),
        PRUNING.reads(pruning),
        SLOWEST_PRUNE.reads(slowest),
        EMPTIED.reads(emptied as f64),
        EMPTYING.reads(emptying),
        VACUUM.reads(vacuum),
        FREEZE.reads(freeze),
    ])
}

/// How many were deleted, and the milliseconds of all statements and of the slowest.
async fn prune(session: &Session) -> Result<(i64, f64, f64)> {
    let (mut after, mut pruned, mut all, mut slowest) = (0, 0, 0.0, 0.0_f64);
    loop {
        let started = Instant::now();
        let row = session
            .client
            .query_one(
                &format!("SELECT p.reached, p.pruned, p.more FROM zerodb._prune_deliveries('{RETENTION}', {after}, {BATCH}) AS p"),
                &[],
            )
            .await?;
        let took = started.elapsed().as_secs_f64() * 1000.0;
        (all, slowest) = (all + took, slowest.max(took));
        after = row.try_get::<_, i64>(0)?;
        pruned += row.try_get::<_, i64>(1)?;
        if !row.try_get::<_, bool>(2)? {
            return Ok((pruned, all, slowest));
        }
    }
}

async fn time(session: &Session, sql: &str) -> Result<f64> {
    let started = Instant::now();
    session.run(sql).await?;
    Ok(started.elapsed().as_secs_f64() * 1000.0)
}
