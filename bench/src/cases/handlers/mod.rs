//! The handlers that call models, against a real endpoint in a process of its own, and what their users read
//! afterwards: neighbours in the graph, and the status of hooks.

mod backlog;
mod ceiling;
mod endpoint;
mod limited;
mod neighbours;
mod plain_update;
mod status;
mod store;
mod writer;

use super::Case;

pub use backlog::FULL_REQUESTS;
pub use limited::OVER_IDEAL;
pub use neighbours::{DEPTH_2, DEPTH_2_AS_OF, DEPTH_3, DEPTH_3_AS_OF};
pub use status::{STATUS, VIEW};
pub use writer::{UPDATE_MAX, UPDATE_P99};

/// In the order of a round; then those that are measured once.
pub fn all() -> Vec<Box<dyn Case>> {
    vec![
        Box::new(plain_update::PlainUpdate),
        Box::new(ceiling::Ceiling),
        Box::new(backlog::Backlog::Bare),
        Box::new(backlog::Backlog::Hnsw),
        Box::new(writer::Writer),
        Box::new(limited::Limited),
        Box::new(neighbours::Neighbours),
        Box::new(status::Status),
    ]
}
