//! Decides when to look for work, and takes it: events from the log, deliveries that are due. Parks when there is none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::claiming::Claiming;
use crate::outage::Outage;
use crate::pacing::{Cadence, Pacing};
use crate::parking::Parking;
use crate::signals::Signals;
use crate::source::DeliverySource;
use crate::suspects::{SuspectTimes, Suspects};
use zerodb_hooks_store::{Parked, StoreError};

/// Longest time between two claims while the log keeps the worker busy.
const CLAIM_EVERY: Duration = Duration::from_millis(50);
/// Wait for a busy hook before its events are put aside as pending deliveries.
const PATIENCE: Duration = Duration::from_millis(20);
/// The same where the hook's deliveries end fast. What is put aside costs several times as much, so a backlog that was
/// put aside because one statement of the completer took 30 ms was worked through at a sixth of the rate.
const PATIENCE_WHILE_IT_DRAINS: Duration = Duration::from_millis(250);
/// Deliveries taken at once.
const BATCH: usize = 2000;
/// Pause after a look that was not sure.
const UNSURE: Duration = Duration::from_millis(3);
/// Time between two calls of the other workers while this one is full.
const CALL_EVERY: Duration = Duration::from_millis(200);
/// Time between two questions for whom the hooks work, while a tenant or an owner has its share.
const CROWD_EVERY: Duration = Duration::from_secs(1);

pub struct Dispatcher<S: DeliverySource> {
    claiming: Arc<Claiming<S>>,
    suspects: Suspects<S>,
    parking: Parking<S>,
    pacing: Pacing,
    /// Claims. Hastened when a delivery may be due.
    claims: Cadence,
    calls: Cadence,
    crowd: Cadence,
    undecided: Arc<Notify>,
    poll: Duration,
    stop: CancellationToken,
}

/// The result of a look.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Nothing,
    /// There is work, or no room to look for it.
    Work,
    /// Another worker was looking, or only an old window was ended: there may be events that nobody has seen.
    Unsure,
}

impl<S: DeliverySource> Dispatcher<S> {
    pub fn new(claiming: Claiming<S>, signals: &Signals, poll: Duration, stop: &CancellationToken) -> Self {
        let claiming = Arc::new(claiming);
        Self {
            suspects: Suspects {
                claiming: Arc::clone(&claiming),
                stop: stop.clone(),
                times: SuspectTimes::default(),
            },
            parking: Parking::new(
                Arc::clone(&claiming.source),
                poll,
                Arc::clone(&signals.requeued),
                stop.clone(),
            ),
            claiming,
            pacing: Pacing::default(),
            claims: Cadence::every(CLAIM_EVERY),
            calls: Cadence::every(CALL_EVERY),
            crowd: Cadence::every(CROWD_EVERY),
            undecided: Arc::clone(&signals.undecided),
            poll,
            stop: stop.clone(),
        }
    }

    /// Takes work until the worker stops.
    pub async fn run(mut self) {
        let mut outage = Outage::default();
        while !self.stop.is_cancelled() {
            match self.turn().await {
                Ok(()) => outage.over(),
                Err(error) => {
                    if !error.spares_connections() {
                        self.parking.disconnect();
                    }
                    outage.wait(&error, &self.stop).await;
                }
            }
        }
    }

    /// Takes what there is, or waits for something.
    async fn turn(&mut self) -> Result<(), StoreError> {
        if !self.claiming.capacity.has_room() {
            self.call_peers().await?;
            self.wait_for_room().await;
        }
        self.let_fill().await;
        if self.stop.is_cancelled() {
            return Ok(());
        }
        self.claiming.lease.replace_doubted().await?;
        self.suspects.run_due().await?;
        self.know_the_crowd().await?;
        let was_parked = self.parking.is_parked();
        match self.look().await? {
            Look::Work => return self.work().await,
            Look::Unsure => return self.pause().await,
            // Whatever was committed before this look has notified.
            Look::Nothing if was_parked => return self.rest().await,
            Look::Nothing => {}
        }
        match self.parking.park().await? {
            Parked::Busy => Ok(()),
            // What was committed before the worker was parked did not notify: only a look that is sure allows to rest.
            Parked::Yes | Parked::Follower => match self.look().await? {
                Look::Nothing => self.rest().await,
                Look::Work => Ok(()),
                Look::Unsure => self.pause().await,
            },
        }
    }

