//! The limits of the server, each with what it is against.

use std::time::Duration;

/// Connections at once. Those beyond are closed unheard: a scraper, its peers and the probes are a handful.
pub(crate) const MOST_CONNECTIONS: usize = 64;
/// The times that a client gets.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// For the head of a request, counted from the end of the one before: against a client that sends it byte by byte,
    /// or keeps a connection that it does not use.
    pub head: Duration,
    /// To take something of an answer.
    pub stalled: Duration,
}

/// Longer than the usual time between two scrapes, so that these share a connection.
pub(crate) const PATIENCE: Patience = Patience {
    head: Duration::from_secs(20),
    stalled: Duration::from_secs(10),
};
/// Bytes of a request's head.
pub(crate) const HEAD_BYTES: usize = 16 << 10;
/// Time for requests under way when the server ends.
pub(crate) const LAST: Duration = Duration::from_secs(2);
/// Pause after a connection could not be accepted, as where files have run out.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);
