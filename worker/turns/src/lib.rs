//! Turns of what goes on only so many times at once: deliveries of a handler, requests to a model. They are shared
//! out by owner first, then by tenant, then by hook: whoever holds the fewest is next, and where the handler says so,
//! some are kept for those who have none. No I/O.

mod shares;
mod turns;

pub use shares::Shares;
pub use turns::{Turn, Turns};
