//! How far backfills are.

use serde::Serialize;
use tokio_postgres::Client;

use crate::{QueryError, ask, statements};

zerodb_hooks_store::row! {
    /// A backfill of one hook for one table.
    #[derive(Debug, Clone, Serialize)]
    pub struct BackfillProgress {
        /// The hook's name.
        pub hook: String,
        /// The table, as SQL writes it.
        pub target: String,
        /// `queued`, `running`, `waiting` (for a model), `paused` (its hook is inactive) or `finished`.
        pub state: String,
        /// Rows in all, once they are counted.
        pub total: Option<i64>,
        /// Rows that were looked at.
        pub seen: i64,
        /// Rows that have a result.
        pub done: i64,
        /// Rows that have none after an error.
        pub failed: i64,
        /// Of the rows, once they are counted.
        pub percent: Option<f64>,
        /// At the rate until now.
        pub remaining_seconds: Option<f64>,
        /// What went wrong last.
        pub last_error: Option<String>,
    }
}

impl BackfillProgress {
    /// Nothing is left to be done.
    pub fn has_finished(&self) -> bool {
        self.state == "finished"
    }
}

/// Backfills, the last started first.
///
/// # Errors
/// Those of the statement.
pub async fn backfills(client: &Client) -> Result<Vec<BackfillProgress>, QueryError> {
    ask::all(client, statements::BACKFILLS, &[]).await
}
