//! The consequences of a question that was not answered: the error for the caller, and the pauses, the circuit and the
//! sizes of the endpoint.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::answer::request_id;
use super::call::{Call, CallError};
use super::entrance::InFlight;
use crate::coding::CodingError;
use crate::error::{Advice, Class, Fault, ProviderError};
use crate::gate::{Wait, WaitReason};
use crate::refusal::{self, Asked, Refusal};
use crate::usage::Usage;
use zerodb_hooks_http::{Answer, HttpError};

/// A deadline that is shorter says nothing about the endpoint.
const FAIR_TIME: Duration = Duration::from_secs(1);

impl Call<'_> {
    fn error(&self, class: Class, advice: Advice, message: impl Into<String>) -> ProviderError {
        ProviderError::new(&self.endpoint.name, class, advice, message)
    }

    /// The entrance stayed closed: nothing was sent.
    pub(super) fn kept_waiting(&self, wait: &Wait) -> CallError {
        let (class, why) = match &wait.reason {
            WaitReason::Class(class) => (*class, class.sentence()),
            WaitReason::Unknown(name) => (Class::RateLimited, name.as_str()),
        };
        let after = (!wait.after.is_zero()).then_some(wait.after);
        let advice = match (class, after) {
            (Class::Unauthorized | Class::QuotaExhausted, Some(after)) => Advice::PauseEndpoint { after },
            _ => Advice::RetryLater {
                after,
                charged: false,
            },
        };
        let message = match after {
            Some(after) => format!("waits {:.1} s: {why}", after.as_secs_f64()),
            None => "no turn within the deadline: all of `concurrency` were taken".into(),
        };
        unnamed(self.error(class, advice, message))
    }

    /// No whole answer came.
    pub(super) async fn unanswered(
        &self,
        request: InFlight<'_>,
        error: &HttpError,
        asked: &Asked,
        timeout: Duration,
    ) -> CallError {
        let again = Advice::RetryLater {
            after: None,
            charged: true,
        };
        let (class, advice) = match error {
            HttpError::Timeout { .. } => (Class::Timeout, again),
            HttpError::Connect { .. } | HttpError::Broken { .. } => (Class::Unreachable, again),
            HttpError::TooLarge { .. } if asked.inputs > 1 => {
                (Class::BatchTooLarge, Advice::SplitBatch { most: None })
            }
            HttpError::TooLarge { .. } => (Class::NotJson, Advice::ItemsAtFault),
            HttpError::Refused { .. } | HttpError::Invalid { .. } => {
                (Class::Misconfigured, Advice::ConfigError)
            }
        };
        match class {
            Class::Timeout if timeout < FAIR_TIME => drop(request),
            Class::Timeout | Class::Unreachable => self.failed(request, &error.to_string()).await,
            Class::Misconfigured => drop(request),
            _ => request.answered().await,
        }
        unnamed(self.error(class, advice, error.to_string()))
    }

    /// The server refused, with its status or in the body of a success.
    pub(super) async fn refused(&self, request: InFlight<'_>, answer: &Answer, asked: &Asked) -> CallError {
        let mut refusal = refusal::classify(answer, asked, SystemTime::now());
        self.note(request, &mut refusal).await;
        let mut error = self.error(refusal.class, refusal.advice, message(&refusal, answer.status));
        error.status = Some(answer.status);
        error.request_id = request_id(answer).map(Into::into);
        CallError {
            error,
            about: refusal.about,
            vague: refusal.vague,
        }
    }

    /// Draws the conclusions for the endpoint: pauses, circuit, sizes.
    async fn note(&self, request: InFlight<'_>, refusal: &mut Refusal) {
        let (entrance, model) = (&self.endpoint.entrance, &self.model.real);
        if let Some(learned) = refusal.learned {
            self.endpoint.models.learn(model, learned);
            self.endpoint
                .gate
                .learned(&self.endpoint.name, model, learned)
                .await;
        }
        match (refusal.class, refusal.advice) {
            (Class::RateLimited, Advice::RetryLater { after, charged }) => {
                let after = request.throttled(after, self.operation.name()).await;
                refusal.advice = Advice::RetryLater {
                    after: Some(after),
                    charged,
                };
            }
            (class, Advice::PauseEndpoint { after }) => {
                request.answered().await;
                let (provider, pause_s) = (&self.endpoint.name, after.as_secs());
                tracing::warn!(%provider, class = class.name(), pause_s, "{}", class.sentence());
                entrance.pause(after, class).await;
            }
            (_, Advice::RetryLater { after, charged: true }) => {
                self.failed(request, refusal.class.sentence()).await;
                if let Some(after) = after {
                    entrance.pause(after, refusal.class).await;
                }
            }
            _ => request.answered().await,
        }
    }

    /// The body of a success is not what it should be.
    pub(super) async fn not_taken(&self, request: InFlight<'_>, answer: &Answer, fault: Fault) -> CallError {
        if fault.class == Class::NotJson {
            self.failed(request, &fault.message).await;
        } else {
            request.answered().await;
        }
        let mut error = self.error(fault.class, fault.advice, fault.message);
        error.status = Some(answer.status);
        error.request_id = request_id(answer).map(Into::into);
        error.usage = serde_json::from_slice::<Value>(&answer.body)
            .ok()
            .and_then(|body| Usage::reported(&body["usage"]));
        unnamed(error)
    }

    /// The body of a success is compressed, and not so that it can be read.
    pub(super) async fn not_decompressed(
        &self,
        request: InFlight<'_>,
        answer: &Answer,
        error: &CodingError,
        asked: &Asked,
    ) -> CallError {
        match error {
            CodingError::TooLarge { most } => {
                let error = HttpError::TooLarge { most: *most };
                self.unanswered(request, &error, asked, FAIR_TIME).await
            }
            _ => {
                let fault = Fault {
                    class: Class::NotJson,
                    advice: Advice::RetryLater {
                        after: None,
                        charged: true,
                    },
                    message: error.to_string(),
                };
                self.not_taken(request, answer, fault).await
            }
        }
    }

    /// A failure of the endpoint, which may open its circuit for all workers.
    async fn failed(&self, request: InFlight<'_>, error: &str) {
        if let Some(pause) = request.failed(error).await {
            tracing::warn!(
                provider = %self.endpoint.name,
                pause_s = pause.as_secs(),
                "the server failed several times in a row and is left alone"
            );
        }
    }
}

fn unnamed(error: ProviderError) -> CallError {
    CallError {
        error,
        about: None,
        vague: false,
    }
}

/// The message: what happened, the status, and the server's own word where it is one of the protocol.
fn message(refusal: &Refusal, status: u16) -> String {
    let what = match refusal.about {
        Some(parameter) => format!("the server refused {}", parameter.name()),
        None => refusal.class.sentence().to_owned(),
    };
    match &refusal.code {
        Some(code) => format!("{what} ({status}, {code})"),
        None => format!("{what} ({status})"),
    }
}
