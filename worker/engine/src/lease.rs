//! The lease under which this worker claims, and the doubt whether all that was claimed under it is known here. The
//! server's clock decides when it expires.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use zerodb_hooks_store::{Reaped, Store, StoreError};

/// The present lease. It changes when it was lost, or is in doubt.
pub struct Lease {
    store: Store,
    /// The name in the lease.
    worker: String,
    length: Duration,
    id: AtomicI64,
    /// A claim may have been made whose answer never came.
    in_doubt: AtomicBool,
}

/// The answer to a heartbeat.
#[derive(Debug, PartialEq, Eq)]
pub enum Renewal {
    Renewed,
    /// In doubt, so it is left to expire.
    Left,
    /// Its deliveries are another worker's, or will be.
    Lost,
}

impl Lease {
    /// Takes the first one.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn take(store: &Store, worker: &str, length: Duration) -> Result<Self, StoreError> {
        let id = store.take_lease(worker, length).await?;
        Ok(Self::new(store.clone(), worker, length, id))
    }

    pub(crate) fn new(store: Store, worker: &str, length: Duration, id: i64) -> Self {
        Self {
            store,
            worker: worker.into(),
            length,
            id: AtomicI64::new(id),
            in_doubt: AtomicBool::new(false),
        }
    }

    pub fn id(&self) -> i64 {
        self.id.load(Ordering::Acquire)
    }

    /// Stops renewing it: what was claimed under it, and nobody here knows of, comes back when it expires.
    pub fn doubt(&self) {
        self.in_doubt.store(true, Ordering::Release);
    }

    /// Doubts it after the answer to a claim was lost: the claim may have been made.
    pub fn doubt_lost_claim<T>(&self, claim: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Unavailable { .. }) = &claim {
            self.doubt();
        }
        claim
    }

    /// Takes another one if it is in doubt.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn replace_doubted(&self) -> Result<(), StoreError> {
        if self.in_doubt.load(Ordering::Acquire) {
            self.store.bounded(self.replace()).await?;
            self.in_doubt.store(false, Ordering::Release);
        }
        Ok(())
    }

    /// # Errors
    /// Those of any statement.
    pub async fn renew(&self) -> Result<Renewal, StoreError> {
        if self.in_doubt.load(Ordering::Acquire) {
            Ok(Renewal::Left)
        } else if self.store.renew_lease(self.id(), self.length).await? {
            Ok(Renewal::Renewed)
        } else {
            Ok(Renewal::Lost)
        }
    }

    /// Takes another one.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn replace(&self) -> Result<(), StoreError> {
        let id = self.store.take_lease(&self.worker, self.length).await?;
        self.id.store(id, Ordering::Release);
        Ok(())
    }

    /// Gives it back with what it still holds.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn release(&self) -> Result<Reaped, StoreError> {
        self.store.release_lease(self.id()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::offline_store;

    #[test]
    fn only_a_lost_answer_makes_a_claim_doubtful() {
        let lease = Lease::new(offline_store(), "w", Duration::from_secs(30), 7);
        let locked = StoreError::Locked { reason: "x".into() };
        let _error = lease.doubt_lost_claim::<()>(Err(locked));
        assert!(!lease.in_doubt.load(Ordering::Acquire));
        let lost = StoreError::Unavailable { reason: "x".into() };
        let _error = lease.doubt_lost_claim::<()>(Err(lost));
        assert!(lease.in_doubt.load(Ordering::Acquire));
    }
}
