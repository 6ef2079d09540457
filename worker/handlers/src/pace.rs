//! The turns of deliveries that have to wait, for a hook's limit or for an endpoint: one after another, so that a
//! backlog is not claimed again as a whole for each one that goes. The limit itself is kept by the gate. Pure but for
//! the clock and the dice.

use std::time::{Duration, Instant};

/// The last turn that is given. What comes after it asks again, because the limit may have been changed.
const FARTHEST: Duration = Duration::from_secs(5 * 60);
/// Over this time after it, so that a million deliveries do not ask at one moment.
const SCATTER: Duration = Duration::from_secs(3600);

/// The turns that this worker has given of one hook or endpoint.
#[derive(Default)]
pub struct Pace {
    last: Option<Instant>,
}

impl Pace {
    /// The time until the next turn, where `first` is the least.
    pub fn next(&mut self, per_minute: u32, first: Duration) -> Duration {
        self.after(Instant::now(), per_minute, first, rand::random())
    }

    /// `dice` is from 0 to 1.
    fn after(&mut self, now: Instant, per_minute: u32, first: Duration, dice: f64) -> Duration {
        let spacing = Duration::from_secs(60) / per_minute.max(1);
        let given = self.last.map_or(Duration::ZERO, |last| {
            last.saturating_duration_since(now) + spacing
        });
        let (turn, farthest) = (first.max(given), FARTHEST.max(first));
        if turn > farthest {
            return farthest + SCATTER.mul_f64(dice);
        }
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
        let turns: Vec<_> = (0..3)
            .map(|_| pace.after(now, 60, first, 0.5).as_millis())
            .collect();
        assert_eq!(turns, [300, 1300, 2300]);
        let later = now + Duration::from_secs(60);
        assert_eq!(pace.after(later, 60, first, 0.5), Duration::from_secs(1));
    }

    #[test]
    fn what_has_no_turn_soon_asks_again_at_no_certain_moment() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let mut turns = (0..1000).map(|n| pace.after(now, 1, Duration::ZERO, f64::from(n) / 1000.0));
        let given: Vec<_> = turns.by_ref().take_while(|turn| *turn <= FARTHEST).collect();
        assert_eq!(given.last(), Some(&FARTHEST));
        let rest: Vec<_> = turns.collect();
        assert!(
            rest.is_sorted()
                && rest
                    .iter()
                    .all(|turn| *turn > FARTHEST && *turn < FARTHEST + SCATTER)
        );
    }
}
