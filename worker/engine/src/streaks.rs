//! Failures in a row of each hook, as this worker sees them, and which hooks completed something since they were last
//! asked for. Counts only; no I/O. Deliveries of `on_hook_failure` do not count: the meta-event is never about itself.

use std::collections::{HashMap, HashSet};
use std::mem;

use uuid::Uuid;

use zerodb_hooks_delivery::outcome::Outcome;

/// Failures in a row after which a hook is failing; so many more are noted again.
pub const FAILING: u32 = 5;
/// Hooks that are kept. When there are more, all are forgotten, and counted anew.
const KEPT: usize = 100_000;

#[derive(Default)]
pub struct Streaks {
    /// Failures in a row, and how many of them were noted.
    failures: HashMap<Uuid, u32>,
    completed: HashSet<Uuid>,
}

impl Streaks {
    /// Counts the end of an attempt. The number of failures in a row where they are to be noted.
    pub fn count(&mut self, hook: Uuid, outcome: &Outcome) -> Option<u32> {
        match outcome {
            Outcome::Completed { .. } => {
                if !self.failures.is_empty() {
                    self.failures.remove(&hook);
                }
                if self.completed.len() < KEPT {
                    self.completed.insert(hook);
                }
                None
            }
            Outcome::Failed { .. } | Outcome::Discarded { .. } => {
                if self.failures.len() >= KEPT {
                    self.failures.clear();
                }
                let failures = self.failures.entry(hook).or_default();
                *failures = failures.saturating_add(1);
                failures.is_multiple_of(FAILING).then_some(*failures)
            }
            // Nothing was tried.
            Outcome::Deferred { .. } | Outcome::Released => None,
        }
    }

    /// The hooks that completed something since the last call.
    pub fn take_completed(&mut self) -> Vec<Uuid> {
        mem::take(&mut self.completed).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const COMPLETED: Outcome = Outcome::Completed { status: None };

    fn failed() -> Outcome {
        Outcome::retry_in(Duration::ZERO, "down")
    }

    #[test]
    fn every_fifth_failure_in_a_row_is_noted_and_a_deferral_is_none() {
        let (mut streaks, hook) = (Streaks::default(), Uuid::from_u128(1));
        let deferred = Outcome::Deferred {
            retry_in: Duration::ZERO,
            error: "later".into(),
        };
        let noted: Vec<u32> = (0..10)
            .filter_map(|_| {
                assert_eq!(streaks.count(hook, &deferred), None);
                streaks.count(hook, &failed())
            })
            .collect();
        assert_eq!(noted, [5, 10]);
    }

    #[test]
    fn a_success_begins_anew_and_is_told_once() {
        let (mut streaks, hook, other) = (Streaks::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        (0..4).for_each(|_| assert_eq!(streaks.count(hook, &failed()), None));
        assert_eq!(streaks.count(other, &failed()), None);
        assert_eq!(streaks.count(hook, &COMPLETED), None);
        assert_eq!(streaks.count(hook, &failed()), None);
        assert_eq!(streaks.take_completed(), [hook]);
        assert!(streaks.take_completed().is_empty());
    }
}
