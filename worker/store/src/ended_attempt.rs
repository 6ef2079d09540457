//! An attempt that has ended and is not written yet.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::stored::Stored;
use zerodb_hooks_delivery::outcome::Outcome;

/// One try of a delivery with its outcome, to be written by `Store::settle`.
#[derive(Debug, Clone)]
pub struct EndedAttempt {
    pub delivery_id: i64,
    pub hook_id: Uuid,
    pub stored: Stored,
    /// The claim under which it ran; of an older one the outcome is refused.
    pub epoch: i32,
    pub started_at: Timestamp,
    pub duration: Duration,
    pub outcome: Outcome,
}

impl EndedAttempt {
    /// True when it is one of a batch's completions, which are written as arrays.
    pub(super) fn completes_in_batch(&self) -> bool {
        self.stored.batched().is_some() && matches!(self.outcome, Outcome::Completed { .. })
    }

    pub(super) fn batch_id(&self) -> Option<i64> {
        self.stored.batched().map(|delivery| delivery.batch.id)
    }

    pub(super) fn duration_ms(&self) -> i32 {
        i32::try_from(self.duration.as_millis()).unwrap_or(i32::MAX)
    }

    pub(super) fn status(&self) -> Option<i32> {
        self.outcome.status().map(i32::from)
    }

    /// Time until the delivery may be claimed again; 0 for one that is not put off.
    pub(super) fn retry_ms(&self) -> i64 {
        match self.outcome {
            Outcome::Failed { retry_in, .. } | Outcome::Deferred { retry_in, .. } => {
                i64::try_from(retry_in.as_millis()).unwrap_or(i64::MAX)
            }
            _ => 0,
        }
    }
}
