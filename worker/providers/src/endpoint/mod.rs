//! An OpenAI-compatible endpoint: its parts, its models, and what it remembers of its server.

mod answer;
mod call;
mod chatting;
mod door;
mod embedding;
mod memory;

use std::sync::Arc;

use super::caps::PackLimits;
use super::config::EndpointConfig;
use super::dialect::Dialect;
use super::error::ProviderError;
use super::gate::Gate;
use super::refusal::Parameter;
use super::usage::Usage;
use door::Door;
use memory::Memory;
use zerodb_hooks_http::Client;

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

    /// The form in which to ask again after a refusal that names a parameter; it is remembered at once.
    fn without(&self, model: &Model, tried: Dialect, parameter: Parameter) -> Option<Dialect> {
        let next = tried.without(parameter)?;
        self.memory.exchange(&model.real, tried, next);
        Some(next)
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
