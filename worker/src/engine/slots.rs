//! What this worker holds: deliveries in flight, in all and by hook, and how many more it may take. No I/O.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use uuid::Uuid;

use crate::store::Limits;

pub struct Slots {
    size: usize,
    held: Mutex<HashMap<Uuid, usize>>,
    freed: Notify,
}

impl Slots {
    pub fn new(size: usize) -> Self {
        Self {
            size: size.max(2),
            held: Mutex::default(),
            freed: Notify::new(),
        }
    }

    pub fn take(&self, hook: Uuid) {
        *self.lock().entry(hook).or_default() += 1;
    }

    pub fn free(&self, hooks: impl IntoIterator<Item = Uuid>) {
        let mut held = self.lock();
        for hook in hooks {
            if let Some(count) = held.get_mut(&hook) {
                *count -= 1;
                if *count == 0 {
                    held.remove(&hook);
                }
            }
        }
        drop(held);
        self.freed.notify_one();
    }

    pub fn in_flight(&self) -> usize {
        self.lock().values().sum()
    }

    /// Waits until slots were freed since the last call.
    pub async fn freed(&self) {
        self.freed.notified().await;
    }

    /// What may be taken now. One hook may hold three quarters of what it and nobody hold together: a dead endpoint cannot
    /// take all slots, nor can a second one, nor a third.
    pub fn limits(&self) -> Limits {
        let held = self.lock();
        let free = self.size.saturating_sub(held.values().sum());
        let saturated = held
            .iter()
            .filter(|(_, count)| **count >= share(free + **count))
            .map(|(hook, _)| *hook)
            .collect();
        Limits {
            deliveries: free,
            per_hook: share(free),
            saturated,
        }
    }

    /// True when it is worth looking for more: a quarter is free, and no hook holds its share.
    pub fn has_room(&self) -> bool {
        let limits = self.limits();
        limits.deliveries >= self.size / 4 && limits.saturated.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The share of one hook.
fn share(slots: usize) -> usize {
    (slots * 3).div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hook_never_gets_more_than_its_share() {
        let slots = Slots::new(100);
        let (busy, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(slots.limits().per_hook, 75);
        (0..75).for_each(|_| slots.take(busy));
        let limits = slots.limits();
        assert_eq!(
            (limits.deliveries, limits.per_hook, limits.saturated),
            (25, 19, vec![busy])
        );
        slots.take(other);
        slots.free([busy, other]);
        assert_eq!(slots.in_flight(), 74);
        assert!(slots.limits().saturated.is_empty());
    }
}
