//! A span that has ended. Pure.

use std::time::{SystemTime, UNIX_EPOCH};

/// The role of a span in its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Internal,
    /// It asks another system.
    Client,
    /// It works on a message.
    Consumer,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub name: String,
    pub kind: Kind,
    pub trace_id: u128,
    pub span_id: u64,
    pub parent: Option<u64>,
    /// Nanoseconds since 1970, as of the end.
    pub started: u64,
    pub ended: u64,
    pub attributes: Vec<(&'static str, Value)>,
    /// What failed; an event of the span, at its end.
    pub error: Option<String>,
}

/// Nanoseconds since 1970.
pub fn now() -> u64 {
    nanoseconds(SystemTime::now())
}

/// Nanoseconds since 1970, 0 for what was before.
pub fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
