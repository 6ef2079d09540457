//! The capacity of this worker: deliveries in flight, those of them that are not begun, and how many more may be
//! taken. The shares of hooks, tenants and owners are kept by `holdings.rs`. No I/O.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use uuid::Uuid;

use crate::holdings::{Crowd, Holdings};
use zerodb_hooks_delivery::hook::Party;
use zerodb_hooks_store::Limits;

/// Deliveries are taken ahead for this time, by the rate at which they end. More would only wait here while another
/// worker has nothing to do.
const AHEAD: Duration = Duration::from_millis(200);
/// The time over which ends are counted for one reading of their rate.
const READING: Duration = Duration::from_millis(50);
/// A quarter of the limit may always wait.
const LEAST: usize = 4;
/// A hook drains where, in one reading, at least this part of the limit ended: then there is room again in 0.3 s.
const DRAINS: usize = 20;
/// `freed` fires once for each quarter of the room that deliveries leave by beginning.
const STEPS: usize = 4;

/// InFlight what is in flight. Each change locks for some steps of arithmetic.
pub struct Capacity {
    /// The most deliveries in flight.
    size: usize,
    counts: Mutex<InFlight>,
    freed: Notify,
}

struct InFlight {
    holdings: Holdings,
    /// Deliveries that are not begun.
    waiting: usize,
    /// The most that may wait now, between a quarter of the limit and all of it.
    window: usize,
    /// The deliveries that a hook can run at once, where its handler takes packs: they do not fill while fewer are in
    /// flight.
    wanted: HashMap<Uuid, usize>,
    reading_since: Instant,
    /// Ends since then.
    ended: usize,
    /// The same by hook, and those of the reading before.
    ended_by_hook: HashMap<Uuid, usize>,
    ended_before: HashMap<Uuid, usize>,
}

impl Capacity {
    pub fn new(size: usize) -> Self {
        let size = size.max(2);
        Self {
            size,
            counts: Mutex::new(InFlight {
                holdings: Holdings::default(),
                waiting: 0,
                window: least(size),
                wanted: HashMap::new(),
                reading_since: Instant::now(),
                ended: 0,
                ended_by_hook: HashMap::new(),
                ended_before: HashMap::new(),
            }),
            freed: Notify::new(),
        }
    }

    /// InFlight a delivery that was claimed.
    pub fn take(&self, hook: Uuid) {
        let mut counts = self.lock();
        counts.holdings.take(hook);
        counts.waiting += 1;
    }

    /// InFlight one that waits no more: its attempt begins, or it ends without one.
    pub fn begin(&self) {
        let mut counts = self.lock();
        let room = counts.room(self.size);
        let before = counts.waiting * STEPS / room;
        counts.waiting = counts.waiting.saturating_sub(1);
        let after = counts.waiting * STEPS / room;
        drop(counts);
        if after < before {
            self.freed.notify_one();
        }
    }

    /// InFlight deliveries whose end is written, by their hooks.
    pub fn free(&self, hooks: impl IntoIterator<Item = Uuid>) {
        let mut counts = self.lock();
        for hook in hooks {
            counts.ended += 1;
            *counts.ended_by_hook.entry(hook).or_default() += 1;
            counts.holdings.free(hook);
        }
        counts.read_rate(self.size);
        drop(counts);
        self.freed.notify_one();
    }

    /// Notes for whom a hook works.
    pub fn belong(&self, hook: Uuid, party: Party) {
        self.lock().holdings.belong(hook, party);
    }

    /// Tenants and owners that have their share.
    pub fn crowd(&self) -> Crowd {
        let counts = self.lock();
        counts.holdings.crowd(counts.free(self.size))
    }

    /// Makes room for as many deliveries of a hook as it can run; with `None`, no longer.
    pub fn want(&self, hook: Uuid, wanted: Option<usize>) {
        let mut counts = self.lock();
        match wanted {
            Some(wanted) => counts.wanted.insert(hook, wanted),
            None => counts.wanted.remove(&hook),
        };
        drop(counts);
        self.freed.notify_one();
    }

    /// Deliveries that were taken and not freed.
    pub fn in_flight(&self) -> usize {
        self.lock().in_flight()
    }

    /// Waits until deliveries were freed, or many begun, since the last call.
    pub async fn freed(&self) {
        self.freed.notified().await;
    }

    /// The limits of what may be taken now. No hook may have more than three quarters of its own and the free
    /// capacity together: a dead endpoint cannot take all, nor can a second one, nor a third; nor can all hooks of a
    /// tenant, nor those of all tenants of an owner.
    pub fn limits(&self) -> Limits {
        let counts = self.lock();
        let free = counts.free(self.size);
        Limits {
            deliveries: free,
            per_hook: counts.holdings.one_look(free),
            saturated: counts.holdings.saturated(free),
        }
    }

