//! Calling a hook's SQL function.

use std::time::Duration;

use uuid::Uuid;

use super::statements::CALL_FUNCTION;
use super::{Store, StoreError};
use crate::event::EventId;

impl Store {
    /// Runs the function of a `sql` hook with an event of the log as its owner, in a transaction of its own, within `timeout`.
    pub async fn call_function(
        &self,
        hook: Uuid,
        event: EventId,
        timeout: Duration,
    ) -> Result<(), StoreError> {
        let mut connection = self.functions.get().await?;
        // The function plans its own statements as it would in any session.
        connection
            .batch_execute("RESET enable_seqscan; RESET plan_cache_mode; RESET jit")
            .await?;
        let transaction = connection.transaction().await?;
        let milliseconds = timeout.as_millis().to_string();
        transaction
            .execute(
                "SELECT pg_catalog.set_config('statement_timeout', $1, true)",
                &[&milliseconds],
            )
            .await?;
        transaction
            .execute(CALL_FUNCTION, &[&hook, &event.to_string()])
            .await
            .map_err(|error| StoreError::from(error).of_owner())?;
        transaction.commit().await?;
        Ok(())
    }
}
