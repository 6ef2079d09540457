//! One question to an endpoint until it is answered or refused: through the door, over the wire, and what follows from the
//! answer for the endpoint itself.

use std::time::{Duration, SystemTime};

use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::time::Instant;

use super::answer::{ANSWER_BYTES, decompressed, has_error, request_id};
use super::door::Turn;
use super::{Endpoint, Model};
use crate::LONGEST_DEADLINE;
use crate::address::Operation;
use crate::coding::CodingError;
use crate::error::{Advice, Class, Fault, ProviderError};
use crate::gate::Wait;
use crate::refusal::{self, Asked, Parameter, Refusal};
use crate::usage::Usage;
use zerodb_hooks_delivery::hook::Principal;
use zerodb_hooks_http::{HttpError, Question, Reply};

/// What a call waits in all for limits and pauses; longer waits are the caller's, which keeps nothing leased meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);
/// Questions that are asked again at once after a short wait that the server named.
const REPEATS: u32 = 3;
/// A deadline that is shorter says nothing about the endpoint.
const FAIR_TIME: Duration = Duration::from_secs(1);

/// An answer that was taken.
pub struct Answered<T> {
    pub taken: T,
    pub request_id: Option<String>,
}

/// A question that was not answered.
pub struct Refused {
    pub error: ProviderError,
    /// The parameter that it is about.
    pub about: Option<Parameter>,
    /// It may be about the form of the question as well as about what was asked.
    pub vague: bool,
}

pub struct Call<'a> {
    endpoint: &'a Endpoint,
    who: Principal,
    operation: Operation,
    model: &'a Model,
    until: Instant,
    patience: Duration,
}

impl<'a> Call<'a> {
    /// `who` asks, or an operator.
    pub fn new(
        endpoint: &'a Endpoint,
        who: Option<&Principal>,
        operation: Operation,
        model: &'a Model,
        deadline: Duration,
    ) -> Self {
        Self {
            endpoint,
            who: who.cloned().unwrap_or_default(),
            operation,
            model,
            until: Instant::now() + deadline.min(LONGEST_DEADLINE),
            patience: PATIENCE,
        }
    }

