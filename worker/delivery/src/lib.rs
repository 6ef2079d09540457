//! The values that the halves of the worker pass to each other: an event, its hook, the delivery of the one to the
//! other, and what became of it. Values without I/O: no clock, no runtime, no database.

pub mod delivery;
pub mod endpoint;
pub mod event;
pub mod event_data;
pub mod hook;
pub mod outcome;
pub mod retry;
pub mod secret;

pub use delivery::Delivery;
pub use event::Event;
pub use event_data::{EventData, Unreadable};
pub use hook::Hook;
pub use outcome::{Done, HandlerError};
