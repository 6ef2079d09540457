//! The handlers of a delivery itself: a request, a line of the log, a function of the database. A handler gets a
//! context and returns what happened; it must not write the state of a delivery.

mod call_function;
mod circuits;
mod cloud_event;
mod content;
mod handshake;
mod log;
mod pace;
mod refusal;
mod signing;
mod trial;
mod webhook;
mod webhook_body;
mod webhook_request;

use zerodb_hooks_contract::hooks;
use zerodb_hooks_engine::{Registered, Registry};

pub use trial::{Action, Tried, action, attempt};

/// Adds these handlers. They never block, and so run on the worker's own threads.
pub fn add_to(registry: &mut Registry) {
    registry.insert(hooks::Log::NAME, Registered::new(log::Log, None));
    registry.insert(
        hooks::Sql::NAME,
        Registered::new(call_function::CallFunction, None),
    );
    registry.insert(
        hooks::Webhook::NAME,
        Registered::new(webhook::Webhook::default(), None),
    );
}
