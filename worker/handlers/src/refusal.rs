//! Whether what keeps a request from being sent is worth another attempt, and as what it is counted.

use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_delivery::secret::SecretError;
use zerodb_hooks_http::{HttpError, Unreachable};
use zerodb_hooks_metrics::WebhookResult;

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

/// As what a request without an answer is counted.
pub fn result_of(error: &HttpError) -> WebhookResult {
    match error {
        HttpError::Timeout { .. } => WebhookResult::Timeout,
        HttpError::Connect { cause } => of_connecting(*cause),
        HttpError::Broken { .. } | HttpError::TooLarge { .. } => WebhookResult::Broken,
        HttpError::Refused { .. } => WebhookResult::Blocked,
        HttpError::Invalid { .. } => WebhookResult::Invalid,
    }
}

fn of_connecting(cause: Unreachable) -> WebhookResult {
    match cause {
        Unreachable::NoHost => WebhookResult::Dns,
        Unreachable::NotPublic => WebhookResult::Blocked,
        Unreachable::ConnectTimeout => WebhookResult::Timeout,
        Unreachable::Untrusted
        | Unreachable::Expired
        | Unreachable::WrongName
        | Unreachable::Revoked
        | Unreachable::BadCertificate
        | Unreachable::NoTls
        | Unreachable::WantsCertificate
        | Unreachable::TlsRefused => WebhookResult::Tls,
        Unreachable::Refused
        | Unreachable::NoRoute
        | Unreachable::Forbidden
        | Unreachable::CutOff
        | Unreachable::Other => WebhookResult::Connect,
    }
}
