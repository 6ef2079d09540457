//! The turns of a limited hook's deliveries that have to wait: one after another, so that a backlog is not claimed
//! again as a whole for each one that goes. The limit itself is kept by the gate. Pure but for the clock.

use std::time::{Duration, Instant};

/// The last turn that is given. What comes after it asks again, because the limit may have been changed.
const FARTHEST: Duration = Duration::from_secs(5 * 60);

/// The turns of one hook that this worker has given.
#[derive(Default)]
pub struct Pace {
    last: Option<Instant>,
}

impl Pace {
    /// The time until the next turn, where `first` is the least.
    pub fn next(&mut self, per_minute: u32, first: Duration) -> Duration {
        self.after(Instant::now(), per_minute, first)
    }

    fn after(&mut self, now: Instant, per_minute: u32, first: Duration) -> Duration {
        let spacing = Duration::from_secs(60) / per_minute.max(1);
        let given = self.last.map_or(Duration::ZERO, |last| {
            last.saturating_duration_since(now) + spacing
        });
        let turn = first.max(given).min(FARTHEST.max(first));
        self.last = now.checked_add(turn);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_follow_one_another_at_the_limit_and_begin_anew_when_they_are_over() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let first = Duration::from_millis(300);
        let turns: Vec<_> = (0..3).map(|_| pace.after(now, 60, first).as_millis()).collect();
        assert_eq!(turns, [300, 1300, 2300]);
        let later = now + Duration::from_secs(60);
        assert_eq!(pace.after(later, 60, first), Duration::from_secs(1));
    }

    #[test]
    fn no_turn_is_further_off_than_a_limit_may_be_raised_in() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let last = (0..1000).map(|_| pace.after(now, 1, Duration::ZERO)).last();
        assert_eq!(last, Some(FARTHEST));
    }
}
