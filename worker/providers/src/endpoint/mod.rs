//! An OpenAI-compatible endpoint: its parts and its models.

mod answer;
mod call;
mod chatting;
mod embedding;
mod entrance;
mod failing;
mod learned_models;

use std::sync::Arc;

use super::caps::PackLimits;
use super::config::EndpointConfig;
use super::dialect::Dialect;
use super::error::ProviderError;
use super::gate::Gate;
use super::refusal::Parameter;
use super::usage::Usage;
use entrance::Entrance;
use learned_models::LearnedModels;
use zerodb_hooks_http::Client;

pub struct Endpoint {
    name: String,
    config: EndpointConfig,
    http: Client,
    gate: Arc<dyn Gate>,
    entrance: Entrance,
    models: LearnedModels,
}

/// A model by both of its names.
struct EndpointModel {
    /// The name in the hook or the file.
    identity: String,
    /// The server's name.
    real: String,
}

impl Endpoint {
    pub fn new(name: &str, config: EndpointConfig, http: Client, gate: Arc<dyn Gate>) -> Self {
        if config.api_key.is_some() && config.address.is_plain() {
            tracing::warn!(provider = %name, "its key goes over http, readable on the way: use https");
        }
        Self {
            name: name.into(),
            entrance: Entrance::new(name, config.rates, config.concurrency, Arc::clone(&gate)),
            models: LearnedModels::new(config.encoding),
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

    /// The limits of the file or of the kind of server, lowered by what refusals taught.
    pub fn pack_limits(&self, model: Option<&str>) -> PackLimits {
        match self.model(model) {
            Ok(model) => self.models.lowered(&model.real, self.config.pack),
            Err(_) => self.config.pack,
        }
    }

    fn model(&self, named: Option<&str>) -> Result<EndpointModel, ProviderError> {
        let Some(identity) = named.or(self.config.model.as_deref()) else {
            return Err(ProviderError::misconfigured(
                &self.name,
                "no model is named; write model into the provider's entry of the worker's file, or into the hook's config",
            ));
        };
        let real = self.config.models.get(identity);
        Ok(EndpointModel {
            identity: identity.to_owned(),
            real: real.map_or(identity, String::as_str).to_owned(),
        })
    }

    /// The form in which to ask again after a refusal that names a parameter; it is remembered at once.
    fn without(&self, model: &EndpointModel, tried: Dialect, parameter: Parameter) -> Option<Dialect> {
        let next = tried.without(parameter)?;
        self.models.replace(&model.real, tried, next);
        Some(next)
    }

    /// Asks the gate, once for each model, for the sizes that other workers learned.
    async fn recall(&self, model: &EndpointModel) {
        if self.models.is_new(&model.real) {
            for learned in self.gate.known(&self.name, &model.real).await {
                self.models.learn(&model.real, learned);
            }
        }
    }

    async fn settle(&self, estimated: u64, usage: Usage) {
        if !usage.estimated {
            let used = usage.prompt_tokens.saturating_add(usage.completion_tokens);
            let estimated = u32::try_from(estimated).unwrap_or(u32::MAX);
            self.entrance.settle(estimated, used).await;
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
