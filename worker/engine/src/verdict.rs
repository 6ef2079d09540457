//! The verdict on a delivery whose request to a model, or whose action on a table, failed. Pure.

use std::time::Duration;

use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::{HandlerError, UNTIL_CHANGED};
use zerodb_hooks_providers::{Advice, ProviderError};
use zerodb_hooks_store::StoreError;

/// Wait of deliveries for which the worker had no connection: that is not the hook's fault, and no attempt.
pub const UNTIL_BACK: Duration = Duration::from_secs(1);

/// Times that a source is read again at once when it changes while a handler works on it.
pub const ROUNDS: usize = 3;
/// Time for which it is then left alone.
pub const CHANGING: Duration = Duration::from_secs(2);

/// The verdict on a source that changed in each of the rounds; `what` says which, and while what was done.
pub fn source_changing(what: &str) -> HandlerError {
    HandlerError::Deferred {
        message: format!("source_changing: {what}"),
        after: CHANGING,
    }
}

/// The verdict on a request to a model. The text begins with the class, by which failures are counted.
pub fn of_model(error: &ProviderError) -> HandlerError {
    let message = format!("{}: {error}", error.class());
    match error.advice {
        Advice::RetryLater { after, charged: true } => HandlerError::Transient {
            message,
            status: error.status,
            retry_after: after,
        },
        Advice::RetryLater {
            after,
            charged: false,
        } => HandlerError::Deferred {
            message,
            after: after.unwrap_or(Duration::from_secs(1)),
        },
        Advice::PauseEndpoint { after } => HandlerError::Deferred { message, after },
        Advice::ConfigError => HandlerError::Deferred {
            message,
            after: UNTIL_CHANGED,
        },
        Advice::SplitBatch { .. } | Advice::ItemsAtFault => HandlerError::Permanent {
            message,
            status: error.status,
        },
    }
}

/// The verdict on a row's template. The text begins with the class.
pub fn bad_template(error: HandlerError) -> HandlerError {
    match error {
        HandlerError::Permanent { message, status } => HandlerError::Permanent {
            message: format!("bad_template: {message}"),
            status,
        },
        other => other,
    }
}

/// The verdict on an action on a table.
pub fn of_table(error: &StoreError) -> HandlerError {
    let message = format!("table: {error}");
    if let StoreError::Misfit { .. } = error {
        // Waiting would keep its event in the log for as long; what is mended can be replayed.
        HandlerError::permanent(message)
    } else if error.is_untried() {
        let after = UNTIL_BACK;
        HandlerError::Deferred { message, after }
    } else if error.is_config() {
        // Nothing is lost until somebody has changed it.
        let after = UNTIL_CHANGED;
        HandlerError::Deferred { message, after }
    } else {
        HandlerError::transient(message)
    }
}

/// Of what the extension answered to an action, where it is not of the form that this worker knows.
pub fn of_answer(_error: &serde_json::Error) -> HandlerError {
    HandlerError::transient("the extension is of another version than this worker")
}

/// The time that an attempt has for requests: its deadline, less what reading and writing may take.
pub fn time(hook: &Hook) -> Duration {
    let timeout = hook.policy.timeout;
    timeout.saturating_sub(Duration::from_secs(2)).max(timeout / 2)
}
