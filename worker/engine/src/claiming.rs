//! Claims under the worker's lease, and hands what was claimed to the starter. Decides nothing about how much and when.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;

use crate::capacity::Capacity;
use crate::job::Alone;
use crate::lease::Lease;
use crate::source::DeliverySource;
use crate::starter::Claim;
use zerodb_hooks_metrics::{DatabaseCall, Meters};
use zerodb_hooks_store::{Claimed, Dispatched, Limits, StoreError};

pub struct Claiming<S> {
    pub source: Arc<S>,
    pub lease: Arc<Lease>,
    pub capacity: Arc<Capacity>,
    pub starter: UnboundedSender<Claim>,
    pub meters: Arc<Meters>,
}

impl<S: DeliverySource> Claiming<S> {
    /// Moves the dispatcher by at most `events` events; `None` when another worker does. The caller hands over what
    /// is leased.
    ///
    /// # Errors
    /// As for `Store::dispatch`.
    pub async fn dispatch(
        &self,
        lease: i64,
        events: usize,
        limits: &Limits,
    ) -> Result<Option<Dispatched>, StoreError> {
        let since = Instant::now();
        let dispatched = self.source.dispatch(lease, events, limits).await;
        self.meters
            .called(DatabaseCall::Dispatch, since.elapsed(), dispatched.is_ok());
        if let Ok(Some(dispatched)) = &dispatched {
            self.meters.dispatched(dispatched.events);
            self.meters.claimed(true, dispatched.leased.len());
        }
        self.lease.doubt_lost_claim(dispatched)
    }

    /// Claims deliveries that are due and returns how many.
    ///
    /// # Errors
    /// As for `Store::claim`.
    pub async fn claim(&self, limits: &Limits) -> Result<usize, StoreError> {
        let lease = self.lease.id();
        let since = Instant::now();
        let claimed = self.source.claim(lease, limits).await;
        self.meters
            .called(DatabaseCall::Claim, since.elapsed(), claimed.is_ok());
        let claimed = self.lease.doubt_lost_claim(claimed)?;
        self.meters.claimed(false, claimed.len());
        Ok(self.hand_over(lease, claimed, None))
    }

    /// Claims deliveries that were in flight at two crashes and returns how many. Each holds `alone` until it has
    /// ended.
    ///
    /// # Errors
    /// As for `Store::claim_suspects`.
    pub async fn claim_suspects(&self, alone: Alone) -> Result<usize, StoreError> {
        let lease = self.lease.id();
        let claimed = self.source.claim_suspects(lease).await;
        let claimed = self.lease.doubt_lost_claim(claimed)?;
        self.meters.claimed(false, claimed.len());
        Ok(self.hand_over(lease, claimed, Some(alone)))
    }

    /// Sends deliveries to the starter and returns how many. The capacity counts all of them before the first one can
    /// end.
    pub fn hand_over(&self, lease: i64, deliveries: Vec<Claimed>, alone: Option<Alone>) -> usize {
        let count = deliveries.len();
        if count > 0 {
            deliveries.iter().for_each(|one| self.capacity.take(one.hook_id));
            // The starter ends after the dispatcher.
            let _closed = self.starter.send(Claim {
                lease,
                deliveries,
                alone,
            });
        }
        count
    }
}
