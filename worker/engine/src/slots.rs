//! What this worker holds: deliveries in flight, those of them that wait to be begun, and how many more it may take. Who has his share
//! of them, `holdings.rs` knows. No I/O.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use uuid::Uuid;

use super::holdings::{Crowd, Holdings};
use zerodb_hooks_delivery::hook::Party;
use zerodb_hooks_store::Limits;

/// How far work is taken ahead: what ends in this time. More would only wait here while another worker has nothing to do.
const AHEAD: Duration = Duration::from_millis(200);
/// How long ends are counted for one reading of their rate.
const READING: Duration = Duration::from_millis(50);
/// The part of the most that may be held which may always wait here.
const LEAST: usize = 4;
/// Steps of the window; each one that is left behind by deliveries that begin is told to who waits for room.
const STEPS: usize = 4;

pub struct Slots {
    /// The most that may be held.
    size: usize,
    held: Mutex<Held>,
    freed: Notify,
}

struct Held {
    holdings: Holdings,
    /// How many of them are not begun.
    waiting: usize,
    /// How many may wait now, between a quarter of the most that may be held and the most.
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
                holdings: Holdings::default(),
                waiting: 0,
                window: least(size),
                wanted: HashMap::new(),
                reading_since: Instant::now(),
                ended: 0,
            }),
            freed: Notify::new(),
        }
    }

    pub fn take(&self, hook: Uuid) {
        let mut held = self.lock();
        held.holdings.take(hook);
        held.waiting += 1;
    }

    /// Counts one that waits no more: its attempt begins, or it ends without one.
    pub fn begin(&self) {
        let mut held = self.lock();
        let room = held.room(self.size);
        let before = held.waiting * STEPS / room;
        held.waiting = held.waiting.saturating_sub(1);
        let after = held.waiting * STEPS / room;
        drop(held);
        if after < before {
            self.freed.notify_one();
        }
    }

    pub fn free(&self, hooks: impl IntoIterator<Item = Uuid>) {
        let mut held = self.lock();
        for hook in hooks {
            held.ended += 1;
            held.holdings.free(hook);
        }
        held.read_rate(self.size);
        drop(held);
        self.freed.notify_one();
    }

    /// Says for whom a hook works.
    pub fn belong(&self, hook: Uuid, party: Party) {
        self.lock().holdings.belong(hook, party);
    }

    /// Tenants and owners that hold what they may.
    pub fn crowd(&self) -> Crowd {
        let held = self.lock();
        held.holdings.crowd(held.free(self.size))
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

    /// Waits until slots were freed, or many deliveries begun, since the last call.
    pub async fn freed(&self) {
        self.freed.notified().await;
    }

    /// What may be taken now. One hook may hold three quarters of what it and nobody hold together: a dead endpoint cannot
    /// take all slots, nor can a second one, nor a third; nor can all hooks of a tenant, nor those of all tenants of an owner.
    pub fn limits(&self) -> Limits {
        let held = self.lock();
        let free = held.free(self.size);
        Limits {
            deliveries: free,
            per_hook: held.holdings.one_look(free),
            saturated: held.holdings.saturated(free),
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
        self.holdings.total()
    }

    /// How many may wait: the window, or more where packs want it. To make the next ones of, as many wait as run; both
    /// together are three quarters of this room and what runs.
    fn room(&self, size: usize) -> usize {
        let wanted: usize = self.wanted.values().sum();
        self.window.max(wanted.saturating_mul(5) / 3).min(size)
    }

    /// What runs does not count against the room: a slow hook runs as many as its concurrency says.
    fn free(&self, size: usize) -> usize {
        let room = self.room(size).saturating_sub(self.waiting);
        room.min(size.saturating_sub(self.in_flight()))
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
        (0..2).for_each(|_| slots.begin());
        slots.free([busy, other]);
        assert_eq!(slots.in_flight(), 74);
        assert!(slots.limits().saturated.is_empty());
    }

    #[test]
    fn what_runs_leaves_its_room_to_others_up_to_the_most() {
        let slots = Slots::new(400);
        let slow = Uuid::from_u128(1);
        let mut taken = 0;
        while slots.limits().saturated.is_empty() {
            slots.take(slow);
            slots.begin();
            taken += 1;
        }
        assert_eq!((taken, slots.limits().deliveries), (300, 100));
    }

    #[test]
    fn as_much_waits_for_packs_as_they_run() {
        let slots = Slots::new(4000);
        let packed = Uuid::from_u128(1);
        slots.want(packed, Some(1200));
        for taken in 1.. {
            slots.take(packed);
            if taken <= 1200 {
                slots.begin();
            }
            if !slots.limits().saturated.is_empty() {
                assert_eq!(taken, 2400);
                break;
            }
        }
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
