//! The circuit breaker of one endpoint: its circuit in this worker, and the gate that all workers share. Both decide
//! who may send, and are told what came of it. For endpoints of models and of webhooks alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::circuit::{Circuit, Pass};
use crate::error::Class;
use crate::gate::{Entered, Gate, RateLimits, Wait};

pub struct Breaker {
    name: String,
    gate: Arc<dyn Gate>,
    circuit: Mutex<Circuit>,
    /// This worker has opened the circuit, or sent its probe, and has not closed it yet.
    opened: AtomicBool,
    started: Instant,
}

impl Breaker {
    /// `name` is the endpoint's at the gate.
    pub fn new(name: impl Into<String>, gate: Arc<dyn Gate>) -> Self {
        Self {
            name: name.into(),
            gate,
            circuit: Mutex::default(),
            opened: AtomicBool::new(false),
            started: Instant::now(),
        }
    }

    /// The leave to send one request of so many tokens now.
    ///
    /// # Errors
    /// The wait before another try, and its reason. Safe to cancel.
    pub async fn pass(&self, limits: RateLimits, tokens: u32) -> Result<Passed<'_>, Wait> {
        let open = |after| Wait {
            after,
            reason: Class::CircuitOpen.into(),
        };
        let pass = self.circuit.lock().enter(self.now()).map_err(open)?;
        // Gives the probe back when the gate does not open, or this is cancelled within it.
        let mut passed = Passed {
            breaker: self,
            pass: Some(pass),
        };
        if self.gate.enter(&self.name, limits, 1, tokens).await? == Entered::Probe {
            self.opened.store(true, Ordering::Relaxed);
            passed.pass = Some(Pass::Probe);
        }
        Ok(passed)
    }

    /// True where nothing is to be remembered of it.
    pub fn is_quiet(&self) -> bool {
        !self.opened.load(Ordering::Relaxed) && self.circuit.lock().is_new()
    }

    /// Closes the entrance for all workers.
    pub async fn pause(&self, pause: Duration, reason: Class) {
        self.gate.pause(&self.name, pause, reason).await;
    }

    /// The endpoint is back, if this worker had opened its circuit: it closes for all workers, and hooks are told.
    async fn close(&self) {
        if self.opened.swap(false, Ordering::Relaxed) {
            self.gate.close(&self.name).await;
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

/// One request on its way. Dropped without a result it says nothing about the endpoint.
pub struct Passed<'a> {
    breaker: &'a Breaker,
    pass: Option<Pass>,
}

impl Passed<'_> {
    /// Where the circuit was open, it closes for all workers, and hooks are told.
    pub async fn succeeded(mut self) {
        self.pass = None;
        let breaker = self.breaker;
        breaker.circuit.lock().succeeded();
        breaker.close().await;
    }

    /// The endpoint is there: it answered and refused the request. So an open circuit closes.
    pub async fn answered(mut self) {
        self.pass = None;
        self.breaker.circuit.lock().answered();
        self.breaker.close().await;
    }

    /// The endpoint refused for its rate: all workers leave it alone, and hooks are told. Returns the pause: `after`,
    /// or where it named none, twice as long as the last one.
    pub async fn throttled(
        mut self,
        after: Option<Duration>,
        operation: &str,
        limit: Option<u32>,
    ) -> Duration {
        self.pass = None;
        let breaker = self.breaker;
        let grown = {
            let mut circuit = breaker.circuit.lock();
            circuit.answered();
            circuit.throttled()
        };
        let pause = after.unwrap_or(grown);
        breaker.close().await;
        breaker
            .gate
            .throttle(&breaker.name, pause, operation, limit)
            .await;
        pause
    }

    /// The endpoint failed. Where that opens the circuit, or it was the probe of an open one, all workers leave it
    /// alone, and hooks are told of the opening. Returns the pause then.
    pub async fn failed(mut self, last_error: &str) -> Option<Duration> {
        let pass = self.pass.take()?;
        let breaker = self.breaker;
        let (pause, failures) = {
            let now = breaker.now();
            let mut circuit = breaker.circuit.lock();
            (circuit.failed(pass, now)?, circuit.failures())
        };
        breaker.opened.store(true, Ordering::Relaxed);
        breaker
            .gate
            .open(&breaker.name, pause, failures, last_error)
            .await;
        Some(pause)
    }
}

impl Drop for Passed<'_> {
    fn drop(&mut self) {
        if let Some(pass) = self.pass {
            self.breaker.circuit.lock().left(pass);
        }
    }
}
