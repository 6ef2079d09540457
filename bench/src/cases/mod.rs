//! What is measured. A case is one thing done in a fresh database; it returns readings and proves that it did the work.

mod bulk;
mod burn_down;
mod idle;
mod single;
mod unmatched;

use anyhow::Result;
use async_trait::async_trait;

use crate::args::Options;
use crate::figures::{Metric, Reading};
use crate::stage::Database;

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

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>>;
}

/// In the order of a round.
pub fn all() -> Vec<Box<dyn Case>> {
    let single = single::ALL.iter().map(|case| Box::new(*case) as Box<dyn Case>);
    let bulk = bulk::ALL.iter().map(|case| Box::new(*case) as Box<dyn Case>);
    let burn_down = burn_down::ALL.iter().map(|case| Box::new(*case) as Box<dyn Case>);
    let alone: [Box<dyn Case>; 2] = [Box::new(idle::Idle), Box::new(unmatched::Unmatched)];
    single.chain(bulk).chain(burn_down).chain(alone).collect()
}
