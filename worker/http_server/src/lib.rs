//! The worker's HTTP server: one address, one thread, and the routes that it is given. It has a thread of its own, so
//! that no request holds up a delivery, and limits for clients that are slow, many or not clients at all. It knows
//! neither hooks nor a database; `observation` has the routes by which a worker is watched, and other rooms may add
//! theirs.

mod address;
mod connections;
mod limits;
mod listening;
mod observation;
mod serving;

pub use address::HttpAddress;
pub use listening::{ListenError, Listening};
pub use observation::{Observed, Text, routes};
pub use serving::Serving;
