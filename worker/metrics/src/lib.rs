//! What the worker tells Prometheus: the table of all metrics, the counts behind them, and their text. The engine and
//! the handlers count here; whoever serves HTTP asks `Exposition` for the text. It has no I/O but `/proc`, knows no
//! database and waits for nobody, so that counting never holds up a delivery.
//!
//! No label holds a tenant, a URL, an id or a part of a payload, and each has a bounded number of values.

mod calls;
mod exposition;
mod hook_labels;
mod hook_meter;
mod labels;
mod meters;
mod numbers;
mod page;
mod process;
mod registering;
mod sample;
mod table;

pub use calls::DatabaseCall;
pub use exposition::{Exposition, Form};
pub use hook_meter::HookMeter;
pub use labels::{GivenUp, WebhookResult};
pub use meters::{Meters, ModelUse};
pub use page::page;
pub use sample::{HookBacklog, Sample, SampledGauges};
pub use table::{Described, Kind, Source, TABLE};
