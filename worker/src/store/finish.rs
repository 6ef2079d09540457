//! Ending attempts, many in one statement.

use std::time::Duration;

use jiff::Timestamp;

use super::statements::FINISH_DELIVERIES;
use super::{Store, StoreError};
use crate::outcome::Outcome;

/// An attempt that has ended and is not written yet.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub delivery_id: i64,
    pub epoch: i32,
    pub started_at: Timestamp,
    pub duration: Duration,
    pub outcome: Outcome,
}

impl Store {
    /// Writes the outcomes and returns how many were accepted: those whose lease and epoch still hold. Idempotent: an
    /// outcome that was written before is refused the second time.
    pub async fn finish(
        &self,
        lease: i64,
        worker: &str,
        record_all: bool,
        attempts: &[Attempt],
    ) -> Result<usize, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(FINISH_DELIVERIES).await?;
        let ids: Vec<_> = attempts.iter().map(|attempt| attempt.delivery_id).collect();
        let epochs: Vec<_> = attempts.iter().map(|attempt| attempt.epoch).collect();
        let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt.outcome.name()).collect();
        let waits: Vec<_> = attempts
            .iter()
            .map(|attempt| retry_ms(&attempt.outcome))
            .collect();
        let errors: Vec<_> = attempts.iter().map(|attempt| attempt.outcome.error()).collect();
        let statuses: Vec<_> = attempts
            .iter()
            .map(|attempt| attempt.outcome.status().map(i32::from))
            .collect();
        let starts: Vec<_> = attempts.iter().map(|attempt| attempt.started_at).collect();
        let durations: Vec<_> = attempts
            .iter()
            .map(|attempt| i32::try_from(attempt.duration.as_millis()).unwrap_or(i32::MAX))
            .collect();
        let accepted = connection
            .query(
                &statement,
                &[
                    &lease,
                    &ids,
                    &epochs,
                    &outcomes,
                    &waits,
                    &errors,
                    &statuses,
                    &starts,
                    &durations,
                    &worker,
                    &record_all,
                ],
            )
            .await?;
        Ok(accepted.len())
    }
}

fn retry_ms(outcome: &Outcome) -> i64 {
    match outcome {
        Outcome::Failed { retry_in, .. } => i64::try_from(retry_in.as_millis()).unwrap_or(i64::MAX),
        _ => 0,
    }
}
