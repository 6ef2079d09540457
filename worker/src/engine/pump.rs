//! Decides when to look for work, and takes it: events from the log, deliveries that are due. Parks when there is none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use uuid::Uuid;

use super::completer::Ended;
use super::executor;
use super::hooks::{Hooks, Known};
use super::runner::{Outage, Shared};
use crate::delivery::{Delivery, message_id};
use crate::event::{Event, event_id};
use crate::outcome::Outcome;
use crate::store::{Attempt, Claimed, EventRow, Installation, Listener, Parked, StoreError};

/// Longest time between two claims while the log keeps the worker busy.
const CLAIM_EVERY: Duration = Duration::from_millis(50);
/// How long a busy hook is waited for before its events are put aside as pending deliveries.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long parking waits for commits under way.
const PARK_TIMEOUT: Duration = Duration::from_millis(50);
/// Events read at once.
const BATCH: usize = 1000;
/// How often deliveries are looked for that were in flight at two crashes.
const SUSPECTS_EVERY: Duration = Duration::from_secs(1);
/// Losses after which such a delivery is given up: it ran alone in the last ones, so it is what killed the worker.
const MOST_LOSSES: i16 = 4;

pub async fn run(shared: Arc<Shared>) {
    let mut pump = Pump {
        hooks: Hooks::new(shared.settings.concurrency),
        listener: None,
        claimed_at: None,
        suspected_at: None,
        shared,
    };
    let mut outage = Outage::default();
    while !pump.shared.stop.is_cancelled() {
        match pump.turn().await {
            Ok(()) => outage.over(),
            Err(error) => {
                pump.listener = None;
                outage.wait(&error, &pump.shared.stop).await;
            }
        }
    }
}

struct Pump {
    shared: Arc<Shared>,
    hooks: Hooks,
    listener: Option<Listener>,
    /// The last look at due deliveries; `None` when there may be some.
    claimed_at: Option<Instant>,
    suspected_at: Option<Instant>,
}

/// What a look found.
#[derive(PartialEq, Eq)]
enum Look {
    Nothing,
    Some,
}

impl Pump {
    /// Takes what there is, or waits for something.
    async fn turn(&mut self) -> Result<(), StoreError> {
        self.wait_for_room().await;
        if self.shared.stop.is_cancelled() {
            return Ok(());
        }
        self.run_suspects().await?;
        if self.look().await? == Look::Some {
            if self.look().await? == Look::Some
                && let Some(listener) = &mut self.listener
            {
                // Busy: writers need not notify.
                listener.unpark().await?;
            }
            return Ok(());
        }
        match self.park().await? {
            Parked::Busy => Ok(()),
            // What was committed before the worker was parked did not notify.
            Parked::Yes | Parked::Follower if self.look().await? == Look::Some => Ok(()),
            Parked::Yes | Parked::Follower => self.rest().await,
        }
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
        let events = self.dispatch().await?;
        let overdue = self.claimed_at.is_none_or(|at| at.elapsed() >= CLAIM_EVERY);
        let claimed = if events == 0 || overdue {
            self.claim().await?
        } else {
            0
        };
        Ok(if events + claimed > 0 {
            Look::Some
        } else {
            Look::Nothing
        })
    }

    async fn dispatch(&mut self) -> Result<usize, StoreError> {
        let mut limits = self.shared.slots.limits();
        limits.deliveries = limits.deliveries.min(BATCH);
        // A batch for one hook alone must fit the hook's share, or half of it would take the slow way.
        limits.deliveries = limits.deliveries.min(limits.per_hook).max(1);
        limits.per_hook = limits.deliveries;
        let lease = self.shared.lease();
        let Some((events, claimed)) = self.shared.store.dispatch(lease, &limits).await? else {
            return Ok(0);
        };
        if claimed.len() < events {
            // Some were put aside, or matched nothing.
            self.claimed_at = None;
        }
        self.start(lease, claimed).await?;
        Ok(events)
    }

    async fn claim(&mut self) -> Result<usize, StoreError> {
        let limits = self.shared.slots.limits();
        if limits.deliveries == 0 {
            return Ok(0);
        }
        self.claimed_at = Some(Instant::now());
        let lease = self.shared.lease();
        let claimed = self.shared.store.claim(lease, &limits).await?;
        let count = claimed.len();
        self.start(lease, claimed).await?;
        Ok(count)
    }

    /// Runs what was in flight at two crashes, one by one and with nothing beside it.
    async fn run_suspects(&mut self) -> Result<(), StoreError> {
        if self.suspected_at.is_some_and(|at| at.elapsed() < SUSPECTS_EVERY) {
            return Ok(());
        }
        self.suspected_at = Some(Instant::now());
        while self.shared.store.has_suspects().await? && self.empty().await {
            let lease = self.shared.lease();
            let Some(suspect) = self.shared.store.claim_suspect(lease).await? else {
                break;
            };
            self.start(lease, vec![suspect]).await?;
            if !self.empty().await {
                break;
            }
        }
        Ok(())
    }