    /// True when it is worth looking for more: a quarter is free, and no hook has its share.
    pub fn has_room(&self) -> bool {
        let limits = self.limits();
        limits.deliveries >= self.lock().room(self.size) / 4 && limits.saturated.is_empty()
    }

    /// True when all hooks that have their share end so many deliveries that they will soon want more: their events are
    /// worth waiting for.
    pub fn drains(&self) -> bool {
        let counts = self.lock();
        let is_stale = counts.reading_since.elapsed() > AHEAD;
        !is_stale && counts.drain(self.size)
    }

    fn lock(&self) -> MutexGuard<'_, InFlight> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InFlight {
    fn in_flight(&self) -> usize {
        self.holdings.total()
    }

    /// The most that may wait: the window, or five thirds of what packs want, so that under the share of three
    /// quarters as many wait as run.
    fn room(&self, size: usize) -> usize {
        let wanted: usize = self.wanted.values().sum();
        self.window.max(wanted.saturating_mul(5) / 3).min(size)
    }

    /// The deliveries that may be taken now. Those that run do not count against the room: a slow hook runs as many
    /// as its concurrency allows.
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
        self.ended_before = std::mem::take(&mut self.ended_by_hook);
    }

    fn drain(&self, size: usize) -> bool {
        let saturated = self.holdings.saturated(self.free(size));
        let ended = |hook: &Uuid| {
            let of = |reading: &HashMap<Uuid, usize>| reading.get(hook).copied().unwrap_or(0);
            of(&self.ended_by_hook).max(of(&self.ended_before))
        };
        saturated
            .iter()
            .filter(|hook| self.holdings.has(**hook))
            .all(|hook| ended(hook) >= size.div_ceil(DRAINS))
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
        let capacity = Capacity::new(400);
        let (busy, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(capacity.limits().per_hook, 75);
        (0..75).for_each(|_| capacity.take(busy));
        let limits = capacity.limits();
        assert_eq!(
            (limits.deliveries, limits.per_hook, limits.saturated),
            (25, 19, vec![busy])
        );
        capacity.take(other);
        (0..2).for_each(|_| capacity.begin());
        capacity.free([busy, other]);
        assert_eq!(capacity.in_flight(), 74);
        assert!(capacity.limits().saturated.is_empty());
    }

    #[test]
    fn a_hook_drains_while_its_deliveries_end_fast() {
        let capacity = Capacity::new(400);
        let drains = || capacity.lock().drain(400);
        let (fast, slow) = (Uuid::from_u128(1), Uuid::from_u128(2));
        (0..95).for_each(|_| capacity.take(fast));
        capacity.free([fast; 19]);
        assert!(!drains(), "19 of 400 are fewer than a twentieth");
        capacity.free([fast]);
        assert!(drains());
        (0..95).for_each(|_| capacity.take(slow));
        assert_eq!(capacity.limits().saturated.len(), 2);
        assert!(!drains(), "others would wait for the slow one too");
    }

    #[test]
    fn what_runs_leaves_its_room_to_others_up_to_the_most() {
        let capacity = Capacity::new(400);
        let slow = Uuid::from_u128(1);
        let mut taken = 0;
        while capacity.limits().saturated.is_empty() {
            capacity.take(slow);
            capacity.begin();
            taken += 1;
        }
        assert_eq!((taken, capacity.limits().deliveries), (300, 100));
    }

    #[test]
    fn as_much_waits_for_packs_as_they_run() {
        let capacity = Capacity::new(4000);
        let packed = Uuid::from_u128(1);
        capacity.want(packed, Some(1200));
        for taken in 1.. {
            capacity.take(packed);
            if taken <= 1200 {
                capacity.begin();
            }
            if !capacity.limits().saturated.is_empty() {
                assert_eq!(taken, 2400);
                break;
            }
        }
    }

    #[test]
    fn more_is_taken_ahead_where_more_ends() {
        let mut counts = Capacity::new(4000).counts.into_inner().unwrap();
        let window_after = |counts: &mut InFlight, ended: usize| {
            counts.ended = ended;
            counts.reading_since = Instant::now() - Duration::from_millis(100);
            counts.read_rate(4000);
            counts.window
        };
        assert_eq!(window_after(&mut counts, 64), 1000);
        assert!((2500..=3000).contains(&window_after(&mut counts, 1500)));
        assert_eq!(window_after(&mut counts, 100_000), 4000);
        assert_eq!(window_after(&mut counts, 0), 1000);
    }
}
