//! Whether what keeps a request from being sent is worth another attempt.

use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_delivery::secret::SecretError;
use zerodb_hooks_http::HttpError;

/// A secret that is not set may be set when the worker is started again: the delivery waits for it.
pub fn secret_error(error: SecretError) -> HandlerError {
    match error {
        SecretError::NotSet { .. } => HandlerError::transient(error.to_string()),
        _ => HandlerError::permanent(error.to_string()),
    }
}

/// What the guard or the client refuses stays refused; a connection may come about later.
pub fn refused_or_transient(error: HttpError) -> HandlerError {
    match error {
        HttpError::Refused { .. } | HttpError::Invalid { .. } => HandlerError::permanent(error.to_string()),
        _ => HandlerError::transient(error.to_string()),
    }
}