    /// Learns for whom the hooks work where a tenant or an owner has its share: none of its hooks gets more, also
    /// those not met yet.
    async fn know_the_crowd(&mut self) -> Result<(), StoreError> {
        let (capacity, now) = (&self.claiming.capacity, Instant::now());
        let crowd = capacity.crowd();
        if crowd.is_empty() || !self.crowd.is_due(now) {
            return Ok(());
        }
        self.crowd.note_done(now);
        for (hook, party) in self.claiming.source.load_parties(&crowd).await? {
            capacity.belong(hook, party);
        }
        Ok(())
    }

    /// There is work; if there is more, writers need not notify. In a steady flow there is.
    async fn work(&mut self) -> Result<(), StoreError> {
        if self.pacing.rest().is_some() || self.look().await? == Look::Work {
            self.parking.unpark().await?;
        }
        Ok(())
    }

    /// In a steady flow, gives the log the time to fill. Writers do not notify meanwhile, nor need they.
    async fn let_fill(&self) {
        if let Some(rest) = self.pacing.rest() {
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    /// Gives another dispatcher the time to end.
    async fn pause(&self) -> Result<(), StoreError> {
        tokio::time::sleep(UNSURE).await;
        Ok(())
    }

    async fn rest(&mut self) -> Result<(), StoreError> {
        self.parking.rest().await?;
        self.claims.hasten();
        Ok(())
    }

    /// Wakes the other workers when this one can take nothing more: they may sleep, for as long as it works no writer
    /// notifies.
    async fn call_peers(&mut self) -> Result<(), StoreError> {
        let (is_full, now) = (self.claiming.capacity.limits().deliveries == 0, Instant::now());
        if is_full && self.calls.is_due(now) {
            self.calls.note_done(now);
            self.claiming.source.wake_peers().await?;
        }
        Ok(())
    }

    /// Waits until enough deliveries have ended, but for a busy hook, whose events hold up those of others, not longer
    /// than it is worth.
    async fn wait_for_room(&self) {
        let (capacity, since) = (&self.claiming.capacity, Instant::now());
        while !capacity.has_room() {
            let is_full = capacity.limits().deliveries == 0;
            let patience = match is_full {
                true => self.poll,
                false if capacity.drains() => PATIENCE_WHILE_IT_DRAINS.saturating_sub(since.elapsed()),
                false => PATIENCE.saturating_sub(since.elapsed()),
            };
            tokio::select! {
                () = capacity.freed() => {}
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(patience) => if !is_full { return },
            }
        }
    }

    async fn look(&mut self) -> Result<Look, StoreError> {
        let dispatched = self.dispatch().await?;
        if dispatched == Look::Work && !self.claims.is_due(Instant::now()) {
            self.parking.note_work();
            return Ok(Look::Work);
        }
        let claimed = self.claim().await?;
        if claimed > 0 || dispatched == Look::Work {
            self.parking.note_work();
        }
        Ok(if claimed > 0 { Look::Work } else { dispatched })
    }

    async fn dispatch(&mut self) -> Result<Look, StoreError> {
        let mut limits = self.claiming.capacity.limits();
        if limits.deliveries == 0 {
            return Ok(Look::Work);
        }
        // No more events than one hook may have deliveries: none of them then takes the slow way.
        limits.deliveries = limits.per_hook.clamp(1, BATCH);
        let (asked, lease, since) = (
            self.pacing.events(limits.deliveries),
            self.claiming.lease.id(),
            Instant::now(),
        );
        let found = self.claiming.dispatch(lease, asked, &limits).await;
        self.pacing.note_look(asked, since.elapsed(), found.is_err());
        let Some(found) = found? else {
            return Ok(Look::Unsure);
        };
        self.pacing.note_found(asked, found.events, found.matched);
        if found.undecided {
            self.undecided.notify_one();
        }
        if found.leased.len() < found.matched {
            // Some were put aside.
            self.claims.hasten();
        }
        self.claiming.hand_over(lease, found.leased, None);
        Ok(match found.events {
            0 if found.was_fresh => Look::Nothing,
            0 => Look::Unsure,
            _ => Look::Work,
        })
    }

    async fn claim(&mut self) -> Result<usize, StoreError> {
        let mut limits = self.claiming.capacity.limits();
        if limits.deliveries == 0 {
            return Ok(0);
        }
        // However many hooks share in it, some of what is free stays.
        limits.deliveries = limits.per_hook;
        self.claims.note_done(Instant::now());
        self.claiming.claim(&limits).await
    }
}

#[cfg(test)]
mod tests;
