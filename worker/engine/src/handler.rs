//! The face of a handler towards the engine. It must not name one: whoever builds the worker brings them.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_delivery::secret::Secrets;
use zerodb_hooks_http::Client;
use zerodb_hooks_metrics::Meters;
use zerodb_hooks_providers::{Gate, Providers};
use zerodb_hooks_rendering::Templates;
use zerodb_hooks_spans::Tracer;
use zerodb_hooks_store::{Backfill, Counted, Page, Store};
use zerodb_hooks_turns::Shares;

/// The means that a handler is given.
#[derive(Clone)]
pub struct Context {
    #[doc(hidden)]
    pub http: Client,
    #[doc(hidden)]
    pub secrets: Secrets,
    #[doc(hidden)]
    pub providers: Providers,
    #[doc(hidden)]
    pub store: Store,
    /// What all workers share about endpoints.
    #[doc(hidden)]
    pub gate: Arc<dyn Gate>,
    #[doc(hidden)]
    pub templates: Arc<Templates>,
    #[doc(hidden)]
    pub meters: Arc<Meters>,
    pub tracer: Option<Tracer>,
}

/// The code behind a hook.
///
/// `run` is called at least once for each delivery, on any worker, with the same `delivery.message_id` each time: on
/// threads of its own where the handler was given some, as `WorkerBuilder::handler` does, else on the worker's, which
/// it must not block. It is dropped at the deadline of the hook (`timeout_ms`) and when the worker's drain ends, so
/// it must be safe to cancel at any await. A panic counts as a transient error.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// # Errors
    /// `Transient` to be tried again, `Permanent` to be given up.
    async fn run(&self, context: &Context, delivery: &Delivery) -> Result<Done, HandlerError>;

    /// The most deliveries of one hook that `run_pack` takes at once; 1 for a handler that has no use for several.
    fn pack(&self, _context: &Context, _hook: &Hook) -> usize {
        1
    }

    /// Runs several deliveries of one version of one hook; called instead of `run` where `pack` is more than 1. One
    /// result for each, in their order. The deadline and a panic are those of the whole pack.
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

    /// The most deliveries, or packs, of one hook that run at once where the hook's config does not say; `None` for
    /// the worker's setting.
    fn concurrency_of_hook(&self) -> Option<usize> {
        None
    }

    /// The handler's work on rows that were there before the hook, where it has any.
    fn backfills(&self) -> Option<&dyn Backfills> {
        None
    }

    /// The most deliveries of this handler that one worker runs at once, of all hooks together. The others wait for
    /// their turn, which is not yet an attempt.
    fn concurrency(&self) -> usize {
        usize::MAX
    }

    /// The shares of owners and tenants in these turns. By default anybody may have all of them while nobody else
    /// waits, and then whoever holds the fewest is next.
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

/// Work on a whole table, page by page in the order of its key. Several pages are run at once; each may be run again,
/// when its end was not kept.
#[async_trait]
pub trait Backfills: Send + Sync {
    /// Counts the rows, and those that have a result.
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
