//! The models that handlers use, by the names of the worker's file: OpenAI-compatible endpoints, model directories read
//! in process, and the built-in `local` one. Owns the protocol, its errors, limits and pauses. It knows no hook, no
//! delivery and no database, and keeps no text.

mod address;
mod breaker;
#[cfg(feature = "candle")]
mod candle;
pub mod caps;
pub mod chat;
mod circuit;
mod coding;
mod completion;
pub mod config;
mod counter;
mod dialect;
pub mod embeddings;
pub mod endpoint;
pub mod error;
mod fit;
pub mod gate;
mod json_mend;
mod json_text;
mod limit;
mod local;
mod provider;
pub mod rate;
mod refusal;
mod reported;
pub mod schema;
pub mod usage;
mod vectors;
mod wait;
mod wrapping;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use breaker::{Breaker, Passed};
pub use caps::{Cap, Learned, PackLimits};
pub use chat::{ChatAnswer, ChatRequest, Finish};
pub use config::{Config, ConfigError};
pub use counter::TokenCounter;
pub use embeddings::{EmbedRequest, Embeddings};
pub use endpoint::Endpoint;
pub use error::{Advice, Class, ProviderError};
pub use gate::{Entered, Gate, LocalGate, RateLimits, Wait, WaitReason};
pub use provider::Provider;
pub use schema::Schema;
pub use usage::{Usage, estimate_tokens};

use zerodb_hooks_contract::HookConfig;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_http::Client;

/// The name of the provider that is always there.
pub const LOCAL: &str = "local";

/// The longest deadline that is counted: a clock cannot count to the end of any that a hook may have.
const LONGEST_DEADLINE: Duration = Duration::from_secs(24 * 3600);

/// All providers of a worker. Cheap to clone; what one clone learns of an endpoint, all know.
#[derive(Clone)]
pub struct Providers {
    by_name: Arc<BTreeMap<String, Arc<Provider>>>,
    default: Arc<str>,
}

impl Providers {
    /// Contacts nobody and opens no model.
    ///
    /// # Errors
    /// When an entry of the file cannot work.
    pub fn new(config: &Config, http: &Client, gate: &Arc<dyn Gate>) -> Result<Self, ConfigError> {
        let mut by_name = BTreeMap::new();
        for (name, entry) in &config.providers {
            let provider = Provider::new(name, entry, http.clone(), Arc::clone(gate))?;
            by_name.insert(name.clone(), Arc::new(provider));
        }
        by_name
            .entry(LOCAL.to_owned())
            .or_insert_with(|| Arc::new(Provider::Local));
        Ok(Self {
            by_name: Arc::new(by_name),
            default: config.default_provider.as_str().into(),
        })
    }

    /// The provider that a hook names, or the default one.
    ///
    /// # Errors
    /// `misconfigured`, when the file has none of that name; the message has those that it has.
    pub fn get(&self, name: Option<&str>) -> Result<Arc<Provider>, ProviderError> {
        let name = name.unwrap_or(&self.default);
        self.by_name.get(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
            let message = format!(
                "no provider of this name in the worker's file; it has {}",
                known.join(", ")
            );
            ProviderError::misconfigured(name, message)
        })
    }

    /// The model that a hook names and does not get, because it names no provider and the default one is the local one,
    /// which knows no models.
    pub fn replaces<'a>(&self, hook: &'a Hook) -> Option<&'a str> {
        let (provider, model) = match &hook.settings.as_ref().ok()?.config {
            HookConfig::AutoEmbed(embed) => (&embed.provider, &embed.model),
            HookConfig::AutoSummarize(it) if it.model.is_none() => (&it.provider, &it.map_model),
            HookConfig::AutoSummarize(summarize) => (&summarize.provider, &summarize.model),
            HookConfig::AutoGraph(it) if it.model.is_none() && it.embedding_provider.is_none() => {
                (&it.provider, &it.embedding_model)
            }
            HookConfig::AutoGraph(graph) => (&graph.provider, &graph.model),
            _ => return None,
        };
        if provider.is_some() || &*self.default != LOCAL {
            return None;
        }
        model.as_deref().filter(|model| *model != local::MODEL)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.by_name.values()
    }
}
