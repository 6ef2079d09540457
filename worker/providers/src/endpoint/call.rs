//! One question to an endpoint until it is answered or refused: through the entrance, over the wire, and again after a
//! short wait that the server names.

use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::answer::{ANSWER_BYTES, decompressed, has_error, request_id};
use super::{Endpoint, EndpointModel};
use crate::LONGEST_DEADLINE;
use crate::address::Operation;
use crate::error::{Advice, Class, Fault, ProviderError};
use crate::refusal::{Asked, Parameter};
use zerodb_hooks_delivery::hook::Principal;
use zerodb_hooks_http::{Method, Read, Request, UrlSource};
use zerodb_hooks_spans::{Kind, begin};

/// The time that a call waits in all for limits and pauses; longer waits are the caller's, which keeps nothing leased
/// meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a question is asked again after a short wait that the server named.
const REPEATS: u32 = 3;

/// An answer that was taken.
pub struct CallAnswer<T> {
    pub taken: T,
    pub request_id: Option<String>,
}

/// The reason why a question was not answered.
pub struct CallError {
    pub error: ProviderError,
    /// The parameter that it is about.
    pub about: Option<Parameter>,
    /// It may be about the form of the question as well as about what was asked.
    pub vague: bool,
}

pub struct Call<'a> {
    pub(super) endpoint: &'a Endpoint,
    who: Principal,
    pub(super) operation: Operation,
    pub(super) model: &'a EndpointModel,
    until: Instant,
    patience: Duration,
}

impl<'a> Call<'a> {
    /// `who` asks, or an operator.
    pub fn new(
        endpoint: &'a Endpoint,
        who: Option<&Principal>,
        operation: Operation,
        model: &'a EndpointModel,
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

    /// The server's name of the model.
    pub fn model_name(&self) -> &'a str {
        &self.model.real
    }

    /// Sends `body` and reads the answer with `read`; again, where the server asks for a short wait. A span of the
    /// attempt, waits for limits and all.
    pub async fn ask<T>(
        &mut self,
        body: &str,
        asked: &Asked,
        read: impl Fn(&[u8]) -> Result<T, Fault>,
    ) -> Result<CallAnswer<T>, CallError> {
        let (operation, model) = (self.operation.name(), &self.model.real);
        let Some(mut part) = begin(Kind::Client, || format!("{operation} {model}")) else {
            return self.repeatedly(body, asked, read).await;
        };
        part.set("gen_ai.operation.name", operation);
        part.set("gen_ai.provider.name", self.endpoint.name.as_str());
        part.set("gen_ai.request.model", model.as_str());
        let result = part.scope(self.repeatedly(body, asked, read)).await;
        part.end(
            result
                .as_ref()
                .err()
                .map(|refused| refused.error.class.name().to_owned()),
        );
        result
    }

    async fn repeatedly<T>(
        &mut self,
        body: &str,
        asked: &Asked,
        read: impl Fn(&[u8]) -> Result<T, Fault>,
    ) -> Result<CallAnswer<T>, CallError> {
        let mut repeats = 0;
        loop {
            let refused = match self.once(body, asked, &read).await {
                Ok(answered) => return Ok(answered),
                Err(refused) => refused,
            };
            repeats += 1;
            match refused.error.advice {
                // The pause is at the gate, where the next request waits for it.
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
    ) -> Result<CallAnswer<T>, CallError> {
        let tokens = u32::try_from(asked.tokens).unwrap_or(u32::MAX);
        let endpoint = self.endpoint;
        let request = endpoint
            .entrance
            .enter(&self.who, tokens, self.until, &mut self.patience)
            .await
            .map_err(|wait| self.kept_waiting(&wait))?;
        let timeout = endpoint.config.timeout.min(self.left());
        let mut answer = match endpoint.http.send(self.request(body, timeout)).await {
            Ok(answer) => answer,
            Err(error) => return Err(self.unanswered(request, &error, asked, timeout).await),
        };
        match decompressed(&answer).await {
            Ok(body) => answer.body = body,
            // Of a refusal the status says enough.
            Err(_) if !(200..300).contains(&answer.status) => {}
            Err(error) => return Err(self.not_decompressed(request, &answer, &error, asked).await),
        }
        if !(200..300).contains(&answer.status) {
            return Err(self.refused(request, &answer, asked).await);
        }
        match read(&answer.body) {
            Ok(taken) => {
                request.succeeded().await;
                Ok(CallAnswer {
                    taken,
                    request_id: request_id(&answer),
                })
            }
            Err(_) if has_error(&answer) => Err(self.refused(request, &answer, asked).await),
            Err(fault) => Err(self.not_taken(request, &answer, fault).await),
        }
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    fn request(&self, body: &str, timeout: Duration) -> Request {
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
        Request {
            url: config.address.of(self.operation, &self.model.real),
            url_source: UrlSource::WorkerFile,
            method: Method::Post,
            headers,
            body: body.as_bytes().to_vec(),
            timeout,
            read: Read::Body { most: ANSWER_BYTES },
        }
    }
}
