//! The number of events that the dispatcher asks for at once: fewer after a look that took too long, so that the next
//! one is shorter and nothing is asked for ever that the server cannot do in time. No I/O.

use std::time::Duration;

/// A look that took longer is followed by a smaller one, one that took less by a greater.
const LONG: Duration = Duration::from_secs(2);
const SHORT: Duration = Duration::from_millis(500);

pub struct Step {
    greatest: usize,
    most: usize,
}

impl Step {
    pub fn new(greatest: usize) -> Self {
        Self {
            greatest,
            most: greatest,
        }
    }

    /// The most events of the next look.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Notes what became of a look at `asked` events.
    pub fn note(&mut self, asked: usize, failed: bool, took: Duration) {
        if took > LONG || failed && took > SHORT {
            self.most = (asked / 2).max(1);
        } else if took < SHORT && !failed {
            self.most = (self.most * 2).min(self.greatest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_takes_too_long_is_not_asked_again() {
        let mut step = Step::new(10_000);
        let mut asked = Vec::new();
        for _ in 0..16 {
            step.note(step.most(), true, Duration::from_secs(12));
            asked.push(step.most());
        }
        assert_eq!(asked[..3], [5000, 2500, 1250]);
        assert_eq!(asked.last(), Some(&1));
    }

    #[test]
    fn short_looks_grow_again_and_an_outage_changes_nothing() {
        let short = Duration::from_millis(5);
        let mut step = Step::new(10_000);
        step.note(2000, false, short);
        assert_eq!(step.most(), 10_000);
        step.note(1000, false, Duration::from_secs(3));
        step.note(500, true, short);
        assert_eq!(step.most(), 500);
        step.note(500, false, short);
        assert_eq!(step.most(), 1000);
    }
}
