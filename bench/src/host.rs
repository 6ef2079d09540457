//! The machine as a whole, from /proc/stat: the processor time that was used, and what the host gave to others. On a
//! virtual machine that share changes by the minute, and what is measured meanwhile says nothing.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::figures::Metric;
use crate::wait;

/// Of all processes, the load's included: what a transaction costs where processors are what is short. Unlike a rate
/// it does not depend on what the host leaves.
pub const USED_EACH: Metric = Metric::new("processor time of the machine, a transaction", "us");

/// Share of the processors, in percent, that may be taken away before a reading is taken again.
pub const TOLERABLE: f64 = 5.0;
/// How long all processors are kept busy to see what the host leaves.
const PROBE: Duration = Duration::from_millis(400);
const BETWEEN_PROBES: Duration = Duration::from_secs(3);
/// How long a quiet host is waited for before each measurement.
const PATIENCE: Duration = Duration::from_secs(60);

/// Seconds of all processors together since the machine started.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    pub used: f64,
    pub idle: f64,
    pub stolen: f64,
}

impl Times {
    pub fn now() -> Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        Self::read(&stat).context("/proc/stat is not as it was")
    }

    /// The first line: user, nice, system, idle, iowait, irq, softirq, steal, in hundredths of a second (proc(5)).
    fn read(stat: &str) -> Option<Self> {
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<f64> = line.split_whitespace().flat_map(str::parse).collect();
        let [user, nice, system, idle, iowait, irq, softirq, steal, ..] = ticks[..] else {
            return None;
        };
        Some(Self {
            used: (user + nice + system + irq + softirq) / 100.0,
            idle: (idle + iowait) / 100.0,
            stolen: steal / 100.0,
        })
    }

    /// What has passed since `before`.
    pub fn since(self, before: Self) -> Self {
        Self {
            used: self.used - before.used,
            idle: self.idle - before.idle,
            stolen: self.stolen - before.stolen,
        }
    }

    /// The share that the host took, in percent.
    pub fn stolen_percent(self) -> f64 {
        let all = self.used + self.idle + self.stolen;
        if all > 0.0 { 100.0 * self.stolen / all } else { 0.0 }
    }
}

/// Waits until the host leaves this machine its processors, but not for ever.
pub async fn quiet() {
    let quiet = async || Ok(probe()?.stolen_percent() <= TOLERABLE);
    // What follows is measured all the same, and says how it was.
    let _never = wait::until_seen(BETWEEN_PROBES, PATIENCE, quiet).await;
}

/// Keeps every processor busy for a moment: a host takes nothing from an idle machine.
fn probe() -> Result<Times> {
    let before = Times::now()?;
    let processors = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                let since = Instant::now();
                while since.elapsed() < PROBE {
                    std::hint::spin_loop();
                }
            });
        }
    });
    Ok(Times::now()?.since(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_takes_is_a_share_of_all() {
        let before = Times::read("cpu  100 0 50 1000 0 0 0 10 0 0\ncpu0 …").expect("a line of /proc/stat");
        let after = Times::read("cpu  200 0 100 1020 20 0 10 50 0 0\n").expect("a line of /proc/stat");
        let passed = after.since(before);
        assert!((passed.used - 1.6).abs() < 1e-9);
        assert!((passed.stolen_percent() - 100.0 * 0.4 / 2.4).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        assert_eq!(Times::read("cpu  1 2 3\n"), None);
        assert_eq!(Times::read(""), None);
    }
}
