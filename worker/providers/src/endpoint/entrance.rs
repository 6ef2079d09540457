//! The entrance of an endpoint: its turns in this worker, its circuit breaker, and the limits that all workers share.
//! Waits while that is short, and says how long where it is not.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::breaker::{Breaker, Passed};
use crate::error::Class;
use crate::gate::{Gate, RateLimits, Wait};
use zerodb_hooks_delivery::hook::Principal;
use zerodb_hooks_turns::{Shares, Turn, Turns};

pub struct Entrance {
    name: String,
    rates: RateLimits,
    gate: Arc<dyn Gate>,
    /// The next turn is that of the owner, tenant or hook with the fewest requests under way.
    turns: Turns,
    breaker: Breaker,
}

impl Entrance {
    pub fn new(name: &str, rates: RateLimits, concurrency: usize, gate: Arc<dyn Gate>) -> Self {
        Self {
            name: name.into(),
            rates,
            turns: Turns::new(Shares::open(concurrency)),
            breaker: Breaker::new(name, Arc::clone(&gate)),
            gate,
        }
    }

    /// Waits for a turn until the deadline, and for circuit and gate as long as `patience` lasts, which it shortens.
    ///
    /// # Errors
    /// The wait before another try, and its reason. Nothing was sent.
    pub async fn enter(
        &self,
        who: &Principal,
        tokens: u32,
        until: Instant,
        patience: &mut Duration,
    ) -> Result<InFlight<'_>, Wait> {
        let turn = match timeout_at(until, self.turns.take_for(who)).await {
            Ok(Some(turn)) => turn,
            // Others of this worker had all turns for the whole time; none is ever refused.
            Ok(None) | Err(_) => {
                return Err(Wait {
                    after: Duration::ZERO,
                    reason: Class::RateLimited.into(),
                });
            }
        };
        loop {
            let wait = match self.breaker.pass(self.rates, tokens).await {
                Ok(passed) => {
                    let limit = self.rates.requests_per_minute;
                    return Ok(InFlight {
                        passed,
                        limit,
                        _turn: turn,
                    });
                }
                Err(wait) => wait,
            };
            let left = until.saturating_duration_since(Instant::now());
            if wait.after > *patience || wait.after >= left {
                return Err(wait);
            }
            // A wait of nothing would spin.
            let pause = wait.after.max(Duration::from_millis(1));
            *patience = patience.saturating_sub(pause);
            sleep(pause).await;
        }
    }

    /// Corrects the estimate of `enter`.
    pub async fn settle(&self, estimated: u32, used: u64) {
        if self.rates.tokens_per_minute.is_some() {
            let used = u32::try_from(used).unwrap_or(u32::MAX);
            self.gate.settle(&self.name, self.rates, estimated, used).await;
        }
    }

    /// Closes the entrance for all workers.
    pub async fn pause(&self, pause: Duration, reason: Class) {
        self.breaker.pause(pause, reason).await;
    }
}

/// One request on its way. Dropped without a result it says nothing about the endpoint.
pub struct InFlight<'a> {
    passed: Passed<'a>,
    /// Requests a minute, as the worker's file says.
    limit: Option<u32>,
    _turn: Turn,
}

impl InFlight<'_> {
    pub async fn succeeded(self) {
        self.passed.succeeded().await;
    }

    /// The endpoint answered and refused the request.
    pub async fn answered(self) {
        self.passed.answered().await;
    }

    /// The endpoint refused for its rate, and named this time, if any. Returns the pause.
    pub async fn throttled(self, after: Option<Duration>, operation: &str) -> Duration {
        self.passed.throttled(after, operation, self.limit).await
    }

    /// The endpoint failed. Returns the pause, if this failure opened the circuit.
    pub async fn failed(self, error: &str) -> Option<Duration> {
        self.passed.failed(error).await
    }
}
