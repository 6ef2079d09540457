//! The dispatcher's questions to the database. `Store` answers; tests answer in its place. Every wait for an answer
//! has an end.

use std::time::Duration;

use uuid::Uuid;

use crate::holdings::Crowd;
use zerodb_hooks_delivery::hook::Party;
use zerodb_hooks_store::{Claimed, Dispatched, Limits, Listener, Parked, Store, StoreError};

/// The answer to a question, or why there is none.
type Answer<T> = Result<T, StoreError>;

/// The source of deliveries. Each method is the one of `Store` with its name.
pub trait Source: Send + Sync + 'static {
    type WakeUps: WakeUpSource;

    fn dispatch(
        &self,
        lease: i64,
        events: usize,
        limits: &Limits,
    ) -> impl Future<Output = Answer<Option<Dispatched>>> + Send;

    fn claim(&self, lease: i64, limits: &Limits) -> impl Future<Output = Answer<Vec<Claimed>>> + Send;

    fn has_suspects(&self) -> impl Future<Output = Answer<bool>> + Send;

    fn claim_suspects(&self, lease: i64) -> impl Future<Output = Answer<Vec<Claimed>>> + Send;

    fn next_due(&self) -> impl Future<Output = Answer<Option<i64>>> + Send;

    fn wake_peers(&self) -> impl Future<Output = Answer<()>> + Send;

    fn load_parties(&self, crowd: &Crowd) -> impl Future<Output = Answer<Vec<(Uuid, Party)>>> + Send;

    fn listen(&self, park_timeout: Duration) -> impl Future<Output = Answer<Self::WakeUps>> + Send;
}

/// The listening connection. Each method is the one of `Listener` with its name.
pub trait WakeUpSource: Send + 'static {
    fn park(&mut self) -> impl Future<Output = Answer<Parked>> + Send;

    fn unpark(&mut self) -> impl Future<Output = Answer<()>> + Send;

    fn is_parked(&self) -> bool;

    fn forget_wake_ups(&mut self);

    fn notified(&mut self) -> impl Future<Output = Answer<()>> + Send;

    fn check(&mut self) -> impl Future<Output = Answer<()>> + Send;
}

impl Source for Store {
    type WakeUps = Listener;

    async fn dispatch(&self, lease: i64, events: usize, limits: &Limits) -> Answer<Option<Dispatched>> {
        self.bounded(Self::dispatch(self, lease, events, limits)).await
    }

    async fn claim(&self, lease: i64, limits: &Limits) -> Answer<Vec<Claimed>> {
        self.bounded(Self::claim(self, lease, limits)).await
    }

    async fn has_suspects(&self) -> Answer<bool> {
        self.bounded(Self::has_suspects(self)).await
    }

    async fn claim_suspects(&self, lease: i64) -> Answer<Vec<Claimed>> {
        self.bounded(Self::claim_suspects(self, lease)).await
    }

    async fn next_due(&self) -> Answer<Option<i64>> {
        self.bounded(Self::next_due(self)).await
    }

    async fn wake_peers(&self) -> Answer<()> {
        self.bounded(Self::wake_peers(self)).await
    }

    async fn load_parties(&self, crowd: &Crowd) -> Answer<Vec<(Uuid, Party)>> {
        let owners: Vec<String> = crowd.owners.iter().map(ToString::to_string).collect();
        self.bounded(Self::load_parties(self, &crowd.users, &owners))
            .await
    }

    async fn listen(&self, park_timeout: Duration) -> Answer<Listener> {
        self.bounded(Self::listen(self, park_timeout)).await
    }
}

impl WakeUpSource for Listener {
    async fn park(&mut self) -> Answer<Parked> {
        Self::park(self).await
    }

    async fn unpark(&mut self) -> Answer<()> {
        Self::unpark(self).await
    }

    fn is_parked(&self) -> bool {
        Self::is_parked(self)
    }

    fn forget_wake_ups(&mut self) {
        Self::forget_wake_ups(self);
    }

    async fn notified(&mut self) -> Answer<()> {
        Self::notified(self).await
    }

    async fn check(&mut self) -> Answer<()> {
        Self::check(self).await
    }
}
