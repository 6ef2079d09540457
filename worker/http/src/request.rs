//! A request and its answer. Pure.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::retry_after;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Post,
    Put,
    Options,
}

/// The author of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlSource {
    /// A hook: in production only https is allowed.
    Hook,
    /// The worker's own file: http to a neighbour is allowed in production too.
    WorkerFile,
}

/// The part of an answer's body that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// None: the status is the answer. A body that is broken, slow or without end costs the connection only.
    Discard,
    /// What comes of its first bytes, at most this many; as for `Discard` nothing of it is an error.
    Beginning { most: usize },
    /// All of it; one of more than `most` bytes is an error.
    Body { most: usize },
}

#[derive(Clone)]
pub struct Request {
    pub url: String,
    pub url_source: UrlSource,
    pub method: Method,
    /// Lower-case names; a later one replaces an earlier.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The deadline for connecting, sending, and reading as much of the answer as `read` says.
    pub timeout: Duration,
    pub read: Read,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Lower-case names, in the order of the answer; a value that is not ASCII is left out.
    pub headers: Vec<(String, String)>,
    /// Empty where it was not read.
    pub body: Bytes,
}

/// How long the parts of a request took, as far as the client can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Looking up the host; `None` where it is an address.
    pub lookup: Option<Duration>,
    /// Making the connection, with TLS and without the look-up; `None` where none was made.
    pub connect: Option<Duration>,
    /// From the begin until the head of the answer was there.
    pub first_byte: Option<Duration>,
    /// With what was read of the body.
    pub total: Duration,
}

impl Answer {
    /// The first header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// The wait that the header `retry-after` asks for; `None` where it asks for none.
    pub fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        retry_after::wait(self.header("retry-after")?, self.header("date"), now)
    }
}
