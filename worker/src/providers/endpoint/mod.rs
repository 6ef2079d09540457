//! An OpenAI-compatible endpoint: asks in the form that its server is known to understand, and in a plainer one where that
//! is refused.

mod call;
mod door;
mod memory;

use std::sync::Arc;
use std::time::Duration;

use super::address::Operation;
use super::caps::PackLimits;
use super::chat::{self, ChatAnswer, ChatRequest};
use super::config::EndpointConfig;
use super::dialect::Dialect;
use super::embeddings::{self, EmbedRequest, Embeddings};
use super::error::{Class, ProviderError};
use super::gate::Gate;
use super::refusal::{Asked, Parameter};
use super::usage::{Usage, estimate_tokens};
use crate::http::Client;
use call::{Answered, Call, Refused};
use door::Door;
use memory::Memory;

pub struct Endpoint {
    name: String,
    config: EndpointConfig,
    http: Client,
    gate: Arc<dyn Gate>,
    door: Door,
    memory: Memory,
}

/// A model by both of its names.
struct Model {
    /// As the hook or the file calls it.
    identity: String,
    /// As the server does.
    real: String,
}

impl Endpoint {
    pub fn new(name: &str, config: EndpointConfig, http: Client, gate: Arc<dyn Gate>) -> Self {
        if config.api_key.is_some() && config.address.is_plain() {
            tracing::warn!(provider = %name, "its key goes over http, readable on the way: use https");
        }
        Self {
            name: name.into(),
            door: Door::new(name, config.rates, config.concurrency, Arc::clone(&gate)),
            memory: Memory::new(config.encoding),
            config,
            http,
            gate,
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// # Errors
    /// When neither the hook nor the file names a model.
    pub fn identity(&self, model: Option<&str>) -> Result<String, ProviderError> {
        self.model(model).map(|model| model.identity)
    }

    /// Of the file or the kind of server, and not more than it has taken.
    pub fn pack_limits(&self, model: Option<&str>) -> PackLimits {
        match self.model(model) {
            Ok(model) => self.memory.lowered(&model.real, self.config.pack),
            Err(_) => self.config.pack,
        }
    }

    fn model(&self, named: Option<&str>) -> Result<Model, ProviderError> {
        let Some(identity) = named.or(self.config.model.as_deref()) else {
            return Err(ProviderError::misconfigured(
                &self.name,
                "no model is named; write model into the provider's entry of the worker's file, or into the hook's config",
            ));
        };
        let real = self.config.models.get(identity);
        Ok(Model {
            identity: identity.to_owned(),
            real: real.map_or(identity, String::as_str).to_owned(),
        })
    }

    /// # Errors
    /// See `Provider::embed`.
    pub async fn embed(
        &self,
        request: &EmbedRequest<'_>,
        deadline: Duration,
    ) -> Result<Embeddings, ProviderError> {
        let model = self.model(request.model)?;
        let (inputs, dimensions) = (request.inputs, request.dimensions.or(self.config.dimensions));
        self.recall(&model).await;
        let estimated = embeddings::tokens(inputs);
        let mut call = Call::new(self, Operation::Embeddings, &model, deadline);
        let mut dialect = self.memory.dialect(&model.real);
        loop {
            let body = embeddings::body(&model.real, inputs, dimensions, dialect);
            let asked = Asked {
                inputs: inputs.len(),
                tokens: usize::try_from(estimated).unwrap_or(usize::MAX),
                parameters: embeddings::parameters(dimensions, dialect),
            };
            let read = |body: &[u8]| embeddings::read(body, inputs.len(), dimensions);
            match call.ask(&body, &asked, read).await {
                Ok(Answered { taken, request_id }) => {
                    self.memory.update(&model.real, |known| known.embedded(dialect));
                    let (vectors, usage) = taken;
                    let usage = usage.unwrap_or(estimate(estimated, 0));
                    self.settle(estimated, usage).await;
                    return Ok(Embeddings {
                        vectors,
                        usage,
                        model: model.identity,
                        request_id,
                    });
                }
                Err(refused) => match self.plainer(&model, dialect, &refused, Dialect::guess_embedding) {
                    Some(next) => dialect = next,
                    None => return Err(refused.error),
                },
            }
        }
    }

    /// # Errors
    /// See `Provider::chat`.
    pub async fn chat(
        &self,
        request: &ChatRequest<'_>,
        deadline: Duration,
    ) -> Result<ChatAnswer, ProviderError> {
        let model = self.model(request.model)?;
        let estimated = chat::tokens(request);
        let mut call = Call::new(self, Operation::Chat, &model, deadline);
        let mut dialect = self.memory.dialect(&model.real);
        let mut spent = Usage::default();
        loop {
            let body = chat::body(&model.real, request, dialect);
            let asked = Asked {
                inputs: 1,
                tokens: usize::try_from(estimated).unwrap_or(usize::MAX),
                parameters: chat::parameters(request, dialect),
            };
            let read = |body: &[u8]| chat::read(body, request.schema);
            match call.ask(&body, &asked, read).await {
                Ok(Answered { taken, request_id }) => {
                    self.memory.update(&model.real, |known| {
                        known.chatted(dialect, request.schema.is_some())
                    });
                    let prompt =
                        estimate_tokens(request.system).saturating_add(estimate_tokens(request.user));
                    let usage = taken
                        .usage
                        .unwrap_or(estimate(prompt, estimate_tokens(&taken.text)));
                    self.settle(estimated, usage).await;
                    return Ok(ChatAnswer {
                        text: taken.text,
                        json: taken.json,
                        usage: spent.plus(usage),
                        finish: taken.finish,
                        model: model.identity,
                        request_id,
                    });
                }
                Err(mut refused) => {
                    spent = spent.plus(refused.error.usage.unwrap_or_default());
                    let guess = match (request.schema, refused.error.class) {
                        (Some(_), Class::InvalidJson) => dialect.tell_schema(),
                        _ => self.plainer(&model, dialect, &refused, |dialect| {
                            request.schema.and_then(|_| dialect.guess_json())
                        }),
                    };
                    match guess {
                        Some(next) => dialect = next,
                        None => {
                            refused.error.usage = (spent != Usage::default()).then_some(spent);
                            return Err(refused.error);
                        }
                    }
                }
            }
        }
    }

    /// The form in which to ask again: without what the server named, which is remembered at once, or by a guess, which
    /// is remembered when it works.
    fn plainer(
        &self,
        model: &Model,
        tried: Dialect,
        refused: &Refused,
        guess: impl Fn(Dialect) -> Option<Dialect>,
    ) -> Option<Dialect> {
        let named: Option<Parameter> = refused.about;
        match named {
            Some(parameter) => {
                let next = tried.without(parameter)?;
                self.memory.exchange(&model.real, tried, next);
                Some(next)
            }
            None if refused.is_vague() => guess(tried),
            None => None,
        }
    }

    /// Asks once what other workers have learned of a model.
    async fn recall(&self, model: &Model) {
        if self.memory.is_new(&model.real) {
            for learned in self.gate.known(&self.name, &model.real).await {
                self.memory.learn(&model.real, learned);
            }
        }
    }

    async fn settle(&self, estimated: u64, usage: Usage) {
        if !usage.estimated {
            let used = usage.prompt_tokens.saturating_add(usage.completion_tokens);
            let estimated = u32::try_from(estimated).unwrap_or(u32::MAX);
            self.door.settle(estimated, used).await;
        }
    }
}

fn estimate(prompt_tokens: u64, completion_tokens: u64) -> Usage {
    Usage {
        prompt_tokens,
        completion_tokens,
        estimated: true,
    }
}

#[cfg(test)]
mod tests;
