//! The worker of zerodb_hooks: what happens to an event after the commit.
//!
//! This crate puts the rooms together that lie beside it, and is what programs with handlers of their own depend on. An
//! event travels down this list: [`store`] reads the log and keeps deliveries; [`engine`] decides when to look, runs
//! what was claimed and gives back leases; the handlers (`handlers/`, `ai/`) do the work and return an outcome;
//! [`providers`] ask models and `http/` carries requests. [`delivery`] has the words they share: values without I/O.
//! [`contract`] has the types of hooks and their configs; a handler of one's own has its keys by
//! `delivery.hook.config::<contract::hooks::Function>()?.own`.
//!
//! ```no_run
//! use async_trait::async_trait;
//! use zerodb_hooks_worker::{Context, Delivery, Done, Handler, HandlerError, Worker};
//!
//! struct Count;
//!
//! #[async_trait]
//! impl Handler for Count {
//!     async fn run(&self, _context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
//!         println!("{} fired for {}", delivery.hook.name, delivery.event.id);
//!         Ok(Done::default())
//!     }
//! }
//!
//! # async fn example() -> Result<(), zerodb_hooks_worker::WorkerError> {
//! // SELECT zerodb.create_hook('order.created', 'count', hook_type => 'function');
//! Worker::builder("postgres://localhost/app").handler("count", Count).build()?.run().await
//! # }
//! ```

mod built_in;
pub mod memory;
mod observed;
pub mod telemetry;

pub use observed::ObservedWorker;
pub use zerodb_hooks_cli as cli;
pub use zerodb_hooks_contract as contract;
pub use zerodb_hooks_delivery as delivery;
pub use zerodb_hooks_delivery::{Delivery, Done, Event, EventData, HandlerError, Hook, Unreadable};
pub use zerodb_hooks_engine as engine;
pub use zerodb_hooks_engine::{Context, Handler, Settings, WorkerBuilder, WorkerError};
pub use zerodb_hooks_hook_file as hook_file;
pub use zerodb_hooks_http_server as http_server;
pub use zerodb_hooks_measure as measure;
pub use zerodb_hooks_metrics as metrics;
pub use zerodb_hooks_providers as providers;
pub use zerodb_hooks_queries as queries;
pub use zerodb_hooks_rendering::serve as serve_templates;
pub use zerodb_hooks_spans::{Spans, Tracer};
pub use zerodb_hooks_store as store;

/// The way to a worker that has the built-in handlers.
pub enum Worker {}

impl Worker {
    /// A worker of the database at this URL. Secrets come from the environment until others are given.
    pub fn builder(url: &str) -> WorkerBuilder {
        WorkerBuilder::new(url, built_in::registry)
    }
}
