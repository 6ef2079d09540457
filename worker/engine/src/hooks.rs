//! The hooks this worker has met, each at the version that the database last named. Says for whom each one works.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use uuid::Uuid;

use super::runner::Shared;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_store::StoreError;

/// A hook with its share of this worker's concurrency.
#[derive(Clone)]
pub struct Known {
    pub hook: Arc<Hook>,
    pub running: Arc<Semaphore>,
}

impl Known {
    /// The same for a delivery that others wait for.
    pub fn hurried(self) -> Self {
        Self {
            hook: Arc::new(self.hook.within_default_timeout()),
            ..self
        }
    }
}

pub struct Hooks {
    known: HashMap<Uuid, Known>,
    concurrency: usize,
}

/// Hooks kept before all are forgotten; each is loaded again when it is next met.
const KEPT: usize = 100_000;

impl Hooks {
    pub fn new(concurrency: usize) -> Self {
        Self {
            known: HashMap::new(),
            concurrency: concurrency.max(1),
        }
    }

    /// The hook at `version` or newer; `None` when it was deleted.
    pub async fn get(
        &mut self,
        shared: &Shared,
        id: Uuid,
        version: i64,
    ) -> Result<Option<Known>, StoreError> {
        if let Some(known) = self.known.get(&id)
            && known.hook.version == version
        {
            return Ok(Some(known.clone()));
        }
        let store = &shared.store;
        let Some(hook) = store.bounded(store.load_hook(id)).await? else {
            self.known.remove(&id);
            return Ok(None);
        };
        if self.known.len() >= KEPT {
            self.known.clear();
        }
        shared.slots.belong(id, hook.party());
        if let Some(model) = shared.context.providers.replaces(&hook) {
            tracing::warn!(
                hook = %hook.name,
                model,
                "no provider is configured for the hook's model: the built-in local one serves it, by hashed words and rules"
            );
        }
        let permits = hook
            .number("concurrency")
            .and_then(|own| usize::try_from(own).ok())
            .or_else(|| shared.registry.get(hook.handler())?.handler.concurrency_of_hook());
        let running = Arc::new(Semaphore::new(
            permits
                .unwrap_or(self.concurrency)
                .clamp(1, Semaphore::MAX_PERMITS),
        ));
        let known = Known {
            hook: Arc::new(hook),
            running,
        };
        self.known.insert(id, known.clone());
        Ok(Some(known))
    }
}
