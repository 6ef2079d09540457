//! A rate as a theoretical arrival time (the generic cell rate algorithm, ITU-T I.371): no counter, no window, no
//! timer. Pure; times are since any fixed moment.

use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
/// The burst after a rest: a second's share, so that the limit of a server which counts whole minutes is hardly
/// exceeded.
const BURST: Duration = Duration::from_secs(1);

/// The state of one limit: when the next unit would be due if all so far had come evenly.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    due: Duration,
}

impl Rate {
    /// The wait until `cost` units may pass at `per_minute`; zero is now. More than a minute's units pass after a rest,
    /// and are waited for afterwards.
    pub fn wait(self, now: Duration, per_minute: u32, cost: u32) -> Duration {
        let time = share(per_minute, cost);
        let tolerance = BURST.max(time);
        (self.due.max(now) + time)
            .saturating_sub(tolerance)
            .saturating_sub(now)
    }

    /// Counts `cost` units.
    #[must_use]
    pub fn taken(self, now: Duration, per_minute: u32, cost: u32) -> Self {
        Self {
            due: self.due.max(now) + share(per_minute, cost),
        }
    }

    /// Corrects an estimate that was counted.
    #[must_use]
    pub fn settled(self, per_minute: u32, estimated: u32, used: u32) -> Self {
        Self {
            due: (self.due + share(per_minute, used)).saturating_sub(share(per_minute, estimated)),
        }
    }
}

/// The time in which that many units come evenly.
fn share(per_minute: u32, units: u32) -> Duration {
    MINUTE.mul_f64(f64::from(units) / f64::from(per_minute.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes one unit after the other as soon as it may pass; how many passed within the time.
    fn passed(per_minute: u32, cost: u32, within: Duration) -> u32 {
        let (mut rate, mut now, mut count) = (Rate::default(), Duration::ZERO, 0);
        loop {
            now += rate.wait(now, per_minute, cost);
            if now >= within {
                return count;
            }
            rate = rate.taken(now, per_minute, cost);
            count += 1;
        }
    }

    #[test]
    fn a_minute_has_as_many_as_allowed_and_less_than_a_seconds_more() {
        assert_eq!(passed(600, 1, MINUTE), 600 + 9);
        assert_eq!(passed(60, 1, MINUTE), 60);
        assert_eq!(passed(2, 1, MINUTE * 10), 20);
    }

    #[test]
    fn a_request_of_more_than_a_minute_passes_after_a_rest_and_is_waited_for() {
        let rate = Rate::default().taken(Duration::ZERO, 1000, 3000);
        assert_eq!(Rate::default().wait(Duration::ZERO, 1000, 3000), Duration::ZERO);
        assert_eq!(rate.wait(Duration::ZERO, 1000, 3000), MINUTE * 3);
        assert_eq!(rate.wait(MINUTE * 3, 1000, 3000), Duration::ZERO);
    }

    #[test]
    fn an_estimate_is_given_back() {
        let rate = Rate::default().taken(MINUTE, 1000, 1000).settled(1000, 1000, 250);
        assert_eq!(rate, Rate::default().taken(MINUTE, 1000, 250));
    }
}
