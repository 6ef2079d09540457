//! One delivery in this worker's hands. Pure.

use std::fmt;
use std::sync::Arc;

use crate::event::Event;
use crate::hook::Hook;

#[derive(Clone, Debug)]
pub struct Delivery {
    /// The same on every attempt.
    pub id: i64,
    /// 1 for the first attempt.
    pub attempt: i32,
    /// Raised by every claim; the store refuses an acknowledgement of an older one.
    pub epoch: i32,
    pub hook: Arc<Hook>,
    pub event: Arc<Event>,
    /// The id by which receivers may recognise a repetition: unique to the installation, the same on every attempt.
    pub message_id: MessageId,
}

/// `msg_` with the installation's salt and the delivery's id, in hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageId {
    pub salt: u32,
    pub delivery: i64,
}

impl fmt::Display for MessageId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "msg_{:08x}{:016x}", self.salt, self.delivery)
    }
}
