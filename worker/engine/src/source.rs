//! The dispatcher's questions to the database. `Store` answers; tests answer in its place. Every wait for an answer
//! has an end.

use std::time::Duration;

use uuid::Uuid;

use crate::holdings::Crowd;
use zerodb_hooks_delivery::hook::Party;
use zerodb_hooks_store::{Claimed, Dispatched, Limits, Listener, Parked, Store, StoreError};

/// The answer to a question, or why there is none.
type StoreResult<T> = Result<T, StoreError>;

/// The source of deliveries. Each method is the one of `Store` with its name.
pub trait DeliverySource: Send + Sync + 'static {
    type Listener: WakeUpSource;

    fn dispatch(
        &self,
        lease: i64,
        events: usize,
        limits: &Limits,
    ) -> impl Future<Output = StoreResult<Option<Dispatched>>> + Send;

    fn claim(&self, lease: i64, limits: &Limits) -> impl Future<Output = StoreResult<Vec<Claimed>>> + Send;

    fn has_suspects(&self) -> impl Future<Output = StoreResult<bool>> + Send;

    fn claim_suspects(&self, lease: i64) -> impl Future<Output = StoreResult<Vec<Claimed>>> + Send;

    fn next_due(&self) -> impl Future<Output = StoreResult<Option<i64>>> + Send;

    fn wake_peers(&self) -> impl Future<Output = StoreResult<()>> + Send;

    fn load_parties(&self, crowd: &Crowd) -> impl Future<Output = StoreResult<Vec<(Uuid, Party)>>> + Send;

    fn listen(&self, park_timeout: Duration) -> impl Future<Output = StoreResult<Self::Listener>> + Send;
}

/// The listening connection. Each method is the one of `Listener` with its name.
pub trait WakeUpSource: Send + 'static {
    fn park(&mut self) -> impl Future<Output = StoreResult<Parked>> + Send;

    fn unpark(&mut self) -> impl Future<Output = StoreResult<()>> + Send;

    fn is_parked(&self) -> bool;

    fn forget_wake_ups(&mut self);

    fn notified(&mut self) -> impl Future<Output = StoreResult<()>> + Send;

    fn check(&mut self) -> impl Future<Output = StoreResult<()>> + Send;
}

impl DeliverySource for Store {
    type Listener = Listener;

    async fn dispatch(&self, lease: i64, events: usize, limits: &Limits) -> StoreResult<Option<Dispatched>> {
        self.bounded(Self::dispatch(self, lease, events, limits)).await
    }

    async fn claim(&self, lease: i64, limits: &Limits) -> StoreResult<Vec<Claimed>> {
        self.bounded(Self::claim(self, lease, limits)).await
    }

    async fn has_suspects(&self) -> StoreResult<bool> {
        self.bounded(Self::has_suspects(self)).await
    }

    async fn claim_suspects(&self, lease: i64) -> StoreResult<Vec<Claimed>> {
        self.bounded(Self::claim_suspects(self, lease)).await
    }

    async fn next_due(&self) -> StoreResult<Option<i64>> {
        self.bounded(Self::next_due(self)).await
    }

    async fn wake_peers(&self) -> StoreResult<()> {
        self.bounded(Self::wake_peers(self)).await
    }

    async fn load_parties(&self, crowd: &Crowd) -> StoreResult<Vec<(Uuid, Party)>> {
        let owners: Vec<String> = crowd.owners.iter().map(ToString::to_string).collect();
        self.bounded(Self::load_parties(self, &crowd.users, &owners))
            .await
    }

    async fn listen(&self, park_timeout: Duration) -> StoreResult<Listener> {
        self.bounded(Self::listen(self, park_timeout)).await
    }
}

impl WakeUpSource for Listener {
    async fn park(&mut self) -> StoreResult<Parked> {
        Self::park(self).await
    }

    async fn unpark(&mut self) -> StoreResult<()> {
        Self::unpark(self).await
    }

    fn is_parked(&self) -> bool {
        Self::is_parked(self)
    }

    fn forget_wake_ups(&mut self) {
        Self::forget_wake_ups(self);
    }

    async fn notified(&mut self) -> StoreResult<()> {
        Self::notified(self).await
    }

    async fn check(&mut self) -> StoreResult<()> {
        Self::check(self).await
    }
}
