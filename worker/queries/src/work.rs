//! The work there is, and whether somebody does it.

use serde::Serialize;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{QueryError, ask, statements};

zerodb_hooks_store::row! {
    /// Workers by their leases, and what waits for them.
    #[derive(Debug, Clone, Serialize)]
    pub struct Workload {
        /// Workers whose lease has not expired.
        pub alive: i64,
        /// Leases that expired over a minute ago.
        pub expired: i64,
        /// Deliveries that such a lease still holds.
        pub orphaned: i64,
        /// Events that no dispatcher has seen.
        pub undispatched: i64,
        /// Deliveries that could run now.
        pub due: i64,
    }
}

/// Workers and their work.
///
/// # Errors
/// Those of the statement.
pub async fn workload(client: &Client) -> Result<Workload, QueryError> {
    ask::one(client, statements::WORKERS, &[]).await
}

zerodb_hooks_store::row! {
    /// A hook whose deliveries should have begun a minute ago, or that is inactive and keeps some.
    #[derive(Debug, Clone, Serialize)]
    pub struct OverdueHook {
        /// Its id.
        pub hook_id: Uuid,
        /// Its name; `-` for one that is gone.
        pub hook_name: String,
        /// Whether it gets deliveries.
        pub is_active: bool,
        /// How many wait.
        pub deliveries: i64,
        /// How long the oldest has waited.
        pub oldest_seconds: f64,
    }
}

/// Hooks whose deliveries pile up, the one with the most first.
///
/// # Errors
/// Those of the statement.
pub async fn overdue_hooks(client: &Client) -> Result<Vec<OverdueHook>, QueryError> {
    ask::all(client, statements::OVERDUE, &[]).await
}
