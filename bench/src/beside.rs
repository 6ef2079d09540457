//! The worker as a library, in this process, for cases whose handler must share the bench's clock.

use anyhow::{Context, Result};
use tokio::sync::oneshot;
use zerodb_hooks_worker::engine::Worker;

/// Runs the worker until `work` has ended; returns what it made once the worker has stopped too.
pub async fn run<T>(worker: Worker, work: impl Future<Output = Result<T>>) -> Result<T> {
    let (stop, stopped) = oneshot::channel::<()>();
    let running = async {
        let until = async move {
            let _dropped = stopped.await;
        };
        worker.run_until(until).await.context("the worker failed")
    };
    let working = async {
        let made = work.await?;
        drop(stop);
        Ok(made)
    };
    let ((), made) = tokio::try_join!(running, working)?;
    Ok(made)
}
