//! What is measured. A case is one thing done in a fresh database; it returns readings and proves that it did the work.

mod bulk;
mod burn_down;
mod connections;
mod endpoints;
mod floor;
pub mod handlers;
mod held;
pub mod history;
pub mod idle;
mod in_server;
pub mod metrics;
mod single;
pub mod tenants;
mod unmatched;
mod wal;
mod webhook;

use anyhow::Result;
use async_trait::async_trait;

use crate::args::Options;
use crate::figures::{Metric, Reading};
use crate::stage::Database;

pub use connections::CONNECTIONS;
pub use endpoints::RECEIVED_P99;
pub use held::{DELIVERED, LATENCY_P99};
pub use in_server::USED;
pub use wal::WAL_OF_EVENT;

pub const RATE: Metric = Metric::new("rate", "1/s");
pub const TIME: Metric = Metric::new("time", "ms");
pub const MEMORY: Metric = Metric::new("peak memory of the worker", "MiB");
pub const START: Metric = Metric::new("of it, start of the worker", "ms");

/// Not `Send`: cases take turns on the main task, so that nothing of the bench runs beside one.
#[async_trait(?Send)]
pub trait Case {
    /// Group and name, such as `single/hook`.
    fn name(&self) -> &'static str;

    /// For the reader of the report.
    fn title(&self) -> &'static str;

    /// Measured once after all rounds, because it takes long or does not depend on the moment.
    fn is_once(&self) -> bool {
        false
    }

    /// Measured only where `--only` names it, because it takes minutes.
    fn is_on_demand(&self) -> bool {
        false
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>>;
}

/// In the order of a round: cases that are set against each other follow each other.
pub fn all() -> Vec<Box<dyn Case>> {
    let mut all: Vec<Box<dyn Case>> = Vec::new();
    all.extend(single::ALL.iter().map(|case| Box::new(*case) as Box<dyn Case>));
    all.extend(in_server::ALL.iter().map(|case| Box::new(*case) as Box<dyn Case>));
    all.extend(bulk::ALL.iter().map(|case| Box::new(*case) as Box<dyn Case>));
    all.push(Box::new(unmatched::Unmatched));
    all.extend(wal::ALL.iter().map(|case| Box::new(*case) as Box<dyn Case>));
    all.extend(endpoints::ALL.iter().map(|case| Box::new(*case) as Box<dyn Case>));
    all.extend(webhook::ALL.iter().map(|case| Box::new(*case) as Box<dyn Case>));
    all.push(Box::new(metrics::Counting));
    all.push(Box::new(idle::Idle));
    all.push(Box::new(floor::Floor));
    all.extend(burn_down::ALL.iter().map(|case| Box::new(*case) as Box<dyn Case>));
    all.extend(handlers::all());
    all.extend(tenants::all());
    all.extend(history::all());
    // Rivals, which a round measures now. Then, once:
    all.push(Box::new(connections::Connections));
    all.extend(held::ALL.iter().map(|case| Box::new(*case) as Box<dyn Case>));
    all
}
