//! An OpenAI-compatible endpoint: sends requests through the gate and takes answers apart.

use std::sync::Arc;
use std::time::Duration;

use super::caps::PackLimits;
use super::chat::{ChatAnswer, ChatRequest};
use super::config::{ConfigError, ProviderConfig};
use super::embeddings::{EmbedRequest, Embeddings};
use super::error::ProviderError;
use super::gate::Gate;
use crate::http::Client;

pub struct Endpoint {
    name: String,
}

impl Endpoint {
    /// # Errors
    /// When the entry of the file cannot work.
    pub fn new(
        name: &str,
        _config: &ProviderConfig,
        _http: Client,
        _gate: Arc<dyn Gate>,
    ) -> Result<Self, ConfigError> {
        Ok(Self { name: name.into() })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// # Errors
    /// When neither the hook nor the file names a model.
    pub fn identity(&self, model: Option<&str>) -> Result<String, ProviderError> {
        Ok(model.unwrap_or_default().into())
    }

    pub fn pack_limits(&self, _model: Option<&str>) -> PackLimits {
        PackLimits::IN_PROCESS
    }

    /// # Errors
    /// See `Provider::embed`.
    pub async fn embed(
        &self,
        _request: &EmbedRequest<'_>,
        _deadline: Duration,
    ) -> Result<Embeddings, ProviderError> {
        Err(ProviderError::misconfigured(&self.name, "is not there yet"))
    }

    /// # Errors
    /// See `Provider::chat`.
    pub async fn chat(
        &self,
        _request: &ChatRequest<'_>,
        _deadline: Duration,
    ) -> Result<ChatAnswer, ProviderError> {
        Err(ProviderError::misconfigured(&self.name, "is not there yet"))
    }
}
