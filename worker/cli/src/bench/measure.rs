//! The measurements in their order. The plain table comes first and last, so that a change of the server's mood shows;
//! what waits after one measurement is delivered before the next.

use std::time::Duration;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use super::figures::{Measured, Writes, number};
use super::stage::Stage;
use super::worker::{self, Count};
use super::{BenchArgs, burn_down, latency, note, statements, write};

/// How often the end of what waits is looked for where nothing is measured.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What every measurement needs.
pub(super) struct Bench<'a> {
    pub(super) args: &'a BenchArgs,
    pub(super) url: &'a str,
    pub(super) stage: &'a Stage,
    /// Set by Ctrl-C and SIGTERM.
    pub(super) stop: CancellationToken,
}

/// All measurements with a worker of the bench's own, or the write tax with the workers that are there.
pub(super) async fn all(bench: &Bench<'_>, own_worker: bool) -> Result<Measured> {
    note("write tax: untouched table");
    let before = writes(bench, statements::BENCH_INSERT_PLAIN).await?;
    let (no_worker, busy_worker, delivered_meanwhile) = if own_worker {
        note("write tax: with a hook, no worker");
        let without = writes(bench, statements::BENCH_INSERT_WATCHED).await?;
        let (with, delivered) = with_worker(bench, without.rows()).await?;
        (Some(without), with, Some(delivered))
    } else {
        note("write tax: with a hook, the workers that are here");
        let with = writes(bench, statements::BENCH_INSERT_WATCHED).await?;
        let settling = bench.stage.settles(time_for(with.rows()), LOOK_EVERY);
        worker::until_stopped(&bench.stop, settling).await?;
        (None, with, None)
    };
    note("write tax: untouched table again");
    let after = writes(bench, statements::BENCH_INSERT_PLAIN).await?;
    let (mut latency, mut burn_down) = (None, None);
    if own_worker {
        note("latency");
        latency = Some(latency::run(bench).await?);
        note("burn-down");
        burn_down = Some(burn_down::run(bench).await?);
    }
    Ok(Measured {
        plain: [before, after],
        no_worker,
        busy_worker,
        delivered_meanwhile,
        latency,
        burn_down,
    })
}

async fn writes(bench: &Bench<'_>, statement: &str) -> Result<Writes> {
    worker::until_stopped(&bench.stop, write::run(bench, statement)).await
}

/// Inserts while a worker delivers; and how much of them it had delivered when they stopped. It begins with nothing to
/// catch up: the `waiting` events are delivered first.
async fn with_worker(bench: &Bench<'_>, waiting: usize) -> Result<(Writes, f64)> {
    note("write tax: with a hook, a worker delivering (which first delivers what waits)");
    let counted = Count::default();
    let worker = worker::build(bench.url, counted.clone())?;
    let writing = async {
        bench.stage.runs(&worker::name()).await?;
        bench.stage.settles(time_for(waiting), LOOK_EVERY).await?;
        let before = counted.handled();
        let written = write::run(bench, statements::BENCH_INSERT_WATCHED).await?;
        let delivered = (counted.handled() - before) as f64 / number(written.rows());
        bench.stage.settles(time_for(written.rows()), LOOK_EVERY).await?;
        Ok((written, delivered))
    };
    worker::beside(worker, &bench.stop, writing).await
}

/// Longer than any server takes that is not stuck.
fn time_for(events: usize) -> Duration {
    Duration::from_secs(60 + events as u64 / 500)
}
