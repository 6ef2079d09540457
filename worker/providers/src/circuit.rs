//! The circuit of an endpoint: leaves one alone that fails, and lets one request try it again. Pure state; times are
//! since any fixed moment.

use std::time::Duration;

use zerodb_hooks_delivery::retry::Backoff;

/// Failures in a row that open the circuit.
const FAILURES: u32 = 5;
/// The first pause.
const FIRST: Duration = Duration::from_secs(1);
/// The pause of an open circuit; it doubles with every failed probe.
const OPEN: Backoff = Backoff {
    base: FIRST,
    longest: Duration::from_secs(5 * 60),
};
/// The pause after a server has refused for its rate and named no wait; it doubles with every such refusal.
const THROTTLE: Backoff = Backoff {
    base: FIRST,
    longest: Duration::from_secs(15 * 60),
};

/// The health of one endpoint.
#[derive(Debug, Default)]
pub struct Circuit {
    failures: u32,
    throttles: u32,
    /// The number of openings since the last success.
    openings: u32,
    open_until: Option<Duration>,
    probing: bool,
}

/// The leave to send a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    Usual,
    /// The one request that shows whether the endpoint is back.
    Probe,
}

impl Circuit {
    /// # Errors
    /// The time until it may be asked again: while it is open, the rest of the pause; while a probe is on its way, a
    /// moment.
    pub fn enter(&mut self, now: Duration) -> Result<Pass, Duration> {
        match self.open_until {
            None => Ok(Pass::Usual),
            Some(until) if now < until => Err(until - now),
            Some(_) if self.probing => Err(FIRST),
            Some(_) => {
                self.probing = true;
                Ok(Pass::Probe)
            }
        }
    }

    /// The endpoint answered, with success or a refusal of the request: it is there.
    pub fn answered(&mut self) {
        *self = Self {
            throttles: self.throttles,
            ..Self::default()
        };
    }

    /// The request succeeded.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Nothing has happened that counts.
    pub fn is_new(&self) -> bool {
        self.failures == 0 && self.throttles == 0 && self.open_until.is_none()
    }

    /// The number of failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// The endpoint failed. Returns the pause, if this failure opened the circuit.
    pub fn failed(&mut self, pass: Pass, now: Duration) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        let opens = match pass {
            Pass::Probe => true,
            // One that was sent before it opened says nothing new.
            Pass::Usual => self.open_until.is_none() && self.failures >= FAILURES,
        };
        if !opens {
            return None;
        }
        self.probing = false;
        let open = OPEN.wait(self.openings);
        self.openings = self.openings.saturating_add(1);
        self.open_until = Some(now + open);
        Some(open)
    }

    /// The request was dropped, and says nothing about the endpoint.
    pub fn left(&mut self, pass: Pass) {
        if pass == Pass::Probe {
            self.probing = false;
        }
    }

    /// The endpoint refused for its rate and named no wait. Returns the pause.
    pub fn throttled(&mut self) -> Duration {
        let wait = THROTTLE.wait(self.throttles);
        self.throttles = self.throttles.saturating_add(1);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    fn opened() -> Circuit {
        let mut circuit = Circuit::default();
        for _ in 1..FAILURES {
            assert_eq!(circuit.failed(Pass::Usual, NOW), None);
        }
        assert_eq!(circuit.failed(Pass::Usual, NOW), Some(FIRST));
        circuit
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_an_answer_between_them_does_not_count() {
        let mut circuit = opened();
        assert_eq!(circuit.enter(NOW), Err(FIRST));
        let mut other = Circuit::default();
        for _ in 0..20 {
            assert_eq!(other.failed(Pass::Usual, NOW), None);
            other.answered();
        }
        assert_eq!(other.enter(NOW), Ok(Pass::Usual));
    }

    #[test]
    fn one_probe_goes_and_its_success_closes_it() {
        let mut circuit = opened();
        let later = NOW + FIRST;
        assert_eq!(circuit.enter(later), Ok(Pass::Probe));
        assert!(circuit.enter(later).is_err());
        circuit.succeeded();
        assert_eq!(circuit.enter(later), Ok(Pass::Usual));
    }

    #[test]
    fn a_failed_probe_doubles_the_time_up_to_five_minutes() {
        let (mut circuit, mut now) = (opened(), NOW + FIRST);
        let mut times = Vec::new();
        for _ in 0..12 {
            let pass = circuit.enter(now).unwrap();
            let open = circuit.failed(pass, now).unwrap();
            times.push(open.as_secs());
            now += open;
        }
        assert_eq!(times[..4], [2, 4, 8, 16]);
        assert_eq!(times[11], 300);
    }

    #[test]
    fn a_dropped_probe_lets_the_next_go_and_a_late_failure_opens_nothing() {
        let mut circuit = opened();
        let later = NOW + FIRST;
        let pass = circuit.enter(later).unwrap();
        circuit.left(pass);
        assert_eq!(circuit.enter(later), Ok(Pass::Probe));
        assert_eq!(circuit.failed(Pass::Usual, later), None);
    }

    #[test]
    fn throttles_double_until_a_success() {
        let mut circuit = Circuit::default();
        assert_eq!(circuit.throttled(), FIRST);
        circuit.answered();
        assert_eq!(circuit.throttled(), FIRST * 2);
        circuit.succeeded();
        assert_eq!(circuit.throttled(), FIRST);
    }
}
