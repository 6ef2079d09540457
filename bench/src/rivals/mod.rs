//! Other queues, measured in the same rounds on the same server. Each is a file with its cases: `rival/NAME/burn-down`
//! and `rival/NAME/idle` with the metrics of ours, so that `report` can set one against the other.

use crate::cases::Case;

/// None yet.
pub fn all() -> Vec<Box<dyn Case>> {
    Vec::new()
}
