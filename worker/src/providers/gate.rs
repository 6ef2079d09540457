//! The door before an endpoint: how many requests and tokens a minute, and pauses, for all who use it together. The
//! trait is what a provider asks; the gate in Postgres serves all workers, `LocalGate` one process.

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;

use super::caps::Learned;

/// What the worker's file allows an endpoint; `None` is no limit.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    pub requests_per_minute: Option<u32>,
    pub tokens_per_minute: Option<u32>,
}

/// The leave to send one request now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entered;

/// Not now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// How long it is not worth asking again. Nothing is reserved: another may be first.
    pub after: Duration,
    /// `rate_limited` for the limits of the file; for a pause the reason that `pause` was given, which is the name of an
    /// error class (`Class::name`); `budget_exceeded` where a budget is used up.
    pub reason: Cow<'static, str>,
}

/// Safe to cancel at every await: what was entered and not sent is lost to the limit, nothing else.
#[async_trait]
pub trait Gate: Send + Sync + 'static {
    /// Called before each request. Counts `requests` and `tokens` (an estimate) if it lets through, nothing otherwise.
    /// A request of more tokens than a minute has must be let through when the endpoint has been idle long enough.
    /// An implementation whose store is away decides itself: it never hangs longer than a second.
    async fn enter(
        &self,
        endpoint: &str,
        limits: RateLimits,
        requests: u32,
        tokens: u32,
    ) -> Result<Entered, Wait>;

    /// After an answer that said how many tokens it took, where the file limits tokens: corrects the estimate.
    async fn settle(&self, _endpoint: &str, _limits: RateLimits, _estimated: u32, _used: u32) {}

    /// Nobody enters for that long. A later pause replaces an earlier one if it ends later.
    async fn pause(&self, endpoint: &str, pause: Duration, reason: &'static str);

    /// A cap of the server that its refusal named; for other workers, and after a restart.
    async fn learned(&self, _endpoint: &str, _model: &str, _learned: Learned) {}

    /// The caps that any worker has learned; asked once for each model.
    async fn known(&self, _endpoint: &str, _model: &str) -> Vec<Learned> {
        Vec::new()
    }
}
