//! How far one step of the dispatcher goes: a bound for what it does, whatever the fan-out, and progress always. Pure.

/// The most that one step takes.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub events: usize,
    /// Pairs of an event and a hook, if they are of more than one event.
    pub pairs: i64,
    /// Bytes of events, if they are of more than one.
    pub bytes: i64,
}

/// What a step has taken.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    bounds: Bounds,
    events: usize,
    pairs: i64,
    bytes: i64,
}

impl Step {
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            events: 0,
            pairs: 0,
            bytes: 0,
        }
    }

    /// Takes an event with so many hooks, of so many bytes; false where it is for another step.
    pub fn take(&mut self, hooks: usize, bytes: i64) -> bool {
        let pairs = self
            .pairs
            .saturating_add(i64::try_from(hooks).unwrap_or(i64::MAX));
        let bytes = self.bytes.saturating_add(bytes);
        let fits = self.events == 0 || pairs <= self.bounds.pairs && bytes <= self.bounds.bytes;
        if !fits || self.is_full() {
            return false;
        }
        (self.events, self.pairs, self.bytes) = (self.events + 1, pairs, bytes);
        true
    }

    pub fn is_full(&self) -> bool {
        self.events >= self.bounds.events
    }

    /// Events that it may still take.
    pub fn room(&self) -> usize {
        self.bounds.events - self.events
    }

    /// One more hook than it may still pair with an event: whoever has more has too many for this step.
    pub fn hooks(&self) -> i64 {
        self.bounds
            .pairs
            .saturating_sub(self.pairs)
            .max(0)
            .saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(events: usize, pairs: i64, bytes: i64) -> Step {
        Step::new(Bounds { events, pairs, bytes })
    }

    #[test]
    fn one_event_is_taken_whatever_it_needs() {
        let mut step = step(10, 5, 5);
        assert!(step.take(1_000, 1_000));
        assert!(!step.take(0, 0), "and it has used up the bounds");
        assert_eq!((step.room(), step.hooks()), (9, 1));
    }

    #[test]
    fn it_ends_at_the_first_bound_that_is_reached() {
        let mut by_events = step(2, 100, 100);
        assert!(by_events.take(1, 1) && by_events.take(1, 1));
        assert!(by_events.is_full() && !by_events.take(1, 1));
        let mut by_pairs = step(9, 4, 100);
        assert!(by_pairs.take(3, 1) && !by_pairs.take(2, 1) && by_pairs.take(1, 1));
        let mut by_bytes = step(9, 100, 4);
        assert!(by_bytes.take(1, 3) && !by_bytes.take(1, 2));
        assert_eq!(by_bytes.room(), 8);
    }

    #[test]
    fn no_event_is_taken_where_none_may_be() {
        assert!(!step(0, 10, 10).take(1, 1));
    }
}
