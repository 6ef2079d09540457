//! Classifies refusals: from status, headers and body to a class and an advice. Pure; the order of the rules is the
//! contract, because servers send what is permanent behind a 5xx and what is transient behind a 200.

use std::time::{Duration, SystemTime};

use super::caps::{Cap, Learned};
use super::error::{Advice, Class};
use super::limit::{self, Limit};
use super::reported::Reported;
use super::wait;
use zerodb_hooks_http::Answer;

/// The pause of an endpoint that refuses the key: an operator has to act, and one request a minute shows when.
const UNAUTHORIZED_PAUSE: Duration = Duration::from_secs(60);
/// The pause of an endpoint whose account has no credit.
const QUOTA_PAUSE: Duration = Duration::from_secs(600);

/// A parameter that some servers refuse and that a request can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Parameter {
    EncodingFormat,
    Dimensions,
    ResponseFormat,
    MaxTokens,
    Temperature,
}

impl Parameter {
    /// The name in the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Self::EncodingFormat => "encoding_format",
            Self::Dimensions => "dimensions",
            Self::ResponseFormat => "response_format",
            Self::MaxTokens => "max_tokens",
            Self::Temperature => "temperature",
        }
    }
}

/// The parts of the request that decide what a refusal means.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Inputs of the request; 1 for a chat.
    pub inputs: usize,
    /// Their tokens, estimated.
    pub tokens: usize,
    /// The parameters that were sent.
    pub parameters: Vec<Parameter>,
}

/// The meaning of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub class: Class,
    pub advice: Advice,
    /// A cap that it taught.
    pub learned: Option<Learned>,
    /// The parameter that it is about.
    pub about: Option<Parameter>,
    /// It names neither a parameter nor the inputs: either may be the reason, or the form of the request.
    pub vague: bool,
    /// The server's own word for it, where it may be shown.
    pub code: Option<String>,
}

/// Classifies an answer that is no success: another status than 200, or an error in the body of a 200.
pub fn classify(answer: &Answer, asked: &Asked, now: SystemTime) -> Refusal {
    let reported = Reported::read(&answer.body);
    let status = match (answer.status, reported.status) {
        (200..=299, Some(inner)) => inner,
        (status, _) => status,
    };
    let evidence = Evidence {
        status,
        wait: wait::asked(answer, &reported.message, now),
        reported: &reported,
        asked,
    };
    let mut refusal = evidence
        .too_large()
        .or_else(|| evidence.access())
        .or_else(|| evidence.content())
        .or_else(|| evidence.model())
        .or_else(|| evidence.parameter())
        .unwrap_or_else(|| evidence.by_status());
    refusal.code = reported.shown_code().map(str::to_owned);
    refusal
}

fn refusal(class: Class, advice: Advice) -> Refusal {
    Refusal {
        class,
        advice,
        learned: None,
        about: None,
        vague: false,
        code: None,
    }
}

struct Evidence<'a> {
    status: u16,
    wait: Option<Duration>,
    reported: &'a Reported,
    asked: &'a Asked,
}

