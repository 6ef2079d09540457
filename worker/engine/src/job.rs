//! A delivery that is to be run. It has no behaviour: `Attempts` begins it, or gives it back.

use std::convert::Infallible;
use std::sync::Arc;

use tokio::sync::mpsc::Sender;

use crate::hooks::LoadedHook;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_store::Stored;

/// Held by each delivery that runs alone. When all are dropped, the others go on.
pub type Alone = Sender<Infallible>;

pub struct Job {
    /// The lease under which it was claimed.
    pub lease: i64,
    pub stored: Stored,
    pub delivery: Arc<Delivery>,
    pub loaded: Arc<LoadedHook>,
    pub alone: Option<Alone>,
}
