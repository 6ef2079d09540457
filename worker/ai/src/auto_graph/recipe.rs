//! The settings that a memory's part of the graph depends on beside its content: those of the hook, the providers, the
//! models.

use std::sync::Arc;

use super::extraction::RULES_VERSION;
use super::prompt;
use crate::asking::NamedModel;
use zerodb_hooks_contract::hooks::AutoGraph;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_providers::{Provider, Providers};

pub struct GraphRecipe {
    /// Extracts, and decides what is unclear. Where it cannot chat, rules extract and nothing is decided.
    pub provider: Arc<Provider>,
    pub model: Option<String>,
    /// The model's name in the ledger: a memory is extracted again when this is another.
    pub identity: String,
    pub embedding: Option<NameEmbedding>,
    /// False: only entities that the graph has are linked, and no new ones made.
    pub creates: bool,
    pub max_relations: usize,
}

/// The model that embeds the names of entities.
pub struct NameEmbedding {
    pub provider: Arc<Provider>,
    pub model: Option<String>,
    pub identity: String,
}

impl GraphRecipe {
    /// # Errors
    /// Deferred, where the hook names a provider or a model that the worker's file has not.
    pub fn of(hook: &Hook, providers: &Providers) -> Result<Self, HandlerError> {
        let get = |name: Option<&str>| providers.get(name).map_err(|error| verdict::of_model(&error));
        let config = hook.config::<AutoGraph>()?;
        let provider = get(config.provider.as_deref())?;
        let model = config.model.as_deref().map(str::to_owned);
        let identity = if provider.can_chat() {
            provider
                .identity(model.as_deref())
                .map_err(|error| verdict::of_model(&error))?
        } else {
            zerodb_hooks_lexical::MODEL.to_owned()
        };
        let embedder = match config.embedding_provider.as_deref() {
            Some(name) => get(Some(name))?,
            None => Arc::clone(&provider),
        };
        Ok(Self {
            embedding: NameEmbedding::of(config, embedder)?,
            provider,
            model,
            identity,
            creates: config.extract_entities,
            max_relations: config.max_relations.as_usize(),
        })
    }

    /// The model that extracts; `None` where rules do.
    pub fn chat_model(&self) -> Option<NamedModel<'_>> {
        self.provider.can_chat().then(|| NamedModel {
            provider: &self.provider,
            name: self.model.as_deref(),
            identity: &self.identity,
        })
    }

    /// The version of the rules or of the prompts; a memory that an older one read is read again.
    pub fn version(&self) -> i32 {
        if self.provider.can_chat() {
            prompt::VERSION
        } else {
            RULES_VERSION
        }
    }
}

impl NameEmbedding {
    /// `None` where names are compared by their spelling alone. An endpoint embeds only where the hook says so, because
    /// its default model may be one that chats; the local provider's vectors know no more than spelling.
    fn of(config: &AutoGraph, provider: Arc<Provider>) -> Result<Option<Self>, HandlerError> {
        let model = config.embedding_model.as_deref().map(str::to_owned);
        let is_named = model.is_some() || config.embedding_provider.is_some();
        match &*provider {
            Provider::Local => return Ok(None),
            Provider::Endpoint(_) if !is_named => return Ok(None),
            _ => {}
        }
        let identity = provider
            .identity(model.as_deref())
            .map_err(|error| verdict::of_model(&error))?;
        Ok(Some(Self {
            provider,
            model,
            identity,
        }))
    }

    pub fn named(&self) -> NamedModel<'_> {
        NamedModel {
            provider: &self.provider,
            name: self.model.as_deref(),
            identity: &self.identity,
        }
    }
}
