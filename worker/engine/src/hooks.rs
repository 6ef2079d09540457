//! The hooks this worker has met, each at the version that the database last named, with their handlers and their
//! share of this worker's concurrency.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::capacity::Capacity;
use crate::handler::Context;
use crate::registry::{Registered, Registry};
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_metrics::HookMeter;
use zerodb_hooks_store::StoreError;

/// Hooks kept before all are forgotten; each is loaded again when it is next met.
const KEPT: usize = 100_000;

/// A hook at one version, ready to be run.
pub struct LoadedHook {
    pub hook: Arc<Hook>,
    pub registered: Arc<Registered>,
    /// A permit for each of its deliveries, or packs, that may run at once.
    pub permits: Arc<Semaphore>,
    pub meter: Arc<HookMeter>,
}

impl LoadedHook {
    /// The same hook with a deadline that others can wait for.
    pub fn hurried(&self) -> Arc<Self> {
        Arc::new(Self {
            hook: Arc::new(self.hook.within_default_timeout()),
            registered: Arc::clone(&self.registered),
            permits: Arc::clone(&self.permits),
            meter: Arc::clone(&self.meter),
        })
    }

    /// The most deliveries that the handler takes in one call.
    pub fn pack_size(&self, context: &Context) -> usize {
        self.registered.handler.pack(context, &self.hook).max(1)
    }
}

/// The cache of hooks. Tells `Capacity` for whom each one works.
pub struct Hooks {
    loaded: HashMap<Uuid, Arc<LoadedHook>>,
    context: Arc<Context>,
    registry: Arc<Registry>,
    capacity: Arc<Capacity>,
    /// Deliveries of one hook that run at once, where nobody says otherwise.
    concurrency: usize,
}

impl Hooks {
    pub fn new(
        context: Arc<Context>,
        registry: Arc<Registry>,
        capacity: Arc<Capacity>,
        concurrency: usize,
    ) -> Self {
        Self {
            loaded: HashMap::new(),
            context,
            registry,
            capacity,
            concurrency: concurrency.max(1),
        }
    }

    /// The hook at `version` or newer; `None` when it was deleted.
    ///
    /// # Errors
    /// Those of loading it, where this version is not known yet.
    pub async fn get(&mut self, id: Uuid, version: i64) -> Result<Option<Arc<LoadedHook>>, StoreError> {
        if let Some(loaded) = self.loaded.get(&id)
            && loaded.hook.version == version
        {
            return Ok(Some(Arc::clone(loaded)));
        }
        let store = &self.context.store;
        let Some(hook) = store.bounded(store.load_hook(id)).await? else {
            self.loaded.remove(&id);
            return Ok(None);
        };
        if self.loaded.len() >= KEPT {
            self.loaded.clear();
        }
        self.capacity.belong(id, hook.party());
        if let Some(model) = self.context.providers.replaces(&hook) {
            tracing::warn!(
                hook = %hook.name,
                model,
                "no provider is configured for the hook's model: the built-in local one serves it, \
                 by hashed words and rules"
            );
        }
        let loaded = Arc::new(self.with_handler(hook));
        self.loaded.insert(id, Arc::clone(&loaded));
        Ok(Some(loaded))
    }

    fn with_handler(&self, hook: Hook) -> LoadedHook {
        let registered = self.registry.get_or_missing(hook.handler());
        let permits = hook
            .concurrency()
            .or_else(|| registered.handler.concurrency_of_hook())
            .unwrap_or(self.concurrency)
            .clamp(1, Semaphore::MAX_PERMITS);
        let handler = Some(hook.handler()).filter(|name| self.registry.has(name));
        let meter = self.context.meters.of_hook(hook.user_id, &hook.name, handler);
        LoadedHook {
            meter: Arc::new(meter),
            hook: Arc::new(hook),
            registered,
            permits: Arc::new(Semaphore::new(permits)),
        }
    }
}
