//! What keeps a trial from being made, with what to do.

use zerodb_hooks_delivery::event_data::Unreadable;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::WorkerError;
use zerodb_hooks_providers::ConfigError;
use zerodb_hooks_store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the hook is gone")]
    NoHook,
    #[error("the event {id} is not in the log")]
    NoEvent { id: String },
    #[error("the event {id} is not one of the hook's: it is a {event_type} of another type, user or project")]
    NotOfHook { id: String, event_type: String },
    #[error("there is no event type {name}")]
    NoType { name: String },
    #[error("the hook is for {pattern} and not for {name}")]
    NotOfPattern { pattern: String, name: String },
    #[error("no event type is registered that the hook's pattern {pattern} covers")]
    NoneOfPattern { pattern: String },
    #[error(transparent)]
    Data(#[from] Unreadable),
    #[error("the data are no JSON object")]
    NoObject,
    #[error("a function of SQL is called with events of the log only")]
    OnlyPast,
    /// The hook would fail before it does anything.
    #[error("{0}")]
    Handler(HandlerError),
}

impl TrialError {
    /// What to do; empty where the message says it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoEvent { .. } => {
                "SELECT id, event FROM zerodb.list_events() shows those that are there; older ones have left the log"
            }
            Self::NotOfHook { .. } => "name an event that the hook is for",
            Self::NoType { .. } | Self::NotOfPattern { .. } => {
                "SELECT name FROM zerodb.event_types shows them; leave --event-type out for the hook's own"
            }
            Self::NoneOfPattern { .. } => {
                "register one with zerodb.register_event_type, or name one with --event-type"
            }
            Self::Data(_) | Self::NoObject => {
                "give an object: --event '{\"order_id\": 1}', or a file: --event @event.json"
            }
            Self::OnlyPast => "write or emit one, then name it: --event evt_…",
            Self::Worker(_) | Self::Store(_) | Self::Config(_) | Self::NoHook | Self::Handler(_) => "",
        }
    }
}
