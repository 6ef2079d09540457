//! One provider of whatever kind behind one face. Decides only which kind answers.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "candle")]
use super::candle::Candle;
use super::caps::PackLimits;
use super::chat::{ChatAnswer, ChatRequest};
use super::config::{ConfigError, ProviderConfig};
use super::counter::TokenCounter;
use super::embeddings::{EmbedRequest, Embeddings};
use super::endpoint::Endpoint;
use super::error::{Advice, Class, ProviderError};
use super::gate::Gate;
use super::local;
use zerodb_hooks_http::Client;

pub enum Provider {
    /// Hashed words, in process: always there, no model, any dimensions.
    Local,
    /// A model from a directory, computed in process.
    #[cfg(feature = "candle")]
    Candle(Candle),
    Endpoint(Box<Endpoint>),
}

impl Provider {
    /// # Errors
    /// When the entry of the file cannot work.
    pub fn new(
        name: &str,
        config: &ProviderConfig,
        http: Client,
        gate: Arc<dyn Gate>,
    ) -> Result<Self, ConfigError> {
        match config {
            ProviderConfig::Local => Ok(Self::Local),
            ProviderConfig::Endpoint(config) => {
                let endpoint = Endpoint::new(name, (**config).clone(), http, gate);
                Ok(Self::Endpoint(Box::new(endpoint)))
            }
            #[cfg(feature = "candle")]
            ProviderConfig::Candle(config) => Ok(Self::Candle(Candle::new(name, config.clone()))),
            #[cfg(not(feature = "candle"))]
            ProviderConfig::Candle(_) => Err(ConfigError(format!(
                "providers.{name}: this build of the worker has no kind: candle; use another kind"
            ))),
        }
    }

    /// The name in the worker's file.
    pub fn name(&self) -> &str {
        match self {
            Self::Local => super::LOCAL,
            #[cfg(feature = "candle")]
            Self::Candle(candle) => candle.name(),
            Self::Endpoint(endpoint) => endpoint.name(),
        }
    }

    /// The name of a model as it is stored in rows, to tell whether a vector is of it: as the hook or the file names it
    /// (`bge-m3`), not the server's own; of the local provider always `lexical-v1`.
    ///
    /// # Errors
    /// `misconfigured`, when neither the hook nor the file names a model.
    pub fn identity(&self, model: Option<&str>) -> Result<String, ProviderError> {
        match self {
            Self::Local => Ok(local::MODEL.into()),
            #[cfg(feature = "candle")]
            Self::Candle(candle) => candle.identity(model),
            Self::Endpoint(endpoint) => endpoint.identity(model),
        }
    }

    /// True where `chat` can work. Where it cannot, handlers use the rules of the local provider.
    pub fn can_chat(&self) -> bool {
        matches!(self, Self::Endpoint(_))
    }

    /// The limits by which inputs are packed into requests; refusals of the endpoint lower them.
    pub fn pack_limits(&self, model: Option<&str>) -> PackLimits {
        match self {
            Self::Local => PackLimits::IN_PROCESS,
            #[cfg(feature = "candle")]
            Self::Candle(candle) => candle.pack_limits(),
            Self::Endpoint(endpoint) => endpoint.pack_limits(model),
        }
    }

    /// Counts tokens as the model does, where it is read in this process; it is opened if need be, and `pack_limits`
    /// are its own from then on.
    ///
    /// # Errors
    /// As for `embed`.
    pub async fn token_counter(&self, deadline: Duration) -> Result<Option<TokenCounter>, ProviderError> {
        match self {
            #[cfg(feature = "candle")]
            Self::Candle(candle) => candle.token_counter(deadline).await.map(Some),
            _ => {
                let _ = deadline;
                Ok(None)
            }
        }
    }

    /// Embeds within `deadline`, waiting included. Safe to cancel; what was sent may then be paid.
    ///
    /// # Errors
    /// See `Advice` for what to do.
    pub async fn embed(
        &self,
        request: &EmbedRequest<'_>,
        deadline: Duration,
    ) -> Result<Embeddings, ProviderError> {
        match self {
            Self::Local => Ok(local::embed(request).await),
            #[cfg(feature = "candle")]
            Self::Candle(candle) => candle.embed(request, deadline).await,
            Self::Endpoint(endpoint) => endpoint.embed(request, deadline).await,
        }
    }

    /// Asks a question within `deadline`, waiting included. Safe to cancel; what was sent may then be paid.
    ///
    /// # Errors
    /// See `Advice` for what to do. `unsupported` where `can_chat` is false.
    pub async fn chat(
        &self,
        request: &ChatRequest<'_>,
        deadline: Duration,
    ) -> Result<ChatAnswer, ProviderError> {
        match self {
            Self::Endpoint(endpoint) => endpoint.chat(request, deadline).await,
            _ => Err(ProviderError::new(
                self.name(),
                Class::Unsupported,
                Advice::ConfigError,
                "it has no language model and does not chat; name another provider",
            )),
        }
    }
}
