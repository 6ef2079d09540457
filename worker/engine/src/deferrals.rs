//! Selects the deferrals that are logged: the first of each pause. A thousand deliveries that wait for one endpoint
//! are one line, and none of them has failed. Must not decide how long anything waits.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

/// The shortest pause: what is deferred for a moment is deferred again in the next.
const SHORTEST: Duration = Duration::from_secs(10);
/// Pauses that are remembered. When there are more, they are told again.
const KEPT: usize = 10_000;

/// A hook, and what keeps its deliveries waiting.
type Cause = (Uuid, String);

/// The ends of the pauses that were told.
#[derive(Default)]
pub struct Deferrals(Mutex<HashMap<Cause, Instant>>);

impl Deferrals {
    /// True for the first deferral of a pause. The class of the error, up to its first colon, says what is waited for.
    pub fn begins_pause(&self, hook: Uuid, error: &str, retry_in: Duration) -> bool {
        let class = error.split_once(':').map_or(error, |(class, _)| class);
        let cause = (hook, class.chars().take(100).collect());
        self.is_first(cause, retry_in.max(SHORTEST), Instant::now())
    }

    fn is_first(&self, cause: Cause, pause: Duration, now: Instant) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(&cause).is_some_and(|end| now < *end) {
            return false;
        }
        if told.len() >= KEPT {
            told.clear();
        }
        told.insert(cause, now + pause);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_told_once_for_each_hook_and_cause() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (deferrals, start) = (Deferrals::default(), Instant::now());
        let first = |hook, class: &str, seconds| {
            let at = start + Duration::from_secs(seconds);
            deferrals.is_first((hook, class.into()), Duration::from_secs(60), at)
        };
        assert!(first(one, "circuit_open", 0));
        assert!(!first(one, "circuit_open", 1) && !first(one, "circuit_open", 59));
        assert!(first(one, "rate_limited", 2) && first(two, "circuit_open", 2));
        assert!(first(one, "circuit_open", 60));
    }

    #[test]
    fn the_words_behind_the_class_do_not_count() {
        let deferrals = Deferrals::default();
        let hook = Uuid::from_u128(1);
        let first = |error| deferrals.begins_pause(hook, error, Duration::ZERO);
        assert!(first("rate_limited: again in 7 s"));
        assert!(!first("rate_limited: again in 8 s"));
        assert!(first("table: gone"));
    }
}
