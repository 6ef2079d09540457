//! What the extension and the worker must agree on: hook types and the keys of their configs, event types, the states
//! of a delivery, the partitions of the event log, the locks and the channel. Pure: no I/O, no runtime, no database. It
//! is linked into the server's process, so nothing here may panic or keep state.
//!
//! [`hooks`] is the list of hook types, each with its keys. The extension refuses a bad config by [`check`]; the
//! worker gets the typed one from [`HookSettings::read`]; `docs/reference/hooks.md` is [`reference::page`], and the
//! JSON Schema of files with hooks is [`schema::document`].

#[macro_use]
mod declare;

pub mod check;
pub mod credential;
pub mod delivery;
pub mod event_log;
pub mod event_types;
pub mod fault;
pub mod headers;
pub mod hook_type;
pub mod hooks;
pub mod key;
pub mod lock;
pub mod network;
pub mod pattern;
pub mod read;
pub mod reference;
pub mod schema;
pub mod secret;
pub mod setting;
pub mod template;
pub mod url;

pub use check::{check, check_receiver};
pub use fault::Fault;
pub use hooks::{HookConfig, HookType};
pub use key::Key;
pub use read::{Config, HookSettings};
