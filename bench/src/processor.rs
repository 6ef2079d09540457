//! Processor time of processes, from /proc: who used the two processors while something was measured.

use anyhow::{Context, Result};
use zerodb_hooks_harness::Session;

use crate::figures::Metric;

pub const OF_WORKER: Metric = Metric::new("processor time of the worker", "s");
pub const OF_SERVER: Metric = Metric::new("processor time of PostgreSQL", "s");
pub const OF_ENDPOINT: Metric = Metric::new("processor time of the endpoint", "s");

/// Of one process, in user space and in the kernel.
pub fn seconds_of(process: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("/proc has no stat")?;
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .flat_map(str::parse::<u64>)
        .sum();
    // The kernel's unit for user space is a hundredth of a second on every Linux that we build for.
    Ok(ticks as f64 / 100.0)
}

/// Of the server's processes that live now, but for the one of `session`. Take it while the worker is connected: the
/// time of a process that has ended is not in it.
pub async fn seconds_of_server(session: &Session) -> Result<f64> {
    let processes = session
        .texts("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        .await?;
    let mut seconds = 0.0;
    for process in processes {
        // One may end meanwhile.
        seconds += seconds_of(process.parse()?).unwrap_or_default();
    }
    Ok(seconds)
}
