//! What every measurement is given. Holds; does nothing.

use tokio_util::sync::CancellationToken;

use crate::stage::BenchStage;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Seconds of each of the four times that single rows are inserted.
    pub seconds: u32,
    /// Clients that insert at once, each on a connection of its own.
    pub clients: u32,
    /// Events of the burn-down.
    pub events: u32,
    /// Events whose latency is measured, one after the other.
    pub samples: u32,
}

/// Where and how much is measured, and who is told.
pub(crate) struct Setting<'a> {
    pub(crate) load: Load,
    pub(crate) url: &'a str,
    pub(crate) stage: &'a BenchStage,
    /// Set when nothing more is to be measured.
    pub(crate) stop: &'a CancellationToken,
    /// Told what is measured next.
    pub(crate) note: &'a dyn Fn(&str),
}
