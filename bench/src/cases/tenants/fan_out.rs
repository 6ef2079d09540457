//! One user with ten thousand hooks on one event type: a fan-out where each event is ten thousand deliveries. The
//! dispatcher must get on all the time, whatever a step is bounded by.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;

use super::crowd;
use crate::args::Options;
use crate::cases::{Case, MEMORY};
use crate::figures::{Metric, Reading};
use crate::process::Process;
use crate::stage::Database;
use crate::{schema, wait};

const DELIVERIES: Metric = Metric::new("deliveries completed", "1/s");
const STILL: Metric = Metric::new("longest time without progress of the cursor", "s");
const DISPATCH: Metric = Metric::new("all dispatched after", "s");

const HOOKS: u32 = 10_000;
const EVENTS: u32 = 50;
const DEADLINE: Duration = Duration::from_secs(600);
const BETWEEN: Duration = Duration::from_millis(200);
const PLACE: &str = "SELECT c.seq FROM zerodb.cursor AS c ORDER BY c.seq DESC LIMIT 1";
const IS_DISPATCHED: &str = "SELECT zerodb._is_dispatched(o.xid, o.ord) FROM zerodb.outbox AS o ORDER BY o.xid DESC, o.ord DESC LIMIT 1";
/// Cheaper than the view, which names each of them.
const COMPLETED: &str = "SELECT (SELECT coalesce(sum(c.size), 0) FROM zerodb.completion AS c)
    + (SELECT count(*) FROM zerodb.delivery AS d WHERE d.state = 'completed')";

pub struct FanOut;

#[async_trait(?Send)]
impl Case for FanOut {
    fn name(&self) -> &'static str {
        "tenants/fan-out"
    }

    fn title(&self) -> &'static str {
        "50 events of a user with 10,000 hooks for the type"
    }

    fn is_once(&self) -> bool {
        true
    }

    async fn measure(&self, database: &Database<'_>, _options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        crowd::watched_table(&session).await?;
        crowd::own(&session, HOOKS).await?;
        session.run(&schema::insert_many(EVENTS)).await?;
        database.settle().await?;
        let worker = Process::worker(&database.url(), "warn")?;
        let (mut place, mut moved, mut still) = (String::new(), worker.started, Duration::ZERO);
        let dispatched = async || {
            let now = session.text(PLACE).await?;
            if now != place {
                (still, moved, place) = (still.max(moved.elapsed()), Instant::now(), now);
            }
            Ok(session.text(IS_DISPATCHED).await? == "t")
        };
        let dispatched = wait::until(DEADLINE, dispatched)
            .await
            .context("not everything is dispatched")?;
        let expected = i64::from(HOOKS * EVENTS);
        let all = async || Ok(session.number(COMPLETED).await? == expected);
        let ended = wait::until_seen(BETWEEN, DEADLINE, all)
            .await
            .context("not everything is completed")?;
        ensure!(
            schema::completed(&session).await? == expected,
            "the view has another number"
        );
        let memory = worker.peak_memory()?;
        let since = |at: Instant| (at - worker.started).as_secs_f64();
        let readings = vec![
            DELIVERIES.reads(expected as f64 / since(ended)),
            DISPATCH.reads(since(dispatched)),
            STILL.reads(still.as_secs_f64()),
            MEMORY.reads(memory),
        ];
        worker.stop().await?;
        Ok(readings)
    }
}
