//! What this worker holds: deliveries in flight, in all and by hook, and how many more it may take. No I/O.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use uuid::Uuid;

use crate::store::Limits;

/// How far work is taken ahead: what ends in this time. More would only wait here while another worker has nothing to do.
const AHEAD: Duration = Duration::from_millis(200);
/// How long ends are counted for one reading of their rate.
const READING: Duration = Duration::from_millis(50);
/// The part of the most that may be held which may always be held.
const LEAST: usize = 4;

pub struct Slots {
    /// The most that may be held.
    size: usize,
    held: Mutex<Held>,
    freed: Notify,
}

struct Held {
    by_hook: HashMap<Uuid, usize>,
    /// How many may be held now, between a quarter of the most and the most.
    window: usize,
    /// How many a hook can run at once, where its handler takes packs: they do not fill while fewer are held.
    wanted: HashMap<Uuid, usize>,
    reading_since: Instant,
    ended: usize,
}

impl Slots {
    pub fn new(size: usize) -> Self {
        let size = size.max(2);
        Self {
            size,
            held: Mutex::new(Held {
                by_hook: HashMap::new(),
                window: least(size),
                wanted: HashMap::new(),
                reading_since: Instant::now(),
                ended: 0,
            }),
            freed: Notify::new(),
        }
    }

    pub fn take(&self, hook: Uuid) {
        *self.lock().by_hook.entry(hook).or_default() += 1;
    }

    pub fn free(&self, hooks: impl IntoIterator<Item = Uuid>) {
        let mut held = self.lock();
        for hook in hooks {
            held.ended += 1;
            if let Some(count) = held.by_hook.get_mut(&hook) {
                *count -= 1;
                if *count == 0 {
                    held.by_hook.remove(&hook);
                }
            }
        }
        held.read_rate(self.size);
        drop(held);
        self.freed.notify_one();
    }

    /// Makes room for as many deliveries of a hook as it can run; with `None`, no longer.
    pub fn want(&self, hook: Uuid, wanted: Option<usize>) {
        let mut held = self.lock();
        match wanted {
            Some(wanted) => held.wanted.insert(hook, wanted),
            None => held.wanted.remove(&hook),
        };
        drop(held);
        self.freed.notify_one();
    }

    pub fn in_flight(&self) -> usize {
        self.lock().in_flight()
    }

    /// Waits until slots were freed since the last call.
    pub async fn freed(&self) {
        self.freed.notified().await;
    }

    /// What may be taken now. One hook may hold three quarters of what it and nobody hold together: a dead endpoint cannot
    /// take all slots, nor can a second one, nor a third.
    pub fn limits(&self) -> Limits {
        let held = self.lock();
        let free = held.room(self.size).saturating_sub(held.in_flight());
        let saturated = held
            .by_hook
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
        limits.deliveries >= self.lock().room(self.size) / 4 && limits.saturated.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn in_flight(&self) -> usize {
        self.by_hook.values().sum()
    }

    /// The window, or more where packs want it: what they run, the third beside it that is not theirs, and one time as much
    /// to make the next ones of.
    fn room(&self, size: usize) -> usize {
        let wanted: usize = self.wanted.values().sum();
        self.window
            .max(wanted.saturating_mul(2).saturating_mul(4) / 3)
            .min(size)
    }

    /// Sets the window by the rate at which deliveries end.
    fn read_rate(&mut self, size: usize) {
        let time = self.reading_since.elapsed();
        if time < READING {
            return;
        }
        let ahead = self.ended.saturating_mul(millis(AHEAD)) / millis(time);
        self.window = ahead.clamp(least(size), size);
        (self.reading_since, self.ended) = (Instant::now(), 0);
    }
}

fn millis(time: Duration) -> usize {
    usize::try_from(time.as_millis()).unwrap_or(usize::MAX).max(1)
}

fn least(size: usize) -> usize {
    size.div_ceil(LEAST).max(2)
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
        let slots = Slots::new(400);
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

    #[test]
    fn more_is_taken_ahead_where_more_ends() {
        let mut held = Slots::new(4000).held.into_inner().unwrap();
        let window_after = |held: &mut Held, ended: usize| {
            held.ended = ended;
            held.reading_since = Instant::now() - Duration::from_millis(100);
            held.read_rate(4000);
            held.window
        };
        assert_eq!(window_after(&mut held, 64), 1000);
        assert!((2500..=3000).contains(&window_after(&mut held, 1500)));
        assert_eq!(window_after(&mut held, 100_000), 4000);
        assert_eq!(window_after(&mut held, 0), 1000);
    }
}
