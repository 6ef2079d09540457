//! The way to an endpoint: its turn in this worker, its circuit, and the gate that all workers share. Waits while that is
//! short, and says how long where it is not.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout_at};

use crate::providers::circuit::{Circuit, Pass};
use crate::providers::error::Class;
use crate::providers::gate::{Gate, RateLimits, Wait};

pub struct Door {
    name: String,
    rates: RateLimits,
    gate: Arc<dyn Gate>,
    turns: Semaphore,
    circuit: Mutex<Circuit>,
    started: Instant,
}

impl Door {
    pub fn new(name: &str, rates: RateLimits, concurrency: usize, gate: Arc<dyn Gate>) -> Self {
        Self {
            name: name.into(),
            rates,
            gate,
            turns: Semaphore::new(concurrency.min(Semaphore::MAX_PERMITS)),
            circuit: Mutex::default(),
            started: Instant::now(),
        }
    }

    /// Waits for a turn until the deadline, and for circuit and gate as long as `patience` lasts, which it shortens.
    ///
    /// # Errors
    /// How long it is not worth trying again, and why. Nothing was sent.
    pub async fn enter(
        &self,
        tokens: u32,
        until: Instant,
        patience: &mut Duration,
    ) -> Result<Turn<'_>, Wait> {
        let permit = match timeout_at(until, self.turns.acquire()).await {
            Ok(Ok(permit)) => permit,
            // Others of this worker had all turns for the whole time; it is not closed ever.
            Ok(Err(_)) | Err(_) => {
                return Err(Wait {
                    after: Duration::ZERO,
                    reason: Class::RateLimited.name().into(),
                });
            }
        };
        loop {
            let wait = match self.pass(tokens).await {
                Ok(held) => {
                    return Ok(Turn {
                        held,
                        _permit: permit,
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

    async fn pass(&self, tokens: u32) -> Result<Held<'_>, Wait> {
        let open = |after| Wait {
            after,
            reason: Class::CircuitOpen.name().into(),
        };
        let pass = self.circuit().enter(self.now()).map_err(open)?;
        // Gives the probe back when the gate does not open, or this is cancelled within it.
        let held = Held {
            door: self,
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

    /// Closes the door for all workers.
    pub async fn pause(&self, pause: Duration, reason: &'static str) {
        self.gate.pause(&self.name, pause, reason).await;
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pass that is given back when it is dropped.
struct Held<'a> {
    door: &'a Door,
    pass: Option<Pass>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(pass) = self.pass {
            self.door.circuit().left(pass);
        }
    }
}

/// One request on its way. Dropped without a word it says nothing of the endpoint.
pub struct Turn<'a> {
    held: Held<'a>,
    _permit: SemaphorePermit<'a>,
}

impl Turn<'_> {
    pub fn succeeded(mut self) {
        self.held.pass = None;
        self.held.door.circuit().succeeded();
    }

    /// The endpoint answered and refused the request.
    pub fn answered(mut self) {
        self.held.pass = None;
        self.held.door.circuit().answered();
    }

    /// The endpoint refused for its rate. Returns how long to leave it alone, where it names no time.
    pub fn throttled(mut self) -> Duration {
        self.held.pass = None;
        let mut circuit = self.held.door.circuit();
        circuit.answered();
        circuit.throttled()
    }

    /// The endpoint failed. Returns for how long it is left alone from now on, if this opened the circuit.
    pub fn failed(mut self) -> Option<Duration> {
        let pass = self.held.pass.take()?;
        let now = self.held.door.now();
        self.held.door.circuit().failed(pass, now)
    }
}
