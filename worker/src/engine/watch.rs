//! What runs on threads that may be blocked: there a deadline cannot end an attempt, so it is kept from here. Whoever takes
//! an attempt out writes its outcome, so there is only one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::attempting::Attempting;
use crate::delivery::Delivery;

/// How often deadlines are looked at.
pub const EVERY: Duration = Duration::from_millis(500);

#[derive(Default)]
pub struct Watch(Mutex<HashMap<Key, Watched>>);

/// A delivery and the epoch of its claim: one that was lost may be claimed again while its first attempt still runs.
type Key = (i64, i32);

struct Watched {
    until: Instant,
    attempting: Attempting,
}

impl Watch {
    /// Attempts, each with the time at which it is given up.
    pub fn insert(&self, attempts: impl Iterator<Item = (Instant, Attempting)>) {
        let watched =
            attempts.map(|(until, attempting)| (key(attempting.delivery()), Watched { until, attempting }));
        self.lock().extend(watched);
    }

    /// The attempt at the delivery, unless it was given up.
    pub fn take(&self, delivery: &Delivery) -> Option<Attempting> {
        self.lock()
            .remove(&key(delivery))
            .map(|watched| watched.attempting)
    }

    /// The attempts whose time is over.
    pub fn take_overdue(&self) -> Vec<(Arc<Delivery>, Attempting)> {
        let now = Instant::now();
        self.lock()
            .extract_if(|_, watched| watched.until <= now)
            .map(|(_, watched)| (Arc::clone(watched.attempting.delivery()), watched.attempting))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Watched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(delivery: &Delivery) -> Key {
    (delivery.id, delivery.epoch)
}
