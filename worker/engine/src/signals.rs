//! The signals between tasks. Each is kept until it is heeded once.

use std::sync::Arc;

use tokio::sync::Notify;

#[derive(Clone, Default)]
pub struct Signals {
    /// A delivery was put back into the queue and falls due before the dispatcher would look.
    pub requeued: Arc<Notify>,
    /// The dispatcher has left pairs to be decided.
    pub undecided: Arc<Notify>,
}
