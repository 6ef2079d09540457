//! What a hook asks for, and the providers that do it.

use std::sync::Arc;

use uuid::Uuid;

use zerodb_hooks_delivery::hook::{Hook, Principal};
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_providers::{Provider, Providers};

/// Relations of a memory where the hook does not say.
const RELATIONS: usize = 30;

pub struct Config {
    /// Who asks the models.
    pub who: Principal,
    /// Extracts, and decides what is unclear; where it cannot chat, rules do the first and nobody the second.
    pub provider: Arc<Provider>,
    pub model: Option<String>,
    /// As it stands in the ledger: a memory is extracted again when this is another.
    pub identity: String,
    pub embedding: Option<Embedding>,
    /// False: only entities that the graph has are linked, and no new ones made.
    pub creates: bool,
    pub max_relations: usize,
}

/// Where the names of entities are embedded.
pub struct Embedding {
    pub provider: Arc<Provider>,
    pub model: Option<String>,
    pub identity: String,
}

impl Config {
    /// # Errors
    /// Deferred, where the hook names a provider or a model that the worker's file has not.
    pub fn of(hook: &Hook, tenant: Option<Uuid>, providers: &Providers) -> Result<Self, HandlerError> {
        let get = |name: Option<&str>| providers.get(name).map_err(|error| verdict::of_model(&error));
        let provider = get(hook.text("provider"))?;
        let model = hook.text("model").map(str::to_owned);
        let identity = if provider.can_chat() {
            provider
                .identity(model.as_deref())
                .map_err(|error| verdict::of_model(&error))?
        } else {
            zerodb_hooks_lexical::MODEL.to_owned()
        };
        let embedder = match hook.text("embedding_provider") {
            Some(name) => get(Some(name))?,
            None => Arc::clone(&provider),
        };
        let most = hook
            .number("max_relations")
            .and_then(|most| usize::try_from(most).ok());
        Ok(Self {
            who: hook.principal(tenant),
            embedding: Embedding::of(hook, embedder)?,
            provider,
            model,
            identity,
            creates: hook.config.get("extract_entities") != Some(&false.into()),
            max_relations: most.unwrap_or(RELATIONS),
        })
    }
}

impl Embedding {
    /// `None` where names are compared by their spelling alone. An endpoint embeds only where the hook says so, because its default
    /// model may be one that chats; the local provider's vectors know no more than spelling.
    fn of(hook: &Hook, provider: Arc<Provider>) -> Result<Option<Self>, HandlerError> {
        let model = hook.text("embedding_model").map(str::to_owned);
        let is_named = model.is_some() || hook.text("embedding_provider").is_some();
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
}
