//! The worker of the bench: the library in this process, with handlers that only count or take the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use zerodb_hooks_delivery::{Delivery, Done, HandlerError};
use zerodb_hooks_engine::{Context, Handler, Settings, Worker, WorkerError, default_name};

use crate::refusal::BenchRefusal;

/// Name of the hook and of its handler, as in the statements.
pub(crate) const HANDLER: &str = "zerodb_hooks_bench";

/// Counts what it is given.
#[derive(Clone, Default)]
pub(crate) struct Count(Arc<AtomicU64>);

impl Count {
    pub(crate) fn handled(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Handler for Count {
    async fn run(&self, _context: &Context, _delivery: &Delivery) -> Result<Done, HandlerError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Done::default())
    }
}

/// Says which item's event has arrived, and when.
pub(crate) struct Stamp(pub(crate) UnboundedSender<(Option<i64>, Instant)>);

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

/// The name under which the worker is found, and known as a bench's after a kill.
pub(crate) fn name() -> String {
    format!("{HANDLER}:{}", default_name())
}

/// A worker with the defaults of `zerodb-hooks worker`, and this handler.
pub(crate) fn build(url: &str, handler: impl Handler) -> Result<Worker, WorkerError> {
    let settings = Settings {
        name: name(),
        drain: Duration::from_secs(5),
        ..Settings::default()
    };
    Worker::builder(url)
        .settings(settings)
        .handler(HANDLER, handler)
        .build()
}

/// Runs the worker until `work` has ended or `stop` is set; returns what it made once the worker has stopped too.
pub(crate) async fn beside<T>(
    worker: Worker,
    stop: &CancellationToken,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let end = CancellationToken::new();
    let running = worker.run_until(end.clone().cancelled_owned());
    tokio::pin!(running);
    let made = tokio::select! {
        ended = &mut running => {
            ended?;
            bail!("the worker of the bench has ended");
        }
        made = until_stopped(stop, work) => made,
    };
    end.cancel();
    running.await?;
    made
}

/// `work`, or an error once `stop` is set.
pub(crate) async fn until_stopped<T>(
    stop: &CancellationToken,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    stop.run_until_cancelled(work)
        .await
        .unwrap_or_else(|| Err(BenchRefusal::stopped("what the bench had made is removed").into()))
}
