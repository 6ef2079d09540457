//! The handlers of a delivery itself: a request, a line of the log, a function of the database. A handler gets a
//! context and returns what happened; it must not write the state of a delivery.

mod call_function;
mod log;
mod webhook;
mod webhook_body;

pub use call_function::CallFunction;
pub use log::Log;
pub use webhook::Webhook;
