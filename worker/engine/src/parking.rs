//! The worker at rest: it parks, so that writers notify at commit, and sleeps until there may be work. `park` is
//! followed by one more look before `rest` (`dispatcher.rs`); model `protocol/wake.rs`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::source::{DeliverySource, WakeUpSource};
use crate::wake_ups::WakeUps;
use zerodb_hooks_store::{Parked, StoreError};

/// Wait of parking for commits under way.
const PARK_TIMEOUT: Duration = Duration::from_millis(50);

pub struct Parking<S: DeliverySource> {
    source: Arc<S>,
    listener: Option<S::Listener>,
    wake_ups: WakeUps,
    /// The longest sleep.
    poll: Duration,
    /// Notified when a delivery was put back into the queue.
    requeued: Arc<Notify>,
    stop: CancellationToken,
}

impl<S: DeliverySource> Parking<S> {
    pub fn new(source: Arc<S>, poll: Duration, requeued: Arc<Notify>, stop: CancellationToken) -> Self {
        Self {
            source,
            listener: None,
            wake_ups: WakeUps::default(),
            poll,
            requeued,
            stop,
        }
    }

    pub fn is_parked(&self) -> bool {
        self.listener.as_ref().is_some_and(WakeUpSource::is_parked)
    }

    /// Asks writers to notify.
    ///
    /// # Errors
    /// Those of the listening connection, which is made where there is none.
    pub async fn park(&mut self) -> Result<Parked, StoreError> {
        match &mut self.listener {
            Some(listener) => listener.park().await,
            None => {
                let listener = self.source.listen(PARK_TIMEOUT).await?;
                self.listener.insert(listener).park().await
            }
        }
    }

    /// Tells writers that there is no need to notify.
    ///
    /// # Errors
    /// Those of the listening connection.
    pub async fn unpark(&mut self) -> Result<(), StoreError> {
        match &mut self.listener {
            Some(listener) => listener.unpark().await,
            None => Ok(()),
        }
    }

    /// Sleeps until a wake-up, the next due delivery, one that is put back into the queue, or the next poll.
    ///
    /// # Errors
    /// Those of the listening connection, and of asking when a delivery falls due.
    pub async fn rest(&mut self) -> Result<(), StoreError> {
        let due = self.source.next_due().await?;
        let wait = due.map_or(self.poll, |ms| {
            Duration::from_millis(u64::try_from(ms).unwrap_or(0)).min(self.poll)
        });
        let Some(listener) = &mut self.listener else {
            return Ok(());
        };
        tokio::select! {
            woken = listener.notified() => {
                woken?;
                let apart = self.wake_ups.woken(Instant::now());
                if !apart.is_zero() {
                    tokio::time::sleep(apart).await;
                    listener.forget_wake_ups();
                }
            }
            () = tokio::time::sleep(wait) => listener.check().await?,
            () = self.requeued.notified() => {}
            () = self.stop.cancelled() => listener.unpark().await?,
        }
        Ok(())
    }

    /// A look found work.
    pub fn note_work(&mut self) {
        self.wake_ups.found();
    }

    /// Drops the listening connection; the next one is made when it is needed.
    pub fn disconnect(&mut self) {
        self.listener = None;
    }
}
