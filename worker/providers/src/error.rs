//! The errors of models, by classes whose names are stable, and the advice that follows from each. A message is made
//! here or from numbers and codes: it holds no key, no input and no text of an answer.

use std::time::Duration;

use super::usage::Usage;

/// The kind of a failure. Its name is shown in the ledger and in the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Too many requests or tokens in a time; passes by itself.
    RateLimited,
    /// The account has no credit left; somebody must act.
    QuotaExhausted,
    /// The key is missing, wrong or not allowed to.
    Unauthorized,
    ModelNotFound,
    /// Nothing answers for the operation under this URL.
    NotFound,
    /// The server sends the request to another address; redirects are not followed, because a key would go with them.
    Redirected,
    /// The server refused the request for a reason that it does not share with the other classes.
    BadRequest,
    /// One input has more tokens than the model takes.
    InputTooLong,
    /// Too many inputs, tokens or bytes in one request.
    BatchTooLarge,
    ContentFiltered,
    /// The model declined to answer.
    Refused,
    /// The answer ended at the limit of its tokens.
    Truncated,
    /// The answer is complete and empty.
    EmptyAnswer,
    /// The model's text is not JSON, or not of the schema.
    InvalidJson,
    /// The server's answer itself is not what the protocol says: HTML, half a body, other JSON.
    NotJson,
    WrongCount,
    WrongDimensions,
    /// NaN, infinite, or a vector of length zero.
    BadNumbers,
    Timeout,
    Unreachable,
    ServerError,
    /// The endpoint failed several times in a row and is left alone for a while.
    CircuitOpen,
    BudgetExceeded,
    /// The worker's file or the hook names something that cannot work.
    Misconfigured,
    /// The provider does not do this at all: the local one does not chat.
    Unsupported,
}

const NAMES: &[(Class, &str)] = &[
    (Class::RateLimited, "rate_limited"),
    (Class::QuotaExhausted, "quota_exhausted"),
    (Class::Unauthorized, "unauthorized"),
    (Class::ModelNotFound, "model_not_found"),
    (Class::NotFound, "not_found"),
    (Class::Redirected, "redirected"),
    (Class::BadRequest, "bad_request"),
    (Class::InputTooLong, "input_too_long"),
    (Class::BatchTooLarge, "batch_too_large"),
    (Class::ContentFiltered, "content_filtered"),
    (Class::Refused, "refused"),
    (Class::Truncated, "truncated"),
    (Class::EmptyAnswer, "empty_answer"),
    (Class::InvalidJson, "invalid_json"),
    (Class::NotJson, "not_json"),
    (Class::WrongCount, "wrong_count"),
    (Class::WrongDimensions, "wrong_dimensions"),
    (Class::BadNumbers, "bad_numbers"),
    (Class::Timeout, "timeout"),
    (Class::Unreachable, "unreachable"),
    (Class::ServerError, "server_error"),
    (Class::CircuitOpen, "circuit_open"),
    (Class::BudgetExceeded, "budget_exceeded"),
    (Class::Misconfigured, "misconfigured"),
    (Class::Unsupported, "unsupported"),
];

impl Class {
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(class, _)| *class == self)
            .map_or("unknown", |(_, name)| name)
    }

    /// A sentence that says what happened and what to do.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::RateLimited => "the server's rate limit is reached",
            Self::QuotaExhausted => "the account has no credit left; add some at the provider",
            Self::Unauthorized => "the server refused the key; check the secret that api_key names",
            Self::ModelNotFound => "the server does not have this model; check model and models",
            Self::NotFound => "nothing answers there; check url, which usually ends in /v1",
            Self::Redirected => {
                "the server sends the request elsewhere, and redirects are not followed; write the final address into \
                 url, often it has https or another path"
            }
            Self::BadRequest => "the server refused the request",
            Self::InputTooLong => "an input has more tokens than the model takes",
            Self::BatchTooLarge => "the request is too large for the server",
            Self::ContentFiltered => "the server's content filter refused the request",
            Self::NotJson => "the answer is not of the protocol; check url",
            Self::Timeout => "no answer in time",
            Self::Unreachable => "the server cannot be reached",
            Self::ServerError => "the server failed",
            Self::CircuitOpen => "the server failed several times in a row and is left alone for a while",
            Self::BudgetExceeded => "the budget is used up",
            Self::Misconfigured => "the server does not do this with the model; check model",
            _ => "the request failed",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(class, _)| *class)
    }
}

/// The advice for the items of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Try again, after the time that the server named if it did. `charged`: it counts as an attempt of the delivery;
    /// a limit that was only met too early does not.
    RetryLater { after: Option<Duration>, charged: bool },
    /// Nothing will work at this endpoint for that long: give the items back, not charged, and tell an operator. The
    /// endpoint has been paused in the `Gate` already.
    PauseEndpoint { after: Duration },
    /// No item is at fault: send fewer in a request, at most `most` inputs where that is known. What was learned is in
    /// `pack_limits` already.
    SplitBatch { most: Option<usize> },
    /// One of the items cannot be served: with several, halve the request to find it; alone, give it up.
    ItemsAtFault,
    /// The hook or the worker's file must be changed; no item is at fault and no retry helps.
    ConfigError,
}

/// A request to a model failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{provider}: {message}")]
pub struct ProviderError {
    pub class: Class,
    /// The provider's name in the worker's file.
    pub provider: Box<str>,
    pub message: String,
    pub advice: Advice,
    /// The status of the HTTP answer, where there was one.
    pub status: Option<u16>,
    /// The server's own name of the request, for its support.
    pub request_id: Option<Box<str>>,
    /// The tokens that were paid although it failed, such as for a truncated answer.
    pub usage: Option<Usage>,
}

impl ProviderError {
    pub fn new(provider: &str, class: Class, advice: Advice, message: impl Into<String>) -> Self {
        Self {
            class,
            provider: provider.into(),
            message: message.into(),
            advice,
            status: None,
            request_id: None,
            usage: None,
        }
    }

    /// Something in the file or the hook that must be changed.
    pub fn misconfigured(provider: &str, message: impl Into<String>) -> Self {
        Self::new(provider, Class::Misconfigured, Advice::ConfigError, message)
    }

    /// The stable name of the kind of failure.
    pub fn class(&self) -> &'static str {
        self.class.name()
    }
}

/// The reason why the body of a success is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub class: Class,
    pub advice: Advice,
    pub message: String,
}

/// A fault with the advice that is usual for such a body.
pub(super) fn fault<T>(class: Class, message: impl Into<String>) -> Result<T, Fault> {
    let advice = match class {
        // What was asked of it will be answered so again; a part of it may not.
        Class::WrongCount
        | Class::BadNumbers
        | Class::Truncated
        | Class::Refused
        | Class::ContentFiltered => Advice::ItemsAtFault,
        Class::WrongDimensions => Advice::ConfigError,
        _ => Advice::RetryLater {
            after: None,
            charged: true,
        },
    };
    Err(Fault {
        class,
        advice,
        message: message.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_one_name_and_is_found_by_it() {
        for (class, name) in NAMES {
            assert_eq!(class.name(), *name);
            assert_eq!(Class::of_name(name), Some(*class));
        }
    }
}
