//! The worker's lease: by the server's clock, renewed by a heartbeat, given back at the end.

use std::time::Duration;

use super::error::StoreError;
use super::statements::{LOCK_DEAD_LEASES, REAP_LEASES, RENEW_LEASE, TAKE_LEASE};
use super::store::Store;

/// The leases and deliveries that a reaper gave back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reaped {
    pub workers: usize,
    pub deliveries: i64,
}

impl Store {
    /// Takes a new lease and returns its id.
    pub async fn take_lease(&self, worker: &str, length: Duration) -> Result<i64, StoreError> {
        let connection = self.connection().await?;
        let seconds = seconds(length);
        Ok(connection
            .query_one(TAKE_LEASE, &[&worker, &seconds])
            .await?
            .try_get(0)?)
    }

    /// False when the lease was lost: another worker has, or will have, its deliveries.
    pub async fn renew_lease(&self, lease: i64, length: Duration) -> Result<bool, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(RENEW_LEASE).await?;
        Ok(connection
            .query_opt(&statement, &[&lease, &seconds(length)])
            .await?
            .is_some())
    }

    /// Gives back the deliveries of expired leases.
    pub async fn reap_expired_leases(&self) -> Result<Reaped, StoreError> {
        self.reap(None).await
    }

    /// Gives back this worker's own lease with what it still holds.
    pub async fn release_lease(&self, lease: i64) -> Result<Reaped, StoreError> {
        self.reap(Some(lease)).await
    }

    async fn reap(&self, own: Option<i64>) -> Result<Reaped, StoreError> {
        let mut connection = self.connection().await?;
        let lock = connection.prepare_cached(LOCK_DEAD_LEASES).await?;
        let reap = connection.prepare_cached(REAP_LEASES).await?;
        let transaction = connection.transaction().await?;
        let dead = transaction.query(&lock, &[&own]).await?;
        let dead = dead
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<Vec<i64>, _>>()?;
        if dead.is_empty() {
            return Ok(Reaped {
                workers: 0,
                deliveries: 0,
            });
        }
        let deliveries = transaction
            .query_one(&reap, &[&dead, &own.is_none()])
            .await?
            .try_get(0)?;
        transaction.commit().await?;
        Ok(Reaped {
            workers: dead.len(),
            deliveries,
        })
    }
}

fn seconds(length: Duration) -> i64 {
    i64::try_from(length.as_secs()).unwrap_or(i64::MAX).max(1)
}
