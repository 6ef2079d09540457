//! Whether the worker lives and whether it takes work, for those who watch it from outside. Answers at once, and asks
//! nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

/// Time between two beats of the runtime.
const BEAT: Duration = Duration::from_secs(1);
/// The time without a beat after which the process counts as stuck: no thread of its runtime came round to it.
const STUCK: Duration = Duration::from_secs(30);

const STARTING: u8 = 0;
const RUNNING: u8 = 1;
const STOPPING: u8 = 2;

/// The state of a worker as others may see it.
#[derive(Debug)]
pub struct Readiness {
    since: Instant,
    phase: AtomicU8,
    /// Milliseconds since `since`.
    beat: AtomicU64,
    renewed: AtomicU64,
    lease: Duration,
}

impl Readiness {
    pub(crate) fn new(lease: Duration) -> Self {
        Self {
            since: Instant::now(),
            phase: AtomicU8::new(STARTING),
            beat: AtomicU64::new(0),
            renewed: AtomicU64::new(0),
            lease,
        }
    }

    /// Whether the runtime still runs tasks. A database that is away does not count: starting anew would not help.
    ///
    /// # Errors
    /// What is wrong.
    pub fn liveness(&self) -> Result<(), &'static str> {
        let silent = self.since.elapsed().saturating_sub(millis(&self.beat));
        if silent < STUCK { Ok(()) } else { Err("stuck") }
    }

    /// Whether the worker takes work: it has found the database, has renewed its lease in time, and was not told to
    /// stop.
    ///
    /// # Errors
    /// What it waits for.
    pub fn readiness(&self) -> Result<(), &'static str> {
        self.liveness()?;
        match self.phase.load(Ordering::Acquire) {
            STARTING => Err("starting"),
            RUNNING if self.since.elapsed().saturating_sub(millis(&self.renewed)) < self.lease => Ok(()),
            RUNNING => Err("no lease"),
            _ => Err("stopping"),
        }
    }

    /// Beats until it is aborted.
    pub(crate) async fn beats(self: Arc<Self>) {
        let mut ticks = interval(BEAT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.note(&self.beat);
        }
    }

    pub(crate) fn started(&self) {
        self.note(&self.renewed);
        self.phase.store(RUNNING, Ordering::Release);
    }

    pub(crate) fn renewed(&self) {
        self.note(&self.renewed);
    }

    pub(crate) fn stopping(&self) {
        self.phase.store(STOPPING, Ordering::Release);
    }

    fn note(&self, time: &AtomicU64) {
        let since = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        time.store(since, Ordering::Release);
    }
}

fn millis(time: &AtomicU64) -> Duration {
    Duration::from_millis(time.load(Ordering::Acquire))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aged(age: Duration) -> Readiness {
        let mut readiness = Readiness::new(Duration::from_secs(30));
        readiness.since = Instant::now()
            .checked_sub(age)
            .expect("a clock that is old enough");
        readiness
    }

    #[test]
    fn a_worker_is_ready_from_its_first_lease_until_it_stops_or_loses_it() {
        let readiness = Readiness::new(Duration::from_secs(30));
        assert_eq!(readiness.readiness(), Err("starting"));
        readiness.started();
        assert_eq!(readiness.readiness(), Ok(()));
        readiness.stopping();
        assert_eq!(readiness.readiness(), Err("stopping"));
        assert_eq!(readiness.liveness(), Ok(()));
        let late = aged(Duration::from_secs(31));
        late.note(&late.beat);
        late.phase.store(RUNNING, Ordering::Release);
        assert_eq!((late.liveness(), late.readiness()), (Ok(()), Err("no lease")));
        late.renewed();
        assert_eq!(late.readiness(), Ok(()));
    }

    #[test]
    fn a_runtime_that_runs_no_task_is_not_alive() {
        let stuck = aged(STUCK);
        stuck.started();
        assert_eq!(
            (stuck.liveness(), stuck.readiness()),
            (Err("stuck"), Err("stuck"))
        );
    }
}
