//! The handlers of a worker by name, each with its turns and threads.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::handler::{Backfills, Context, Handler};
use crate::threads::Threads;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_turns::Turns;

/// A handler with its turns.
pub struct Registered {
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) turns: Turns,
    /// `None` for the built-in ones, which never block and so run on the worker's own threads.
    pub(crate) threads: Option<Threads>,
}

impl Registered {
    /// A handler with as many turns as it says, on these threads or on the worker's own.
    pub fn new(handler: impl Handler, threads: Option<Threads>) -> Self {
        Self {
            turns: Turns::new(handler.shares()),
            handler: Arc::new(handler),
            threads,
        }
    }
}

/// Stands for a handler that this worker lacks.
struct Missing;

#[async_trait]
impl Handler for Missing {
    async fn run(&self, _context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        let name = delivery.hook.handler();
        Err(HandlerError::transient(format!(
            "this worker has no handler named {name}"
        )))
    }

    fn concurrency(&self) -> usize {
        1
    }
}

/// The handlers of a worker by name.
#[derive(Default)]
pub struct Registry(HashMap<String, Arc<Registered>>);

impl Registry {
    /// Adds a handler, or puts it in the place of the one with its name.
    pub fn insert(&mut self, name: &str, handler: Registered) {
        self.0.insert(name.into(), Arc::new(handler));
    }

    /// Whether a handler with this name is here.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The work on whole tables of the handler with this name; `None` when it has none, or is not here.
    pub(crate) fn backfills(&self, name: &str) -> Option<&dyn Backfills> {
        self.0.get(name)?.handler.backfills()
    }

    /// The handler with this name, or one that fails: another worker may have it.
    pub(crate) fn get_or_missing(&self, name: &str) -> Arc<Registered> {
        match self.0.get(name) {
            Some(registered) => Arc::clone(registered),
            None => Arc::new(Registered::new(Missing, None)),
        }
    }
}