    /// As the server calls the model.
    pub fn model_name(&self) -> &'a str {
        &self.model.real
    }

    /// Sends `body` and reads the answer with `read`; again, where the server asks for a short wait.
    pub async fn ask<T>(
        &mut self,
        body: &str,
        asked: &Asked,
        read: impl Fn(&[u8]) -> Result<T, Fault>,
    ) -> Result<Answered<T>, Refused> {
        let mut repeats = 0;
        loop {
            let refused = match self.once(body, asked, &read).await {
                Ok(answered) => return Ok(answered),
                Err(refused) => refused,
            };
            repeats += 1;
            match refused.error.advice {
                // The pause is at the gate, where the next turn waits for it.
                Advice::RetryLater {
                    after: Some(after), ..
                } if refused.error.class == Class::RateLimited
                    && refused.error.status.is_some()
                    && repeats <= REPEATS
                    && after <= self.patience
                    && after < self.left() => {}
                _ => return Err(refused),
            }
        }
    }

    async fn once<T>(
        &mut self,
        body: &str,
        asked: &Asked,
        read: &impl Fn(&[u8]) -> Result<T, Fault>,
    ) -> Result<Answered<T>, Refused> {
        let tokens = u32::try_from(asked.tokens).unwrap_or(u32::MAX);
        let endpoint = self.endpoint;
        let turn = endpoint
            .door
            .enter(&self.who, tokens, self.until, &mut self.patience)
            .await
            .map_err(|wait| self.kept_waiting(wait))?;
        let timeout = endpoint.config.timeout.min(self.left());
        let mut reply = match endpoint.http.exchange(self.question(body, timeout)).await {
            Ok(reply) => reply,
            Err(error) => return Err(self.unanswered(turn, &error, asked, timeout).await),
        };
        match decompressed(&reply).await {
            Ok(body) => reply.body = body,
            // Of a refusal the status says enough.
            Err(_) if !(200..300).contains(&reply.status) => {}
            Err(error) => return Err(self.not_decompressed(turn, &reply, &error, asked).await),
        }
        if !(200..300).contains(&reply.status) {
            return Err(self.refused(turn, &reply, asked).await);
        }
        match read(&reply.body) {
            Ok(taken) => {
                turn.succeeded();
                endpoint.door.tell_closed().await;
                Ok(Answered {
                    taken,
                    request_id: request_id(&reply),
                })
            }
            Err(_) if has_error(&reply) => Err(self.refused(turn, &reply, asked).await),
            Err(fault) => Err(self.not_taken(turn, &reply, fault).await),
        }
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    fn question(&self, body: &str, timeout: Duration) -> Question {
        let config = &self.endpoint.config;
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
            // Without it a server may compress; some do all the same.
            ("accept-encoding".to_owned(), "identity".to_owned()),
        ];
        if let Some(key) = &config.api_key {
            let key = key.expose_secret();
            headers.push(if config.azure {
                ("api-key".into(), key.into())
            } else {
                ("authorization".into(), format!("Bearer {key}"))
            });
        }
        let own = config.headers.iter();
        headers.extend(own.map(|(name, value)| (name.clone(), value.expose_secret().to_owned())));
        Question {
            url: config.address.of(self.operation, &self.model.real),
            headers,
            body: body.to_owned(),
            timeout,
            most: ANSWER_BYTES,
        }
    }

    fn error(&self, class: Class, advice: Advice, message: impl Into<String>) -> ProviderError {
        ProviderError::new(&self.endpoint.name, class, advice, message)
    }

    /// The door stayed closed: nothing was sent.
    fn kept_waiting(&self, wait: Wait) -> Refused {
        let known = Class::of_name(&wait.reason);
        let class = known.unwrap_or(Class::RateLimited);
        let why = known.map_or_else(|| wait.reason.to_string(), |known| known.sentence().to_string());
        let after = (!wait.after.is_zero()).then_some(wait.after);
        let advice = match (class, after) {
            (Class::Unauthorized | Class::QuotaExhausted, Some(after)) => Advice::PauseEndpoint {
                after,
                reason: class.name(),
            },
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
    async fn unanswered(
        &self,
        turn: Turn<'_>,
        error: &HttpError,
        asked: &Asked,
        timeout: Duration,
    ) -> Refused {
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
            Class::Timeout if timeout < FAIR_TIME => drop(turn),
            Class::Timeout | Class::Unreachable => self.failed(turn, &error.to_string()).await,
            Class::Misconfigured => drop(turn),
            _ => turn.answered(),
        }
        unnamed(self.error(class, advice, error.to_string()))
    }

    /// The server refused, with its status or in the body of a success.
    async fn refused(&self, turn: Turn<'_>, reply: &Reply, asked: &Asked) -> Refused {
        let mut refusal = refusal::classify(reply, asked, SystemTime::now());
        self.note(turn, &mut refusal).await;
        let mut error = self.error(refusal.class, refusal.advice, message(&refusal, reply.status));
        error.status = Some(reply.status);
        error.request_id = request_id(reply).map(Into::into);
        Refused {
            error,
            about: refusal.about,
            vague: refusal.vague,
        }
    }

    /// Draws the conclusions for the endpoint: pauses, circuit, sizes.
    async fn note(&self, turn: Turn<'_>, refusal: &mut Refusal) {
        let (door, model) = (&self.endpoint.door, &self.model.real);
        if let Some(learned) = refusal.learned {
            self.endpoint.memory.learn(model, learned);
            self.endpoint
                .gate
                .learned(&self.endpoint.name, model, learned)
                .await;
        }
        match (refusal.class, refusal.advice) {
            (Class::RateLimited, Advice::RetryLater { after, charged }) => {
                let throttle = turn.throttled();
                let after = after.unwrap_or(throttle);
                refusal.advice = Advice::RetryLater {
                    after: Some(after),
                    charged,
                };
                door.throttle(after, self.operation.name()).await;
            }
            (class, Advice::PauseEndpoint { after, reason }) => {
                turn.answered();
                tracing::warn!(provider = %self.endpoint.name, class = class.name(), pause_s = after.as_secs(), "{}", class.sentence());
                door.pause(after, reason).await;
            }
            (_, Advice::RetryLater { after, charged: true }) => {
                self.failed(turn, refusal.class.sentence()).await;
                if let Some(after) = after {
                    door.pause(after, refusal.class.name()).await;
                }
            }
            _ => turn.answered(),
        }
    }

    /// The body of a success is not what it should be.
    async fn not_taken(&self, turn: Turn<'_>, reply: &Reply, fault: Fault) -> Refused {
        if fault.class == Class::NotJson {
            self.failed(turn, &fault.message).await;
        } else {
            turn.answered();
        }
        let mut error = self.error(fault.class, fault.advice, fault.message);
        error.status = Some(reply.status);
        error.request_id = request_id(reply).map(Into::into);
        error.usage = serde_json::from_slice::<Value>(&reply.body)
            .ok()
            .and_then(|body| Usage::reported(&body["usage"]));
        unnamed(error)
    }

    /// The body of a success is compressed, and not so that it can be read.
    async fn not_decompressed(
        &self,
        turn: Turn<'_>,
        reply: &Reply,
        error: &CodingError,
        asked: &Asked,
    ) -> Refused {
        match error {
            CodingError::TooLarge { most } => {
                let error = HttpError::TooLarge { most: *most };
                self.unanswered(turn, &error, asked, FAIR_TIME).await
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
                self.not_taken(turn, reply, fault).await
            }
        }
    }

    /// A failure of the endpoint, which may open its circuit for all workers.
    async fn failed(&self, turn: Turn<'_>, error: &str) {
        if let Some(open) = turn.failed() {
            tracing::warn!(
                provider = %self.endpoint.name,
                pause_s = open.pause.as_secs(),
                "the server failed several times in a row and is left alone"
            );
            self.endpoint.door.open(open, error).await;
        }
    }
}

fn unnamed(error: ProviderError) -> Refused {
    Refused {
        error,
        about: None,
        vague: false,
    }
}

/// What happened, the status, and the server's own word where it is one of the protocol.
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
