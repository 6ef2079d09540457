//! What the system says of this process, under the names that every exporter has for it. Read from `/proc` when a text
//! is written; where there is no `/proc` they are 0.

use std::fs;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::numbers::{FloatGauge, Seconds, now};
use crate::registering::register;

/// Ticks of the kernel's clock in a second, as programs are told them on every Linux.
const TICKS: f64 = 100.0;
/// The fields of `/proc/self/stat` behind the program's name: user time, system time.
const TIMES: [usize; 2] = [11, 12];

#[derive(Debug)]
pub(crate) struct Process {
    cpu: Seconds,
    memory: Gauge,
    files: Gauge,
    most_files: Gauge,
    started: FloatGauge,
    threads: Gauge,
    tasks: Gauge,
    queued: Gauge,
    busy: Seconds,
}

impl Default for Process {
    fn default() -> Self {
        let process = Self {
            cpu: Counter::default(),
            memory: Gauge::default(),
            files: Gauge::default(),
            most_files: Gauge::default(),
            started: FloatGauge::default(),
            threads: Gauge::default(),
            tasks: Gauge::default(),
            queued: Gauge::default(),
            busy: Counter::default(),
        };
        process.started.set(now());
        process
    }
}

impl Process {
    pub fn register(&self, to: &mut Registry) {
        register(to, "process_cpu_seconds_total", self.cpu.clone());
        register(to, "process_resident_memory_bytes", self.memory.clone());
        register(to, "process_open_fds", self.files.clone());
        register(to, "process_max_fds", self.most_files.clone());
        register(to, "process_start_time_seconds", self.started.clone());
        register(to, "zerodb_hooks_runtime_threads", self.threads.clone());
        register(to, "zerodb_hooks_runtime_tasks", self.tasks.clone());
        register(to, "zerodb_hooks_runtime_queued_tasks", self.queued.clone());
        register(to, "zerodb_hooks_runtime_busy_seconds_total", self.busy.clone());
    }

    pub fn set_runtime(&self, threads: usize, tasks: usize, queued: usize, busy: Duration) {
        for (gauge, number) in [
            (&self.threads, threads),
            (&self.tasks, tasks),
            (&self.queued, queued),
        ] {
            gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
        }
        raise(&self.busy, busy.as_secs_f64());
    }

    /// Reads the rest. Some files of a file system that never waits.
    pub fn read(&self) {
        if let Some(seconds) = fs::read_to_string("/proc/self/stat")
            .ok()
            .and_then(|stat| cpu_seconds(&stat))
        {
            raise(&self.cpu, seconds);
        }
        if let Some(kib) = fs::read_to_string("/proc/self/status")
            .ok()
            .and_then(|status| resident_kib(&status))
        {
            self.memory.set(kib.saturating_mul(1024));
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            self.files.set(i64::try_from(open.count()).unwrap_or(i64::MAX));
        }
        if let Some(most) = fs::read_to_string("/proc/self/limits")
            .ok()
            .and_then(|limits| most_files(&limits))
        {
            self.most_files.set(most);
        }
    }
}

/// Brings a counter to what its source says, unless it is there or beyond.
fn raise(counter: &Seconds, to: f64) {
    let more = to - counter.get();
    if more > 0.0 {
        counter.inc_by(more);
    }
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    // The name may hold anything, also brackets.
    let (_, behind) = stat.rsplit_once(')')?;
    let fields: Vec<_> = behind.split_whitespace().collect();
    let ticks = TIMES.map(|at| fields.get(at)?.parse::<f64>().ok());
    Some(ticks.into_iter().sum::<Option<f64>>()? / TICKS)
}

fn resident_kib(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn most_files(limits: &str) -> Option<i64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_proc_are_read_whatever_the_program_is_called() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 100 1 1";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(resident_kib("VmPeak:\t  9 kB\nVmRSS:\t  512 kB\n"), Some(512));
        assert_eq!(
            most_files("Limit Soft Hard Units\nMax open files            1024      4096     files\n"),
            Some(1024)
        );
        assert_eq!(
            (cpu_seconds(""), resident_kib(""), most_files("")),
            (None, None, None)
        );
    }
}
