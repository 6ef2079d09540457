//! The way of one event through an installation that has nothing else to do. Writer and worker share one process and so
//! one clock; a handler may start before the writer has heard of its commit, which counts as less than nothing.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::figures::Latency;
use crate::refusal::BenchRefusal;
use crate::setting::Setting;
use crate::worker::{self, Stamp};
use crate::{stage, statements};

/// After each delivery, so that the worker has stored its outcome and sleeps again.
const PAUSE: Duration = Duration::from_millis(5);
/// Deliveries before those that count.
const WARM_UP: usize = 20;
const DEADLINE: Duration = Duration::from_secs(30);

/// Writes one row after the other and waits for each event.
pub(crate) async fn run(setting: &Setting<'_>) -> Result<Latency> {
    let (stamps, mut stamped) = unbounded_channel();
    let worker = worker::build(setting.url, Stamp(stamps))?;
    let sampling = async {
        setting.stage.runs(&worker::name()).await?;
        sample(setting, &mut stamped).await
    };
    worker::beside(worker, setting.stop, sampling).await
}

async fn sample(
    setting: &Setting<'_>,
    stamped: &mut UnboundedReceiver<(Option<i64>, Instant)>,
) -> Result<Latency> {
    let client = stage::session(setting.url).await?;
    let statement = client.prepare(statements::INSERT_WATCHED).await?;
    let mut latency = Latency {
        from_commit: Vec::new(),
        from_statement: Vec::new(),
        warm_up: WARM_UP,
    };
    let mut pause = interval(PAUSE);
    pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0..WARM_UP + setting.load.samples as usize {
        pause.reset();
        pause.tick().await;
        let begun = Instant::now();
        let item: i64 = client.query_one(&statement, &[]).await?.try_get("id")?;
        let committed = Instant::now();
        let Ok(handled) = timeout(DEADLINE, arrival(stamped, item)).await else {
            return Err(BenchRefusal::undelivered(DEADLINE).into());
        };
        let handled = handled?;
        if number >= WARM_UP {
            latency.from_commit.push(milliseconds(committed, handled));
            latency.from_statement.push(milliseconds(begun, handled));
        }
    }
    Ok(latency)
}

/// When the handler of this item's event began.
async fn arrival(stamped: &mut UnboundedReceiver<(Option<i64>, Instant)>, item: i64) -> Result<Instant> {
    while let Some((arrived, at)) = stamped.recv().await {
        if arrived == Some(item) {
            return Ok(at);
        }
    }
    bail!("the worker of the bench has ended")
}

/// Negative when `to` came first.
fn milliseconds(from: Instant, to: Instant) -> f64 {
    let apart = |later: Instant, earlier: Instant| later.duration_since(earlier).as_secs_f64() * 1000.0;
    if to >= from {
        apart(to, from)
    } else {
        -apart(from, to)
    }
}
