//! The door before an endpoint: how many requests and tokens a minute, and pauses, for all who use it together. The
//! trait is what a provider asks; the gate in Postgres serves all workers, `LocalGate` one process.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::Mutex;

use super::caps::Learned;
use super::error::Class;
use super::rate::Rate;

/// The rates that the worker's file allows an endpoint; `None` is no limit.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    pub requests_per_minute: Option<u32>,
    pub tokens_per_minute: Option<u32>,
}

/// The leave to send one request now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    Usual,
    /// The one request that shows whether an endpoint is back whose circuit is open; all others wait for it.
    Probe,
}

/// Not now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The time before another try. Nothing is reserved: another request may be first.
    pub after: Duration,
    pub reason: WaitReason,
}

/// The reason of a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitReason {
    /// `RateLimited` for the limits of the file; for a pause the class that `pause` was given.
    Class(Class),
    /// A pause by another version of the worker, for a class that this one does not know.
    Unknown(String),
}

impl WaitReason {
    /// The reason by the name of its class.
    pub fn of_name(name: String) -> Self {
        Class::of_name(&name).map_or(Self::Unknown(name), Self::Class)
    }
}

impl From<Class> for WaitReason {
    fn from(class: Class) -> Self {
        Self::Class(class)
    }
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
    async fn pause(&self, endpoint: &str, pause: Duration, reason: Class);

    /// The endpoint failed so often, or failed its probe, that nobody enters for at least that long. Hooks are told
    /// once, with `last_error`, which must hold no key, no input and no text of an answer.
    async fn open(&self, endpoint: &str, pause: Duration, failures: u32, last_error: &str);

    /// A request succeeded: an open circuit closes, and hooks are told once.
    async fn close(&self, _endpoint: &str) {}

    /// The endpoint refused for its rate: nobody enters for that long, and hooks are told once. `limit` is the one of
    /// the worker's file, requests a minute.
    async fn throttle(&self, endpoint: &str, pause: Duration, operation: &str, limit: Option<u32>);

    /// A cap of the server that its refusal named; for other workers, and after a restart.
    async fn learned(&self, _endpoint: &str, _model: &str, _learned: Learned) {}

    /// The caps that any worker has learned; asked once for each model.
    async fn known(&self, _endpoint: &str, _model: &str) -> Vec<Learned> {
        Vec::new()
    }
}

/// The gate of one process: for tests, and where no database is shared.
#[derive(Debug, Default)]
pub struct LocalGate {
    endpoints: Mutex<HashMap<String, EndpointState>>,
    started: OnceLock<Instant>,
}

#[derive(Debug, Default, Clone)]
struct EndpointState {
    requests: Rate,
    tokens: Rate,
    pause: Option<(Duration, Class)>,
}

impl LocalGate {
    /// Since the first use.
    fn now(&self) -> Duration {
        self.started.get_or_init(Instant::now).elapsed()
    }

    fn with<T>(&self, endpoint: &str, change: impl FnOnce(&mut EndpointState) -> T) -> T {
        let mut endpoints = self.endpoints.lock();
        change(endpoints.entry(endpoint.to_owned()).or_default())
    }
}

impl EndpointState {
    fn enter(
        &mut self,
        now: Duration,
        limits: RateLimits,
        requests: u32,
        tokens: u32,
    ) -> Result<Entered, Wait> {
        if let Some((until, reason)) = self.pause.filter(|(until, _)| now < *until) {
            return Err(Wait {
                after: until - now,
                reason: reason.into(),
            });
        }
        let by_requests = limits
            .requests_per_minute
            .map_or(Duration::ZERO, |limit| self.requests.wait(now, limit, requests));
        let by_tokens = limits
            .tokens_per_minute
            .map_or(Duration::ZERO, |limit| self.tokens.wait(now, limit, tokens));
        let after = by_requests.max(by_tokens);
        if !after.is_zero() {
            return Err(Wait {
                after,
                reason: Class::RateLimited.into(),
            });
        }
        if let Some(limit) = limits.requests_per_minute {
            self.requests = self.requests.taken(now, limit, requests);
        }
        if let Some(limit) = limits.tokens_per_minute {
            self.tokens = self.tokens.taken(now, limit, tokens);
        }
        Ok(Entered::Usual)
    }
}

#[async_trait]
impl Gate for LocalGate {
    async fn enter(
        &self,
        endpoint: &str,
        limits: RateLimits,
        requests: u32,
        tokens: u32,
    ) -> Result<Entered, Wait> {
        let now = self.now();
        self.with(endpoint, |state| state.enter(now, limits, requests, tokens))
    }

    async fn settle(&self, endpoint: &str, limits: RateLimits, estimated: u32, used: u32) {
        if let Some(limit) = limits.tokens_per_minute {
            self.with(endpoint, |state| {
                state.tokens = state.tokens.settled(limit, estimated, used);
            });
        }
    }

    async fn pause(&self, endpoint: &str, pause: Duration, reason: Class) {
        let until = self.now() + pause;
        self.with(endpoint, |state| {
            if state.pause.is_none_or(|(earlier, _)| earlier < until) {
                state.pause = Some((until, reason));
            }
        });
    }

    async fn open(&self, endpoint: &str, pause: Duration, _failures: u32, _last_error: &str) {
        self.pause(endpoint, pause, Class::CircuitOpen).await;
    }

    async fn throttle(&self, endpoint: &str, pause: Duration, _operation: &str, _limit: Option<u32>) {
        self.pause(endpoint, pause, Class::RateLimited).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RateLimits = RateLimits {
        requests_per_minute: Some(60),
        tokens_per_minute: Some(6000),
    };

    #[test]
    fn the_stricter_limit_decides_and_a_refusal_counts_nothing() {
        let mut state = EndpointState::default();
        let now = Duration::from_secs(10);
        assert!(state.enter(now, LIMITS, 1, 600).is_ok());
        let wait = state.enter(now, LIMITS, 1, 600).unwrap_err();
        assert_eq!(wait.after, Duration::from_secs(6));
        let before = state.clone();
        assert!(state.enter(now, LIMITS, 1, 600).is_err());
        assert_eq!((before.requests, before.tokens), (state.requests, state.tokens));
        assert!(state.enter(now + wait.after, LIMITS, 1, 600).is_ok());
    }

    #[tokio::test]
    async fn a_pause_stops_one_endpoint_and_tells_why_and_a_shorter_one_does_not_end_it() {
        let gate = LocalGate::default();
        gate.pause("a", Duration::from_secs(600), Class::QuotaExhausted)
            .await;
        gate.pause("a", Duration::from_secs(1), Class::RateLimited).await;
        let wait = gate.enter("a", RateLimits::default(), 1, 1).await.unwrap_err();
        assert_eq!(wait.reason, Class::QuotaExhausted.into());
        assert!(wait.after > Duration::from_secs(500));
        assert!(gate.enter("b", RateLimits::default(), 1, 1).await.is_ok());
    }
}
