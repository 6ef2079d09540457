//! The endpoints of webhooks that nobody may enter now, as this worker knows them: one statement a second for all of
//! them, and only while webhooks are sent. Who is not on the list enters without asking.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::StoreError;
use super::statements::LIST_HELD_ENDPOINTS;
use super::store::Store;

/// The time for which a list is good.
const GOOD: Duration = Duration::from_secs(1);
/// The time that a request waits for the database, and all others after it when it did not answer.
const ANSWER: Duration = Duration::from_millis(900);

#[derive(Default)]
pub(super) struct HeldEndpoints {
    /// Held by the task that asks the server; the others wait and take its answer.
    asking: tokio::sync::Mutex<()>,
    list: Mutex<HeldList>,
}

#[derive(Default)]
struct HeldList {
    read_at: Option<Instant>,
    names: HashSet<String>,
    /// Those that this worker has held itself since the list was asked for.
    added: Vec<String>,
}

impl HeldEndpoints {
    /// Whether the endpoint may have to be waited for. While the database is away the last list counts. Safe to cancel.
    pub async fn has(&self, store: &Store, endpoint: &str) -> bool {
        if let Some(held) = self.recall(endpoint) {
            return held;
        }
        let _asking = self.asking.lock().await;
        if let Some(held) = self.recall(endpoint) {
            return held;
        }
        self.lock().added.clear();
        let listed = tokio::time::timeout(ANSWER, store.bounded(store.list_held_endpoints())).await;
        let mut list = self.lock();
        match listed {
            Ok(Ok(names)) => {
                list.names = names;
                let added = list.added.clone();
                list.names.extend(added);
            }
            Ok(Err(error)) => tracing::debug!(%error, "which endpoints are held could not be read"),
            Err(_elapsed) => tracing::debug!("which endpoints are held was not answered in time"),
        }
        list.read_at = Some(Instant::now());
        list.names.contains(endpoint)
    }

    /// Adds one that this worker holds from now on.
    pub fn add(&self, endpoint: &str) {
        let mut list = self.lock();
        list.names.insert(endpoint.to_owned());
        list.added.push(endpoint.to_owned());
    }

    fn recall(&self, endpoint: &str) -> Option<bool> {
        let list = self.lock();
        let is_good = list.read_at.is_some_and(|at| at.elapsed() < GOOD);
        is_good.then(|| list.names.contains(endpoint))
    }

    fn lock(&self) -> MutexGuard<'_, HeldList> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// The endpoints of webhooks that are paused or whose circuit is open.
    async fn list_held_endpoints(&self) -> Result<HashSet<String>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(LIST_HELD_ENDPOINTS).await?;
        let rows = connection.query(&statement, &[]).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }
}
