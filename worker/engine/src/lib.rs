//! Running deliveries: the worker as a library. `WorkerBuilder` collects what it needs, `Worker::run` lives until the
//! database says that this worker does not fit it, `Worker::run_until` until told to stop.
//!
//! A delivery is `Claimed` (`dispatcher`), becomes a `Job` (`starter`), waits for its permit (`singles`, or
//! `packing`), is run (`executor`), and leaves as an `EndedAttempt` (`completer`).

mod attempt;
mod attempt_span;
mod backfill;
mod builder;
mod capacity;
mod claiming;
mod completer;
mod coverage;
mod deadline;
mod deferrals;
mod dispatcher;
mod error;
mod executor;
mod handler;
mod handler_call;
mod health;
mod heartbeat;
mod holdings;
mod hooks;
mod job;
mod judge;
mod lease;
mod maintenance;
mod outage;
mod pacing;
mod packing;
mod parking;
mod permit;
mod prepare;
mod readiness;
mod registry;
mod runner;
mod sampling;
mod settings;
mod signals;
mod singles;
mod source;
mod starter;
mod step;
mod streaks;
mod suspects;
mod threads;
pub mod verdict;
mod wake_ups;
mod worker_parts;
mod writer;

pub use builder::{BuiltIn, WorkerBuilder};
pub use error::WorkerError;
pub use handler::{Backfills, Context, Handler, Rows};
pub use prepare::event;
pub use readiness::Readiness;
pub use registry::{Registered, Registry};
pub use runner::Worker;
pub use settings::{Settings, default_name};

#[cfg(test)]
mod testing;
