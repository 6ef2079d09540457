//! The worker of zerodb_hooks: what happens to an event after the commit.
//!
//! An event travels down this list. [`store`] reads the log and keeps deliveries; [`engine`] decides when to look, runs
//! what was claimed and gives back leases; [`handlers`] do the work and return an outcome; [`http`] carries requests.
//! [`event`], [`event_data`], [`hook`], [`delivery`], [`outcome`], [`retry`] and [`secret`] are the words they share: values without I/O.
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

pub mod cli;
pub mod delivery;
pub mod engine;
pub mod event;
pub mod event_data;
pub mod handlers;
pub mod hook;
pub mod http;
pub mod memory;
pub mod outcome;
pub mod providers;
pub mod retry;
pub mod secret;
pub mod store;
pub mod telemetry;
pub mod turns;

pub use delivery::Delivery;
pub use engine::{Settings, Worker, WorkerBuilder, WorkerError};
pub use event::Event;
pub use event_data::{EventData, Unreadable};
pub use handlers::{Context, Handler};
pub use hook::Hook;
pub use outcome::{Done, HandlerError};
