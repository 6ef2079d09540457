//! Endpoints on the loopback that record what they are sent and answer as they are told.

pub mod raw;
pub mod webhook;

pub use raw::{RawReceiver, Then};
pub use webhook::{Answer, Receiver, Request};