    /// Waits until nothing is in flight; false when the worker stops before.
    async fn empty(&self) -> bool {
        while self.shared.slots.in_flight() > 0 {
            tokio::select! {
                () = self.shared.slots.freed() => {}
                () = self.shared.stop.cancelled() => return false,
            }
        }
        true
    }

    /// Starts what was claimed.
    async fn start(&mut self, lease: i64, claimed: Vec<Claimed>) -> Result<(), StoreError> {
        // All slots are taken before anything that may fail: they are freed by each delivery's outcome.
        claimed.iter().for_each(|one| self.shared.slots.take(one.hook_id));
        let installation = self.shared.installation();
        for one in claimed {
            let known = self
                .hooks
                .get(&self.shared.store, one.hook_id, one.hook_version)
                .await;
            match prepare(&installation, one, known) {
                Ok((delivery, known)) => {
                    let shared = Arc::clone(&self.shared);
                    self.shared
                        .running
                        .spawn(executor::run(shared, lease, delivery, known));
                }
                Err(ended) => {
                    // The completer outlives the pump.
                    let _closed = self.shared.ended.send(Ended::Attempt {
                        lease,
                        hook: ended.0,
                        attempt: ended.1,
                    });
                }
            }
        }
        Ok(())
    }

    async fn park(&mut self) -> Result<Parked, StoreError> {
        if self.listener.is_none() {
            self.listener = Some(self.shared.store.listen(PARK_TIMEOUT).await?);
        }
        match &mut self.listener {
            Some(listener) => listener.park().await,
            None => Ok(Parked::Busy),
        }
    }

    /// Sleeps until a wake-up, the next due delivery, one that is put back into the queue, or the next poll.
    async fn rest(&mut self) -> Result<(), StoreError> {
        let poll = self.shared.settings.poll;
        let due = self.shared.store.next_due().await?;
        let wait = due.map_or(poll, |ms| {
            Duration::from_millis(u64::try_from(ms).unwrap_or(0)).min(poll)
        });
        let Some(listener) = &mut self.listener else {
            return Ok(());
        };
        tokio::select! {
            woken = listener.notified() => woken?,
            () = tokio::time::sleep(wait) => listener.check().await?,
            () = self.shared.requeued.notified() => {}
            () = self.shared.stop.cancelled() => listener.unpark().await?,
        }
        self.claimed_at = None;
        Ok(())
    }
}

/// The delivery to run, or how it ends without being run.
fn prepare(
    installation: &Installation,
    claimed: Claimed,
    known: Result<Option<Known>, StoreError>,
) -> Result<(Delivery, Known), (Uuid, Attempt)> {
    let (hook_id, delivery_id, epoch, attempt) =
        (claimed.hook_id, claimed.id, claimed.epoch, claimed.attempt);
    let without_run = |outcome| {
        let attempt = Attempt {
            delivery_id,
            epoch,
            started_at: Timestamp::now(),
            duration: Duration::ZERO,
            outcome,
        };
        (hook_id, attempt)
    };
    let discarded = |error: &str| {
        without_run(Outcome::Discarded {
            error: error.into(),
            status: None,
        })
    };
    let known = match known {
        Ok(Some(known)) => known,
        // The store sees that the hook is gone and cancels the delivery.
        Ok(None) => {
            return Err(without_run(Outcome::retry_in(
                Duration::ZERO,
                "the hook was deleted",
            )));
        }
        Err(_) => return Err(without_run(Outcome::Released)),
    };
    if claimed.losses >= MOST_LOSSES {
        return Err(discarded(
            "given up: each attempt ended with the worker, also alone",
        ));
    }
    let Some(row) = claimed.event else {
        return Err(discarded("the event has left the log"));
    };
    let delivery = Delivery {
        id: delivery_id,
        attempt,
        epoch,
        hook: Arc::clone(&known.hook),
        event: Arc::new(event(installation, row)),
        message_id: message_id(&installation.salt, delivery_id),
    };
    Ok((delivery, known))
}

fn event(installation: &Installation, row: EventRow) -> Event {
    let channel = match installation.channels.get(&row.event_type) {
        Some(channel) => channel.clone(),
        None => row.event_type.split('.').next().unwrap_or_default().to_owned(),
    };
    Event {
        id: event_id(&installation.salt, row.xid, row.ord),
        channel,
        data: serde_json::from_str(&row.data).unwrap_or_default(),
        event_type: row.event_type,
        user_id: row.user_id,
        project_id: row.project_id,
        bank_id: row.bank_id,
        traceparent: row.traceparent,
        created_at: row.created_at,
    }
}
