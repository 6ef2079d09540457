//! The wait between a wake-up and the look after it. There is none as long as now and then a wake-up brings work; but
//! anybody who may connect can send them, so a flood of those for which there is no work costs a look now and then.
//! Pure.

use std::time::{Duration, Instant};

/// Wake-ups in a row that may bring nothing without any wait: two writers who commit at once notify both, and the
/// look after the first finds what both have written.
const FREE: u32 = 4;
/// The time between two looks after that.
const SHORTEST: Duration = Duration::from_millis(5);
/// Doublings of that time while nothing is found.
const DOUBLINGS: u32 = 3;

/// The wake-ups so far.
#[derive(Default)]
pub struct WakeUps {
    last: Option<Instant>,
    /// Wake-ups in a row after which nothing was found.
    vain: u32,
}

impl WakeUps {
    /// The wait before the look that follows this wake-up. Those that come meanwhile count as the same one.
    pub fn woken(&mut self, now: Instant) -> Duration {
        let apart = match self.vain.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(more) => SHORTEST * (1 << more.min(DOUBLINGS)),
        };
        let wait = self.last.map_or(Duration::ZERO, |last| {
            (last + apart).saturating_duration_since(now)
        });
        self.last = Some(now + wait);
        self.vain = self.vain.saturating_add(1);
        wait
    }

    /// There was work.
    pub fn found(&mut self) {
        self.vain = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_up_after_a_rest_is_followed_at_once() {
        let (mut wake_ups, start) = (WakeUps::default(), Instant::now());
        for n in 0..100 {
            assert_eq!(
                wake_ups.woken(start + Duration::from_millis(50 * n)),
                Duration::ZERO
            );
        }
    }

    #[test]
    fn wake_ups_that_bring_work_are_followed_at_once() {
        let (mut wake_ups, now) = (WakeUps::default(), Instant::now());
        for _ in 0..100 {
            assert_eq!(wake_ups.woken(now), Duration::ZERO);
            wake_ups.found();
        }
        for _ in 0..FREE {
            assert_eq!(
                wake_ups.woken(now),
                Duration::ZERO,
                "a few bring nothing, as ever"
            );
        }
        assert_eq!(wake_ups.woken(now), SHORTEST);
    }

    #[test]
    fn a_flood_without_work_costs_a_few_looks_in_a_second() {
        let (mut wake_ups, start) = (WakeUps::default(), Instant::now());
        let (mut now, mut looks) = (start, 0);
        while now < start + Duration::from_secs(1) {
            now += wake_ups.woken(now).max(Duration::from_micros(50));
            looks += 1;
        }
        assert!(looks <= 40, "{looks}");
    }
}
