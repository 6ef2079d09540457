//! The pace of the dispatcher: it asks for more where events match nothing, for less where looks take long, and rests
//! between looks while events come all the time. Pure: time is handed in.

use std::time::{Duration, Instant};

use crate::step::Step;

/// Events read at once while they match nothing.
const MOST_UNMATCHED: usize = 10_000;
/// Looks in a row that find some events, but not all they could take, before the log is left to fill between two of
/// them.
const STEADY: u32 = 3;
/// The rest between two looks in a steady flow, in times of what a look takes, and at most.
const REST_RATIO: u32 = 4;
const LONGEST_REST: Duration = Duration::from_millis(20);

/// Paces the looks at the log.
pub struct Pacing {
    /// Events to read next, where the last ones matched nothing.
    unmatched: usize,
    /// The most events to read.
    step: Step,
    /// Looks in a row that found some events and left none.
    steady: u32,
    rest: Duration,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            unmatched: 0,
            step: Step::new(MOST_UNMATCHED),
            steady: 0,
            rest: Duration::ZERO,
        }
    }
}

impl Pacing {
    /// The events to ask for where there is room for so many deliveries.
    pub fn events(&self, deliveries: usize) -> usize {
        deliveries.max(self.unmatched).min(self.step.most())
    }

    /// Notes how long a look at `asked` events took, and whether it failed.
    pub fn note_look(&mut self, asked: usize, took: Duration, failed: bool) {
        self.rest = (took * REST_RATIO).min(LONGEST_REST);
        self.step.note(asked, failed, took);
    }

    /// Notes the result of a look at `asked` events: how many were read, and the deliveries made of them.
    pub fn note_found(&mut self, asked: usize, read: usize, matched: usize) {
        // A log of events that no hook wants is read in longer and longer steps.
        self.unmatched = if matched == 0 && read == asked {
            (asked * 2).min(MOST_UNMATCHED)
        } else {
            0
        };
        self.steady = if (1..asked).contains(&read) {
            self.steady.saturating_add(1)
        } else {
            0
        };
    }

    /// The rest before the next look; `None` outside of a steady flow. A look costs the same for one event as for
    /// fifty, and takes processor time from the writers.
    pub fn rest(&self) -> Option<Duration> {
        (self.steady >= STEADY).then_some(self.rest)
    }
}

/// Something that is done at most once in a time.
pub struct Cadence {
    every: Duration,
    last: Option<Instant>,
}

impl Cadence {
    pub fn every(every: Duration) -> Self {
        Self { every, last: None }
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.last
            .is_none_or(|last| now.saturating_duration_since(last) >= self.every)
    }

    pub fn note_done(&mut self, now: Instant) {
        self.last = Some(now);
    }

    /// Makes it due at once.
    pub fn hasten(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unwanted_events_are_read_in_longer_steps_until_one_is_wanted() {
        let mut pacing = Pacing::default();
        let mut asked = Vec::new();
        for _ in 0..6 {
            asked.push(pacing.events(750));
            pacing.note_found(pacing.events(750), pacing.events(750), 0);
        }
        assert_eq!(asked, [750, 1500, 3000, 6000, 10_000, 10_000]);
        pacing.note_found(10_000, 10_000, 1);
        assert_eq!(pacing.events(750), 750);
    }

    #[test]
    fn the_end_of_unwanted_events_ends_the_long_steps() {
        let mut pacing = Pacing::default();
        pacing.note_found(750, 750, 0);
        pacing.note_found(1500, 12, 0);
        assert_eq!(pacing.events(750), 750);
    }

    #[test]
    fn a_look_that_took_too_long_is_followed_by_a_smaller_one() {
        let mut pacing = Pacing::default();
        pacing.note_look(750, Duration::from_secs(12), true);
        assert_eq!(pacing.events(750), 375);
    }

    #[test]
    fn a_steady_flow_is_left_to_fill_and_a_burst_is_not() {
        let mut pacing = Pacing::default();
        pacing.note_look(750, Duration::from_millis(2), false);
        for _ in 1..STEADY {
            pacing.note_found(750, 40, 40);
            assert_eq!(pacing.rest(), None);
        }
        pacing.note_found(750, 40, 40);
        assert_eq!(pacing.rest(), Some(Duration::from_millis(8)));
        pacing.note_look(750, Duration::from_secs(1), false);
        assert_eq!(pacing.rest(), Some(LONGEST_REST));
        pacing.note_found(750, 750, 750);
        assert_eq!(pacing.rest(), None, "there is more than a look takes");
    }

    #[test]
    fn an_empty_log_ends_a_steady_flow() {
        let mut pacing = Pacing::default();
        for _ in 0..STEADY {
            pacing.note_found(750, 1, 1);
        }
        assert!(pacing.rest().is_some());
        pacing.note_found(750, 0, 0);
        assert_eq!(pacing.rest(), None);
    }

    #[test]
    fn a_cadence_is_due_once_in_its_time_or_when_it_is_hastened() {
        let (mut cadence, start) = (Cadence::every(Duration::from_millis(50)), Instant::now());
        assert!(cadence.is_due(start));
        cadence.note_done(start);
        assert!(!cadence.is_due(start + Duration::from_millis(49)));
        assert!(cadence.is_due(start + Duration::from_millis(50)));
        cadence.hasten();
        assert!(cadence.is_due(start));
    }
}
