//! The state of an installation as `zerodb.status()` sums it up.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{QueryError, ask, statements};

/// The backlog, and how workers and hooks do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstallationStatus {
    /// Events of the log that no dispatcher has seen.
    pub undispatched_events: i64,
    /// Deliveries that wait, for their first attempt or another.
    pub waiting_deliveries: i64,
    /// Deliveries that a worker holds.
    pub running_deliveries: i64,
    /// Age of the oldest event or delivery that waits.
    pub oldest_age_seconds: f64,
    /// Over the last `rate_seconds`.
    pub attempts_per_second: f64,
    /// What attempts were counted over: 300, or less where more ended than is read.
    pub rate_seconds: f64,
    /// Those that have a lease, expired ones too.
    pub workers: Vec<WorkerStatus>,
    /// A hundred that the caller may see, those with trouble first.
    pub hooks: Vec<HookStatus>,
    /// The fields that are counted to a limit and met it.
    pub limited: Vec<String>,
}

/// A worker by its lease.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Its name.
    pub worker: String,
    /// Whether its lease has not expired.
    pub alive: bool,
}

/// What became of a hook's deliveries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HookStatus {
    /// Its id.
    pub id: Uuid,
    /// The event type or pattern that it is for.
    pub event_type: String,
    /// Its name.
    pub hook_name: String,
    /// Whether it gets deliveries.
    pub is_active: bool,
    /// Deliveries that wait.
    pub waiting: i64,
    /// Those of them that have failed before.
    pub retryable: i64,
    /// Attempts of the last five minutes that completed.
    pub completed_5m: i64,
    /// Attempts of the last five minutes that failed and are tried again.
    pub failed_5m: i64,
    /// Deliveries that were given up in the last five minutes.
    pub discarded_5m: i64,
}

impl InstallationStatus {
    /// Whether there may be more than the field of this name says.
    pub fn is_limited(&self, field: &str) -> bool {
        self.limited.iter().any(|name| name == field)
    }
}

/// The document of `zerodb.status()`, which may hold more than `InstallationStatus` reads of it.
///
/// # Errors
/// Those of the statement.
pub async fn status_document(client: &Client) -> Result<Value, QueryError> {
    ask::value(client, statements::STATUS, &[], "status").await
}
