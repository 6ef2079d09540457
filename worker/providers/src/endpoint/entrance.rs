//! The entrance of an endpoint: its turns in this worker, its circuit, and the gate that all workers share. Waits while
//! that is short, and says how long where it is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout_at};

use crate::circuit::{Circuit, Pass};
use crate::error::Class;
use crate::gate::{Gate, News, RateLimits, Wait};
use zerodb_hooks_delivery::hook::Principal;
use zerodb_hooks_turns::{Shares, Turn, Turns};

pub struct Entrance {
    name: String,
    rates: RateLimits,
    gate: Arc<dyn Gate>,
    /// The next turn is that of the owner, tenant or hook with the fewest requests under way.
    turns: Turns,
    circuit: Mutex<Circuit>,
    /// Hooks were told that the circuit opened, and not yet that it closed.
    told_open: AtomicBool,
    started: Instant,
}

impl Entrance {
    pub fn new(name: &str, rates: RateLimits, concurrency: usize, gate: Arc<dyn Gate>) -> Self {
        Self {
            name: name.into(),
            rates,
            gate,
            turns: Turns::new(Shares::open(concurrency)),
            circuit: Mutex::default(),
            told_open: AtomicBool::new(false),
            started: Instant::now(),
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
            let wait = match self.pass(tokens).await {
                Ok(held) => {
                    return Ok(InFlight { held, _turn: turn });
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

    async fn pass(&self, tokens: u32) -> Result<HeldPass<'_>, Wait> {
        let open = |after| Wait {
            after,
            reason: Class::CircuitOpen.into(),
        };
        let pass = self.circuit.lock().enter(self.now()).map_err(open)?;
        // Gives the probe back when the gate does not open, or this is cancelled within it.
        let held = HeldPass {
            entrance: self,
            pass: Some(pass),
        };
        self.gate.enter(&self.name, self.rates, 1, tokens).await?;
        Ok(held)
    }

    /// Corrects the estimate of `enter`.
    pub async fn settle(&self, estimated: u32, used: u64) {
        if self.rates.tokens_per_minute.is_some() {
            let used = u32::try_from(used).unwrap_or(u32::MAX);
            self.gate.settle(&self.name, self.rates, estimated, used).await;
        }
    }

    /// Tells hooks that the endpoint is back, if they were told that it is not.
    pub async fn tell_closed(&self) {
        if self.told_open.swap(false, Ordering::Relaxed) {
            self.gate.tell(&self.name, News::Closed).await;
        }
    }

    /// Leaves the endpoint alone, and tells hooks.
    pub async fn open(&self, open: CircuitOpening, last_error: &str) {
        self.told_open.store(true, Ordering::Relaxed);
        let failures = open.failures;
        self.gate
            .tell(&self.name, News::Opened { failures, last_error })
            .await;
        self.pause(open.pause, Class::CircuitOpen).await;
    }

    /// Leaves the endpoint alone for its rate, and tells hooks.
    pub async fn throttle(&self, after: Duration, operation: &str) {
        let limit = self.rates.requests_per_minute;
        let operation = &format!("{operation} at {}", self.name);
        let news = News::Limited {
            operation,
            limit,
            after,
        };
        self.gate.tell(&self.name, news).await;
        self.pause(after, Class::RateLimited).await;
    }

    /// Closes the entrance for all workers.
    pub async fn pause(&self, pause: Duration, reason: Class) {
        self.gate.pause(&self.name, pause, reason).await;
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A circuit that has just opened.
pub struct CircuitOpening {
    pub pause: Duration,
    /// The number of failures in a row.
    pub failures: u32,
}

/// A pass that goes back to the circuit when it is dropped.
struct HeldPass<'a> {
    entrance: &'a Entrance,
    pass: Option<Pass>,
}

impl Drop for HeldPass<'_> {
    fn drop(&mut self) {
        if let Some(pass) = self.pass {
            self.entrance.circuit.lock().left(pass);
        }
    }
}

/// One request on its way. Dropped without a result it says nothing about the endpoint.
pub struct InFlight<'a> {
    held: HeldPass<'a>,
    _turn: Turn,
}

impl InFlight<'_> {
    pub fn succeeded(mut self) {
        self.held.pass = None;
        self.held.entrance.circuit.lock().succeeded();
    }

    /// The endpoint answered and refused the request.
    pub fn answered(mut self) {
        self.held.pass = None;
        self.held.entrance.circuit.lock().answered();
    }

    /// The endpoint refused for its rate. Returns the pause for a refusal that names no time.
    pub fn throttled(mut self) -> Duration {
        self.held.pass = None;
        let mut circuit = self.held.entrance.circuit.lock();
        circuit.answered();
        circuit.throttled()
    }

    /// The endpoint failed. Returns the opening, if this failure opened the circuit.
    pub fn failed(mut self) -> Option<CircuitOpening> {
        let pass = self.held.pass.take()?;
        let now = self.held.entrance.now();
        let mut circuit = self.held.entrance.circuit.lock();
        let pause = circuit.failed(pass, now)?;
        Some(CircuitOpening {
            pause,
            failures: circuit.failures(),
        })
    }
}
