//! The handlers: the code that a hook names. Each file is one, with the same skeleton: its config, its `run`. A handler
//! gets a context, never the pool, and returns what happened; it writes no delivery's state.

mod auto_embed;
mod auto_graph;
mod auto_summarize;
mod call_function;
mod log;
mod plans;
mod row_key;
mod source;
mod spending;
mod template;
mod threads;
mod verdict;
mod webhook;
mod webhook_body;

pub use template::{Templates, serve as serve_templates};
pub use threads::Threads;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::delivery::Delivery;
use crate::hook::Hook;
use crate::http::Client;
use crate::outcome::{Done, HandlerError};
use crate::providers::Providers;
use crate::secret::Secrets;
use crate::store::{Backfill, Counted, Page, Store};
use crate::turns::{Shares, Turns};
use async_trait::async_trait;
use serde_json::Value;
use source::Files;

/// What a handler may use.
#[derive(Clone)]
pub struct Context {
    pub(crate) http: Client,
    pub(crate) secrets: Secrets,
    pub(crate) providers: Providers,
    pub(crate) store: Store,
    pub(crate) templates: Arc<Templates>,
}

/// The code behind a hook.
///
/// `run` is called on threads that only this handler has. It is called at least once for each delivery, on any worker, with the same `delivery.message_id` each time. It is
/// dropped at the deadline of the hook (`timeout_ms`) and when the worker's drain ends, so it must be safe to cancel at
/// any await. A panic counts as a transient error.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// # Errors
    /// `Transient` to be tried again, `Permanent` to be given up.
    async fn run(&self, context: &Context, delivery: &Delivery) -> Result<Done, HandlerError>;

    /// The most deliveries of one hook that `run_pack` takes at once; 1 for a handler that has no use for several.
    fn pack(&self, _context: &Context, _hook: &Hook) -> usize {
        1
    }

    /// Runs several deliveries of one version of one hook; called instead of `run` where `pack` is more than 1. One result for
    /// each, in their order. The deadline and a panic are those of the whole pack.
    async fn run_pack(
        &self,
        context: &Context,
        deliveries: &[Arc<Delivery>],
    ) -> Vec<Result<Done, HandlerError>> {
        let mut results = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            results.push(self.run(context, delivery).await);
        }
        results
    }

    /// How many deliveries, or packs, of one hook run at once where neither the hook nor this handler's user says; `None` for
    /// the worker's setting.
    fn concurrency_of_hook(&self) -> Option<usize> {
        None
    }

    /// The handler's work on rows that were there before the hook, where it has any.
    fn backfills(&self) -> Option<&dyn Backfills> {
        None
    }

    /// How many deliveries of this handler one worker runs at once, of all hooks together. The others wait for their
    /// turn, which is not yet an attempt.
    fn concurrency(&self) -> usize {
        usize::MAX
    }

    /// How these turns are shared out among owners and tenants. By default anybody may have all of them while nobody else waits,
    /// and then whoever holds the fewest is next.
    fn shares(&self) -> Shares {
        Shares::open(self.concurrency())
    }
}

/// Rows of a page, in the handler's own form.
pub struct Rows {
    pub rows: Value,
    /// The key of the last one; `None` when no row follows.
    pub last: Option<Value>,
}

/// Work on a whole table, page by page in the order of its key. Several pages are run at once; each may be run again, when its
/// end was not kept.
#[async_trait]
pub trait Backfills: Send + Sync {
    /// How many rows there are, and how many have a result.
    ///
    /// # Errors
    /// As for `Handler::run`; the backfill is then taken up again later, also after a permanent one.
    async fn count(
        &self,
        context: &Context,
        hook: &Hook,
        backfill: &Backfill,
    ) -> Result<Counted, HandlerError>;

    /// The rows after a key.
    ///
    /// # Errors
    /// As for `count`.
    async fn read(
        &self,
        context: &Context,
        hook: &Hook,
        backfill: &Backfill,
        after: Option<&Value>,
    ) -> Result<Rows, HandlerError>;

    /// Does the work on these rows. A row that cannot be done is one of the page's failures.
    ///
    /// # Errors
    /// When no row can be done now, as for `count`.
    async fn run(
        &self,
        context: &Context,
        hook: &Hook,
        backfill: &Backfill,
        rows: Rows,
    ) -> Result<Page, HandlerError>;
}

/// A handler with its turns.
pub struct Registered {
    pub handler: Arc<dyn Handler>,
    pub turns: Turns,
    /// `None` for the built-in ones, which never block and so run on the worker's own threads.
    pub threads: Option<Arc<Threads>>,
}

/// The handlers of a worker by name.
#[derive(Default)]
pub struct Registry {
    handlers: HashMap<String, Registered>,
    program: Option<PathBuf>,
}

impl Registry {
    /// The handlers that every worker has.
    pub fn built_in() -> Self {
        let mut registry = Self::default();
        registry.insert("auto_graph", auto_graph::AutoGraph, None);
        registry.insert("log", log::Log, None);
        registry.insert("sql", call_function::CallFunction, None);
        registry.insert("webhook", webhook::Webhook, None);
        registry.read_files(Files::new(None));
        registry
    }

    /// Lets handlers read files and render templates by children of this program, `zerodb-hooks`.
    pub fn read_files_by(&mut self, program: PathBuf) {
        self.program = Some(program.clone());
        self.read_files(Files::new(Some(program)));
    }

    /// The renderer of templates for handlers' contexts.
    pub fn templates(&self) -> Templates {
        Templates::new(self.program.clone())
    }

    fn read_files(&mut self, files: Files) {
        let files = Arc::new(files);
        let auto_embed = auto_embed::AutoEmbed::new(Arc::clone(&files));
        self.insert("auto_embed", auto_embed, None);
        self.insert("auto_summarize", auto_summarize::AutoSummarize::new(files), None);
    }

    pub fn insert(&mut self, name: &str, handler: impl Handler, threads: Option<Threads>) {
        let turns = Turns::new(handler.shares());
        self.handlers.insert(
            name.into(),
            Registered {
                handler: Arc::new(handler),
                turns,
                threads: threads.map(Arc::new),
            },
        );
    }

    pub fn get(&self, name: &str) -> Option<&Registered> {
        self.handlers.get(name)
    }
}
