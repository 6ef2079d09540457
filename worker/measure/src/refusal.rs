//! Why the bench did not measure, for the person who started it.

use std::time::Duration;

/// What is in the way, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BenchRefusal {
    /// What is the case.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
}

impl BenchRefusal {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// Somebody stopped it; `state` says what is left of it.
    pub fn stopped(state: &str) -> Self {
        Self::new(format!("stopped before the end; {state}"), "")
    }

    /// The events of the bench do not come to their end.
    pub(crate) fn undelivered(deadline: Duration) -> Self {
        let seconds = deadline.as_secs();
        Self::new(
            format!("the events of the bench are not delivered within {seconds} s"),
            "give fewer --seconds or --events; `zerodb-hooks doctor` tells what keeps a worker from working",
        )
    }
}
