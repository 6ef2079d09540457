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

    /// What may be taken now. One hook gets at most half of what is free, and nothing once it holds half of all: a dead
    /// endpoint cannot take the others' slots.
    pub fn limits(&self) -> Limits {
        let held = self.lock();
        let free = self.size.saturating_sub(held.values().sum());
        let saturated = held
            .iter()
            .filter(|(_, count)| **count >= self.size / 2)
            .map(|(hook, _)| *hook)
            .collect();
        Limits {
            deliveries: free,
            per_hook: free.div_ceil(2),
            saturated,
        }
    }

    /// True when it is worth looking for more: a quarter is free, and no hook holds its half.
    pub fn has_room(&self) -> bool {
        let limits = self.limits();
        limits.deliveries >= self.size / 4 && limits.saturated.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hook_never_gets_more_than_half() {
        let slots = Slots::new(100);
        let (busy, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(slots.limits().per_hook, 50);
        (0..50).for_each(|_| slots.take(busy));
        let limits = slots.limits();
        assert_eq!(
            (limits.deliveries, limits.per_hook, limits.saturated),
            (50, 25, vec![busy])
        );
        slots.take(other);
        slots.free([busy, other]);
        assert_eq!(slots.in_flight(), 49);
        assert!(slots.limits().saturated.is_empty());
    }
}
