//! One message at a time through an idle queue: from the start of the sending call, and from its acknowledged commit, to
//! the moment when the reader holds the message. Both ends share one process and one clock.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use pgmq::PGMQueueExt;
use serde_json::Value;
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{BATCH, HIDDEN, QUEUE};

/// After each message, so that the reader has deleted it and waits again.
const PAUSE: Duration = Duration::from_millis(5);
/// Messages before those that count.
const WARM_UP: u32 = 50;
const DEADLINE: Duration = Duration::from_secs(30);
/// Every insert notifies; by default four a second do.
const NOTIFY: &str = "SELECT pgmq.enable_notify_insert($1, 0)";
const SEND: &str = "SELECT FROM pgmq.send($1, jsonb_build_object('item_id', $2))";

/// Prints one line: the milliseconds of each sample, as JSON.
pub async fn run(samples: u32) -> Result<()> {
    let pool = crate::pool().await?;
    sqlx::query(NOTIFY).bind(QUEUE).execute(&pool).await?;
    let (stamps, stamped) = unbounded_channel();
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(&format!("pgmq.q_{QUEUE}.INSERT")).await?;
    let queues = PGMQueueExt::new_with_pool(pool).await;
    let (from_commit, from_call) = tokio::select! {
        sampled = sample(stamped, samples) => sampled?,
        ended = read(&queues, listener, stamps) => bail!("the reader ended: {ended:?}"),
    };
    let line = serde_json::json!({"from_commit_ms": from_commit, "from_call_ms": from_call});
    crate::say(&line.to_string())
}

/// Wakes up, reads what is there, stamps and deletes it, for ever.
async fn read(
    queues: &PGMQueueExt,
    mut listener: PgListener,
    stamps: UnboundedSender<(Option<i64>, Instant)>,
) -> Result<()> {
    loop {
        listener.recv().await?;
        let read = queues.read_batch::<Value, Value>(QUEUE, HIDDEN, BATCH).await?;
        let at = Instant::now();
        for message in &read {
            stamps.send((message.message["item_id"].as_i64(), at))?;
        }
        let ids: Vec<i64> = read.iter().map(|message| message.msg_id).collect();
        if !ids.is_empty() {
            queues.delete_batch(QUEUE, &ids).await?;
        }
    }
}

async fn sample(
    mut stamped: UnboundedReceiver<(Option<i64>, Instant)>,
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
        sqlx::query(SEND)
            .bind(QUEUE)
            .bind(i64::from(number))
            .execute(&mut connection)
            .await?;
        let committed = Instant::now();
        let received = timeout(DEADLINE, stamped.recv()).await?;
        let (item, handled) = received.context("the reader has ended")?;
        ensure!(
            item == Some(i64::from(number)),
            "message {number} was sent, and {item:?} came"
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