impl Evidence<'_> {
    /// A batch or an input that is too large, whatever the status: llama.cpp says it with 500, OpenAI's token limits
    /// with 429.
    fn too_large(&self) -> Option<Refusal> {
        let limit = limit::read(self.reported, self.asked.inputs);
        match limit {
            Some(Limit::Input(tokens)) => Some(self.too_long(tokens)),
            Some(Limit::Inputs(most)) => Some(self.batch(Cap::Inputs, most, self.asked.inputs)),
            Some(Limit::Tokens(most)) => Some(self.batch(Cap::Tokens, most, self.asked.tokens)),
            // By the bytes of the body.
            None if self.status == 413 => Some(self.batch(Cap::Tokens, None, self.asked.tokens)),
            None => None,
        }
    }

    fn too_long(&self, tokens: Option<usize>) -> Refusal {
        Refusal {
            learned: tokens.map(|value| Learned {
                cap: Cap::InputTokens,
                value,
            }),
            ..refusal(Class::InputTooLong, Advice::ItemsAtFault)
        }
    }

    /// `most` as the server names it, else half of what was `sent`. An input that is alone cannot be split: it is too
    /// long.
    fn batch(&self, cap: Cap, most: Option<usize>, sent: usize) -> Refusal {
        if self.asked.inputs <= 1 {
            return self.too_long(None);
        }
        let value = most.unwrap_or(sent / 2).max(1);
        let most = match cap {
            Cap::Inputs => Some(value),
            _ => None,
        };
        Refusal {
            learned: Some(Learned { cap, value }),
            ..refusal(Class::BatchTooLarge, Advice::SplitBatch { most })
        }
    }

    /// Keys, accounts and rates.
    fn access(&self) -> Option<Refusal> {
        let pause = |class: Class, after| refusal(class, Advice::PauseEndpoint { after });
        match self.status {
            401 => Some(pause(Class::Unauthorized, UNAUTHORIZED_PAUSE)),
            403 if !self.is_moderation() => Some(pause(Class::Unauthorized, UNAUTHORIZED_PAUSE)),
            402 => Some(pause(Class::QuotaExhausted, QUOTA_PAUSE)),
            429 if self.is_quota() => Some(pause(Class::QuotaExhausted, QUOTA_PAUSE)),
            429 => Some(refusal(
                Class::RateLimited,
                Advice::RetryLater {
                    after: self.wait,
                    charged: false,
                },
            )),
            _ => None,
        }
    }

    /// Gemini says the same words of a rate that passes, and then names the wait.
    fn is_quota(&self) -> bool {
        const CODES: &[&str] = &[
            "insufficient_quota",
            "billing_hard_limit_reached",
            "credit_balance_too_low",
        ];
        const WORDS: &[&str] = &[
            "current quota",
            "insufficient credit",
            "insufficient balance",
            "credit balance",
        ];
        self.reported.has_code(CODES) || (self.wait.is_none() && self.reported.mentions(WORDS))
    }

    fn is_moderation(&self) -> bool {
        const CODES: &[&str] = &[
            "content_filter",
            "content_policy_violation",
            "responsibleaipolicyviolation",
        ];
        const WORDS: &[&str] = &[
            "content management policy",
            "content policy",
            "moderation",
            "content_filter",
        ];
        self.reported.has_code(CODES) || self.reported.mentions(WORDS)
    }

    fn content(&self) -> Option<Refusal> {
        let refused = (400..500).contains(&self.status) && self.is_moderation();
        refused.then(|| refusal(Class::ContentFiltered, Advice::ItemsAtFault))
    }

    /// A model that is not there, or that does something else.
    fn model(&self) -> Option<Refusal> {
        const CODES: &[&str] = &[
            "model_not_found",
            "deploymentnotfound",
            "invalid_model",
            "unknown_model",
        ];
        const ABSENT: &[&str] = &[
            "not found",
            "not exist",
            "invalid model",
            "unknown model",
            "no such model",
            "not available",
        ];
        const OTHER: &[&str] = &[
            "not an embedding model",
            "not support embeddings",
            "does not support chat",
            "not a chat model",
        ];
        let missing = self.reported.mentions(&["model", "deployment"]) && self.reported.mentions(ABSENT);
        let refused = matches!(self.status, 400 | 404 | 422 | 424 | 501);
        if self.reported.has_code(CODES) || (refused && missing) {
            return Some(refusal(Class::ModelNotFound, Advice::ConfigError));
        }
        (self.status >= 400 && self.reported.mentions(OTHER))
            .then(|| refusal(Class::Misconfigured, Advice::ConfigError))
    }

    /// A parameter that was sent and is named.
    fn parameter(&self) -> Option<Refusal> {
        if !matches!(self.status, 400 | 422 | 501) {
            return None;
        }
        let about = self
            .asked
            .parameters
            .iter()
            .copied()
            .find(|parameter| self.is_about(*parameter))?;
        Some(Refusal {
            about: Some(about),
            ..refusal(Class::BadRequest, Advice::ConfigError)
        })
    }

    fn is_about(&self, parameter: Parameter) -> bool {
        let words: &[&str] = match parameter {
            Parameter::EncodingFormat => &["encoding_format", "encoding format", "base64"],
            Parameter::Dimensions => &["dimension", "matryoshka"],
            Parameter::ResponseFormat => &[
                "response_format",
                "json_schema",
                "json_object",
                "structured output",
                "grammar",
            ],
            Parameter::MaxTokens => &["max_tokens", "max_completion_tokens"],
            Parameter::Temperature => &["temperature"],
        };
        words.iter().any(|word| self.reported.parameter.contains(word)) || self.reported.mentions(words)
    }

    fn by_status(&self) -> Refusal {
        let retry = Advice::RetryLater {
            after: self.wait,
            charged: true,
        };
        match self.status {
            408 | 504 => refusal(Class::Timeout, retry),
            409 | 424 | 425 | 500.. => Refusal {
                vague: matches!(self.status, 500 | 501),
                ..refusal(Class::ServerError, retry)
            },
            404 | 405 | 410 => refusal(Class::NotFound, Advice::ConfigError),
            400 | 422 => self.bad_request(),
            200..=299 if self.reported.html => refusal(Class::NotJson, retry),
            200..=299 => refusal(Class::ServerError, retry),
            300..=399 => refusal(Class::Redirected, Advice::ConfigError),
            _ => refusal(Class::BadRequest, Advice::ConfigError),
        }
    }

    /// A parameter by name is the hook's or the file's. The rest is taken to be about the inputs, which a request with
    /// half of them shows.
    fn bad_request(&self) -> Refusal {
        const INPUTS: &[&str] = &["input", "messages", "prompt"];
        // What pydantic says of any parameter.
        const ANY: &[&str] = &["input should", "extra inputs"];
        let parameter = &self.reported.parameter;
        let by_parameter = INPUTS.iter().any(|word| parameter.contains(word));
        let by_message = self.reported.mentions(INPUTS) && !self.reported.mentions(ANY);
        let advice = if parameter.is_empty() || by_parameter {
            Advice::ItemsAtFault
        } else {
            Advice::ConfigError
        };
        Refusal {
            vague: parameter.is_empty() && !by_message,
            ..refusal(Class::BadRequest, advice)
        }
    }
}

#[cfg(test)]
#[path = "refusal_tests.rs"]
mod tests;
