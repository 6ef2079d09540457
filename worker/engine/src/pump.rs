//! Decides when to look for work, and takes it: events from the log, deliveries that are due. Parks when there is none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, UnboundedSender};

use super::pace::Pace;
use super::runner::{Outage, Shared};
use super::starter::Taken;
use super::step::Step;
use super::suspects::{ALONE, Alone, EMPTYING, Suspects};
use zerodb_hooks_store::{Claimed, Listener, Parked, StoreError};

/// Longest time between two claims while the log keeps the worker busy.
const CLAIM_EVERY: Duration = Duration::from_millis(50);
/// How long a busy hook is waited for before its events are put aside as pending deliveries.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long parking waits for commits under way.
const PARK_TIMEOUT: Duration = Duration::from_millis(50);
/// Deliveries taken at once.
const BATCH: usize = 2000;
/// Events read at once while they match nothing.
const MOST_UNMATCHED: usize = 10_000;
/// Looks in a row that find some events, but not all they could take, before the log is left to fill between two of them.
const STEADY: u32 = 3;
/// How long it is then left, in times of what a look takes, and at most.
const REST_RATIO: u32 = 4;
const LONGEST_REST: Duration = Duration::from_millis(20);
/// Pause after a look that was not sure.
const UNSURE: Duration = Duration::from_millis(3);
/// How often the other workers are called while this one is full.
const CALL_EVERY: Duration = Duration::from_millis(200);
/// How often it is asked whose hooks are of those who hold what they may.
const CROWD_EVERY: Duration = Duration::from_secs(1);

pub async fn run(shared: Arc<Shared>, starter: UnboundedSender<Taken>) {
    let mut pump = Pump {
        starter,
        listener: None,
        claimed_at: None,
        suspects: Suspects::default(),
        called_at: None,
        crowd_at: None,
        pace: Pace::default(),
        unmatched: 0,
        step: Step::new(MOST_UNMATCHED),
        steady: 0,
        rest: Duration::ZERO,
        shared,
    };
    let mut outage = Outage::default();
    while !pump.shared.stop.is_cancelled() {
        match pump.turn().await {
            Ok(()) => outage.over(),
            Err(error) => {
                if !error.spares_connections() {
                    pump.listener = None;
                }
                outage.wait(&error, &pump.shared.stop).await;
            }
        }
    }
}

struct Pump {
    shared: Arc<Shared>,
    starter: UnboundedSender<Taken>,
    listener: Option<Listener>,
    /// The last look at due deliveries; `None` when there may be some.
    claimed_at: Option<Instant>,
    suspects: Suspects,
    called_at: Option<Instant>,
    crowd_at: Option<Instant>,
    pace: Pace,
    /// Events to read next, where the last ones matched nothing.
    unmatched: usize,
    /// The most events to read.
    step: Step,
    /// Looks in a row that found some events and left none.
    steady: u32,
    /// What a steady flow is left to fill the log for.
    rest: Duration,
}

/// What a look found.
#[derive(PartialEq, Eq)]
enum Look {
    Nothing,
    Some,
    /// Another worker was looking, or only an old window was ended: there may be events that nobody has seen.
    Unsure,
}

impl Pump {
    /// Takes what there is, or waits for something.
    async fn turn(&mut self) -> Result<(), StoreError> {
        if !self.shared.slots.has_room() {
            self.call_peers().await?;
            self.wait_for_room().await;
        }
        self.let_fill().await;
        if self.shared.stop.is_cancelled() {
            return Ok(());
        }
        self.shared.store.bounded(self.shared.settle_lease()).await?;
        self.run_suspects().await?;
        self.know_the_crowd().await?;
        let was_parked = self.listener.as_ref().is_some_and(Listener::is_parked);
        match self.look().await? {
            Look::Some => return self.work().await,
            Look::Unsure => return self.pause().await,
            // Whatever was committed before this look has notified.
            Look::Nothing if was_parked => return self.rest().await,
            Look::Nothing => {}
        }
        match self.park().await? {
            Parked::Busy => Ok(()),
            // What was committed before the worker was parked did not notify: only a look that is sure allows to rest.
            Parked::Yes | Parked::Follower => match self.look().await? {
                Look::Nothing => self.rest().await,
                Look::Some => Ok(()),
                Look::Unsure => self.pause().await,
            },
        }
    }

