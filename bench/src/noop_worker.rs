//! The measured process of the burn-down: the worker library with a handler that only counts.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use async_trait::async_trait;
use tokio::signal::unix::{SignalKind, signal};
use zerodb_hooks_worker::cli::LogFormat;
use zerodb_hooks_worker::{Context, Delivery, Done, Handler, HandlerError, Worker, memory, telemetry};

use crate::args::NoopArgs;

/// What it prints when the last delivery that is expected has been handled. The outcome may not be stored yet.
pub const HANDLED: &str = "handled";

struct Noop {
    handled: AtomicU64,
    expected: u64,
}

#[async_trait]
impl Handler for Noop {
    async fn run(&self, _context: &Context, _delivery: &Delivery) -> Result<Done, HandlerError> {
        if self.handled.fetch_add(1, Ordering::Relaxed) + 1 == self.expected {
            let mut out = std::io::stdout().lock();
            // The parent may have gone; that is not this delivery's failure.
            let _gone = writeln!(out, "{HANDLED}").and_then(|()| out.flush());
        }
        Ok(Done::default())
    }
}

pub async fn run(arguments: NoopArgs) -> Result<()> {
    telemetry::init(LogFormat::Text, "warn");
    memory::use_small_pages();
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        terminate.recv().await;
    };
    let noop = Noop {
        handled: AtomicU64::new(0),
        expected: arguments.expect,
    };
    Worker::builder(&arguments.database_url)
        .handler("noop", noop)
        .build()?
        .run_until(stop)
        .await?;
    Ok(())
}
