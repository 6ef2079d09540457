//! The result of a handler, and the outcome of the attempt that follows from it. Handlers decide, only the store
//! writes. Pure.

use std::time::Duration;

use crate::retry::Policy;

/// The wait of deliveries where the hook or the worker's file must be changed first.
pub const UNTIL_CHANGED: Duration = Duration::from_secs(60);

/// A success, with what the ledger keeps of it.
#[derive(Debug, Default, Clone, Copy)]
pub struct Done {
    /// The status code of the answer, where there was one.
    pub status: Option<u16>,
}

/// A failure. The kind, not the text, decides whether it is tried again. The text goes into the ledger: it must hold
/// no secret and no payload.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HandlerError {
    /// Trying again may help.
    #[error("{message}")]
    Transient {
        message: String,
        status: Option<u16>,
        retry_after: Option<Duration>,
    },
    /// Trying again cannot help.
    #[error("{message}")]
    Permanent { message: String, status: Option<u16> },
    /// It could not be tried yet, as when a model's endpoint lets no more requests in: not an attempt.
    #[error("{message}")]
    Deferred { message: String, after: Duration },
}

impl HandlerError {
    pub fn transient(message: impl Into<String>) -> Self {
        Self::Transient {
            message: message.into(),
            status: None,
            retry_after: None,
        }
    }

    pub fn permanent(message: impl Into<String>) -> Self {
        Self::Permanent {
            message: message.into(),
            status: None,
        }
    }
}

/// The outcome of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Completed {
        status: Option<u16>,
    },
    Failed {
        retry_in: Duration,
        error: String,
        status: Option<u16>,
    },
    /// Given up; `exhausted` where its attempts are used up, and not for what happened.
    Discarded {
        error: String,
        status: Option<u16>,
        exhausted: bool,
    },
    /// It could not be tried: it waits, and the attempt is not charged.
    Deferred {
        retry_in: Duration,
        error: String,
    },
    /// It did not run: given back, and the attempt not charged.
    Released,
}

/// The shortest and the longest time that a delivery is deferred.
const DEFERRED: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(50)..=Duration::from_secs(24 * 3600);

/// The longest error that is kept.
const ERROR_BYTES: usize = 2000;

impl Outcome {
    /// The outcome that follows from a handler's result. `random` is uniform in 0..1.
    pub fn of(result: Result<Done, HandlerError>, policy: &Policy, attempt: i32, random: f64) -> Self {
        match result {
            Ok(done) => Self::Completed { status: done.status },
            Err(HandlerError::Deferred { message, after }) => Self::Deferred {
                retry_in: after.clamp(*DEFERRED.start(), *DEFERRED.end()),
                error: shorten(message),
            },
            Err(HandlerError::Permanent { message, status }) => Self::Discarded {
                error: shorten(message),
                status,
                exhausted: false,
            },
            Err(HandlerError::Transient { message, status, .. }) if policy.is_last(attempt) => {
                Self::Discarded {
                    error: shorten(message),
                    status,
                    exhausted: true,
                }
            }
            Err(HandlerError::Transient {
                message,
                status,
                retry_after,
            }) => {
                let backoff = policy.backoff(attempt, random);
                let retry_in = retry_after.map_or(backoff, |asked| policy.heed(asked, backoff));
                Self::Failed {
                    retry_in,
                    error: shorten(message),
                    status,
                }
            }
        }
    }

    /// A failure that is not a handler's.
    pub fn retry_in(retry_in: Duration, error: &str) -> Self {
        Self::Failed {
            retry_in,
            error: error.into(),
            status: None,
        }
    }

    /// The word of the ledger.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Completed { .. } => "completed",
            Self::Failed { .. } => "failed",
            Self::Discarded { .. } => "discarded",
            Self::Deferred { .. } => "deferred",
            Self::Released => "released",
        }
    }

    /// The word that the outcome is written with: the ledger's, but `exhausted` for a last attempt.
    pub fn written(&self) -> &'static str {
        match self {
            Self::Discarded { exhausted: true, .. } => "exhausted",
            other => other.name(),
        }
    }

    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Completed { .. } | Self::Released => None,
            Self::Failed { error, .. } | Self::Discarded { error, .. } | Self::Deferred { error, .. } => {
                Some(error)
            }
        }
    }

    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Completed { status } | Self::Failed { status, .. } | Self::Discarded { status, .. } => {
                *status
            }
            Self::Deferred { .. } | Self::Released => None,
        }
    }
}

fn shorten(mut message: String) -> String {
    if message.len() > ERROR_BYTES {
        message.truncate(message.floor_char_boundary(ERROR_BYTES));
        message.push('…');
    }
    // A text of Postgres cannot hold it.
    message.replace('\0', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        max_attempts: 3,
        base: Duration::from_secs(1),
        timeout: Duration::from_secs(5),
    };

    #[test]
    fn a_transient_error_is_retried_until_the_last_attempt() {
        let fail = || Err(HandlerError::transient("down"));
        assert_eq!(Outcome::of(fail(), &POLICY, 2, 0.5).name(), "failed");
        let last = Outcome::of(fail(), &POLICY, 3, 0.5);
        assert_eq!((last.name(), last.written()), ("discarded", "exhausted"));
    }

    #[test]
    fn a_permanent_error_is_discarded_at_once() {
        let outcome = Outcome::of(Err(HandlerError::permanent("gone")), &POLICY, 1, 0.5);
        assert_eq!(
            outcome,
            Outcome::Discarded {
                error: "gone".into(),
                status: None,
                exhausted: false
            }
        );
    }

    #[test]
    fn a_deferral_is_never_the_last_attempt() {
        let after = Duration::from_secs(7);
        let deferred = Err(HandlerError::Deferred {
            message: "full".into(),
            after,
        });
        assert_eq!(
            Outcome::of(deferred, &POLICY, 3, 0.5),
            Outcome::Deferred {
                retry_in: after,
                error: "full".into()
            }
        );
    }

    #[test]
    fn a_long_error_is_cut_at_a_character() {
        let message = "é".repeat(ERROR_BYTES);
        assert!(shorten(message).len() <= ERROR_BYTES + '…'.len_utf8());
    }
}