    /// Where a tenant or an owner holds what he may, his hooks get nothing: also those that were not met yet.
    async fn know_the_crowd(&mut self) -> Result<(), StoreError> {
        let crowd = self.shared.slots.crowd();
        if crowd.is_empty() || self.crowd_at.is_some_and(|at| at.elapsed() < CROWD_EVERY) {
            return Ok(());
        }
        self.crowd_at = Some(Instant::now());
        let owners: Vec<String> = crowd.owners.iter().map(ToString::to_string).collect();
        let store = &self.shared.store;
        for (hook, party) in store.bounded(store.load_parties(&crowd.users, &owners)).await? {
            self.shared.slots.belong(hook, party);
        }
        Ok(())
    }

    /// There is work; if there is more, writers need not notify. In a steady flow there is.
    async fn work(&mut self) -> Result<(), StoreError> {
        if (self.is_steady() || self.look().await? == Look::Some)
            && let Some(listener) = &mut self.listener
        {
            listener.unpark().await?;
        }
        Ok(())
    }

    /// In a steady flow, gives the log the time to fill: a look costs the same for one event as for fifty, and takes
    /// processor time from the writers. Writers do not notify meanwhile, nor need they.
    async fn let_fill(&self) {
        if self.is_steady() {
            tokio::select! {
                () = tokio::time::sleep(self.rest) => {}
                () = self.shared.stop.cancelled() => {}
            }
        }
    }

    fn is_steady(&self) -> bool {
        self.steady >= STEADY
    }

    /// Gives another dispatcher the time to end.
    async fn pause(&self) -> Result<(), StoreError> {
        tokio::time::sleep(UNSURE).await;
        Ok(())
    }

    /// Wakes the other workers when this one can take nothing more: they may sleep, for as long as it works no writer
    /// notifies.
    async fn call_peers(&mut self) -> Result<(), StoreError> {
        let full = self.shared.slots.limits().deliveries == 0;
        if full && self.called_at.is_none_or(|at| at.elapsed() >= CALL_EVERY) {
            self.called_at = Some(Instant::now());
            self.shared.store.bounded(self.shared.store.wake_peers()).await?;
        }
        Ok(())
    }

    /// Waits until enough deliveries have ended, but for a hook that is only slow not longer than `PATIENCE`.
    async fn wait_for_room(&self) {
        let since = Instant::now();
        while !self.shared.slots.has_room() {
            let limits = self.shared.slots.limits();
            let patience = if limits.deliveries > 0 {
                PATIENCE.saturating_sub(since.elapsed())
            } else {
                self.shared.settings.poll
            };
            tokio::select! {
                () = self.shared.slots.freed() => {}
                () = self.shared.stop.cancelled() => return,
                () = tokio::time::sleep(patience) => if limits.deliveries > 0 { return },
            }
        }
    }

    async fn look(&mut self) -> Result<Look, StoreError> {
        let dispatched = self.dispatch().await?;
        let overdue = self.claimed_at.is_none_or(|at| at.elapsed() >= CLAIM_EVERY);
        if dispatched == Look::Some && !overdue {
            self.pace.found();
            return Ok(Look::Some);
        }
        let claimed = self.claim().await?;
        if claimed > 0 || dispatched == Look::Some {
            self.pace.found();
        }
        Ok(if claimed > 0 { Look::Some } else { dispatched })
    }

    async fn dispatch(&mut self) -> Result<Look, StoreError> {
        let mut limits = self.shared.slots.limits();
        if limits.deliveries == 0 {
            return Ok(Look::Some);
        }
        // No more events than one hook may have deliveries: none of them then takes the slow way.
        limits.deliveries = limits.per_hook.clamp(1, BATCH);
        let events = limits.deliveries.max(self.unmatched).min(self.step.most());
        let lease = self.shared.lease();
        let since = Instant::now();
        let store = &self.shared.store;
        let found = store.bounded(store.dispatch(lease, events, &limits)).await;
        self.rest = (since.elapsed() * REST_RATIO).min(LONGEST_REST);
        self.step.note(events, found.is_err(), since.elapsed());
        let Some(found) = self.answered(found)? else {
            return Ok(Look::Unsure);
        };
        // A log of events that no hook wants is read in longer and longer steps.
        self.unmatched = match (found.events, found.matched) {
            (read, 0) if read == events => (events * 2).min(MOST_UNMATCHED),
            _ => 0,
        };
        self.steady = if (1..events).contains(&found.events) {
            self.steady.saturating_add(1)
        } else {
            0
        };
        if found.undecided {
            self.shared.undecided.notify_one();
        }
        if found.leased.len() < found.matched {
            // Some were put aside.
            self.claimed_at = None;
        }
        self.start(lease, found.leased);
        Ok(match found.events {
            0 if found.was_fresh => Look::Nothing,
            0 => Look::Unsure,
            _ => Look::Some,
        })
    }

