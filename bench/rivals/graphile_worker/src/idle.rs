//! One job at a time through an idle worker: from the start of the enqueueing call, and from its acknowledged commit, to
//! the start of the handler. Both ends share one process and one clock.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};
use serde::{Deserialize, Serialize};
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// After each job, so that the worker has stored its outcome and waits again.
const PAUSE: Duration = Duration::from_millis(5);
/// Jobs before those that count.
const WARM_UP: u32 = 50;
/// As by default: one job at a time leaves nothing to fetch side by side.
const LOCAL_QUEUES: usize = 1;
const DEADLINE: Duration = Duration::from_secs(30);
/// The worker's own way in: the SQL function behind every client of it.
const ENQUEUE: &str = "SELECT FROM graphile_worker.add_job('stamp', json_build_object('item_id', $1))";

#[derive(Deserialize, Serialize)]
struct Stamp {
    item_id: i64,
}

#[derive(Clone, Debug)]
struct Stamps(UnboundedSender<(i64, Instant)>);

impl TaskHandler for Stamp {
    const IDENTIFIER: &'static str = "stamp";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let at = Instant::now();
        let stamps = context.get_ext::<Stamps>().ok_or("no stamps")?;
        stamps.0.send((self.item_id, at)).map_err(|_| "nobody listens")?;
        Ok::<(), &str>(())
    }
}

/// Prints one line: the milliseconds of each sample, as JSON.
pub async fn run(samples: u32) -> Result<()> {
    let (stamps, stamped) = unbounded_channel();
    let worker = crate::options(LOCAL_QUEUES)
        .await?
        .add_extension(Stamps(stamps))
        .define_job::<Stamp>()
        .init()
        .await?;
    let sampling = async {
        let sampled = sample(stamped, samples).await;
        worker.request_shutdown();
        sampled
    };
    let running = async { worker.run().await.context("the worker failed") };
    let ((), (from_commit, from_call)) = tokio::try_join!(running, sampling)?;
    let line = serde_json::json!({"from_commit_ms": from_commit, "from_call_ms": from_call});
    crate::say(&line.to_string())
}

async fn sample(
    mut stamped: UnboundedReceiver<(i64, Instant)>,
    samples: u32,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let mut connection = PgConnection::connect_with(&PgConnectOptions::new()).await?;
    let (mut from_commit, mut from_call) = (Vec::new(), Vec::new());
    let mut pause = interval(PAUSE);
    pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0..WARM_UP + samples {
        pause.reset();
        pause.tick().await;
        let called = Instant::now();
        sqlx::query(ENQUEUE)
            .bind(i64::from(number))
            .execute(&mut connection)
            .await?;
        let committed = Instant::now();
        let received = timeout(DEADLINE, stamped.recv()).await?;
        let (item, handled) = received.context("the worker has ended")?;
        ensure!(
            item == i64::from(number),
            "job {number} was added, and {item} came"
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
    let forward = to.saturating_duration_since(from).as_secs_f64();
    let backward = from.saturating_duration_since(to).as_secs_f64();
    1000.0 * (forward - backward)
}