    async fn claim(&mut self) -> Result<usize, StoreError> {
        let mut limits = self.shared.slots.limits();
        if limits.deliveries == 0 {
            return Ok(0);
        }
        // However many hooks share in it, some of what is free stays.
        limits.deliveries = limits.per_hook;
        self.claimed_at = Some(Instant::now());
        let lease = self.shared.lease();
        let store = &self.shared.store;
        let claimed = store.bounded(store.claim(lease, &limits)).await;
        let claimed = self.answered(claimed)?;
        let count = claimed.len();
        self.start(lease, claimed);
        Ok(count)
    }

    /// A claim whose answer was lost may have been made: only the end of its lease gives it back.
    fn answered<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Unavailable { .. }) = &result {
            self.shared.doubt_lease();
        }
        result
    }

    /// Runs what was in flight at two crashes, a few at a time or alone, and begins nothing beside it.
    async fn run_suspects(&mut self) -> Result<(), StoreError> {
        let began = Instant::now();
        if !self.suspects.are_due(began) {
            return Ok(());
        }
        let ran = self.ran_suspects().await;
        let any = matches!(ran, Ok(true));
        self.suspects.ended(any, began, Instant::now());
        ran.map(|_any| ())
    }

    /// True when there were some.
    async fn ran_suspects(&self) -> Result<bool, StoreError> {
        let store = &self.shared.store;
        if !store.bounded(store.has_suspects()).await? {
            return Ok(false);
        }
        self.empty(EMPTYING).await;
        if self.shared.stop.is_cancelled() {
            return Ok(false);
        }
        let lease = self.shared.lease();
        let suspects = store.bounded(store.claim_suspects(lease)).await;
        let suspects = self.answered(suspects)?;
        let any = !suspects.is_empty();
        let (alone, mut ended) = mpsc::channel(1);
        self.begin(lease, suspects, Some(alone));
        tokio::select! {
            _all = ended.recv() => {}
            () = self.shared.stop.cancelled() => {}
            () = tokio::time::sleep(ALONE) => {}
        }
        Ok(any)
    }

    /// Waits until nothing is in flight, as long as that, or until the worker stops.
    async fn empty(&self, patience: Duration) {
        let until = tokio::time::Instant::now() + patience;
        while self.shared.slots.in_flight() > 0 {
            tokio::select! {
                () = self.shared.slots.freed() => {}
                () = self.shared.stop.cancelled() => return,
                () = tokio::time::sleep_until(until) => return,
            }
        }
    }

    fn start(&self, lease: i64, deliveries: Vec<Claimed>) {
        self.begin(lease, deliveries, None);
    }

    /// Hands over what was taken. All its slots are taken first: each is freed by its delivery's outcome.
    fn begin(&self, lease: i64, deliveries: Vec<Claimed>, alone: Option<Alone>) {
        if deliveries.is_empty() {
            return;
        }
        deliveries
            .iter()
            .for_each(|one| self.shared.slots.take(one.hook_id));
        // The starter ends after the pump.
        let _closed = self.starter.send(Taken {
            lease,
            deliveries,
            alone,
        });
    }

    async fn park(&mut self) -> Result<Parked, StoreError> {
        if self.listener.is_none() {
            self.listener = Some(
                self.shared
                    .store
                    .bounded(self.shared.store.listen(PARK_TIMEOUT))
                    .await?,
            );
        }
        match &mut self.listener {
            Some(listener) => listener.park().await,
            None => Ok(Parked::Busy),
        }
    }

    /// Sleeps until a wake-up, the next due delivery, one that is put back into the queue, or the next poll.
    async fn rest(&mut self) -> Result<(), StoreError> {
        let poll = self.shared.settings.poll;
        let store = &self.shared.store;
        let due = store.bounded(store.next_due()).await?;
        let wait = due.map_or(poll, |ms| {
            Duration::from_millis(u64::try_from(ms).unwrap_or(0)).min(poll)
        });
        let Some(listener) = &mut self.listener else {
            return Ok(());
        };
        tokio::select! {
            woken = listener.notified() => {
                woken?;
                let apart = self.pace.woken(Instant::now());
                if !apart.is_zero() {
                    tokio::time::sleep(apart).await;
                    listener.forget_wake_ups();
                }
            }
            () = tokio::time::sleep(wait) => listener.check().await?,
            () = self.shared.requeued.notified() => {}
            () = self.shared.stop.cancelled() => listener.unpark().await?,
        }
        self.claimed_at = None;
        Ok(())
    }
}
