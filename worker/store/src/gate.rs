//! The gate that all workers share, in Postgres. Keeps what it was told for a second, so that many tasks of a worker
//! ask with one voice and an endpoint without limits costs a statement a second. Decides nothing: the server's clock
//! does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::endpoint::{Admission, HeldBy};
use super::error::StoreError;
use super::held::HeldEndpoints;
use super::store::Store;
use zerodb_hooks_delivery::endpoint::WEBHOOK;
use zerodb_hooks_providers::caps::{Cap, Learned};
use zerodb_hooks_providers::error::Class;
use zerodb_hooks_providers::gate::{Entered, Gate, RateLimits, Wait, WaitReason};

/// The time for which an answer of the server is trusted.
const TRUSTED: Duration = Duration::from_secs(1);
/// Admissions are taken this far ahead. Who waits for one need not ask again, and does not lose it to another.
const PATIENCE: Duration = Duration::from_millis(500);
/// The time that a caller waits for the database, and everybody after it when it did not answer.
const ANSWER: Duration = Duration::from_millis(900);
/// Nobody else enters for this time beside a probe, unless it ends before.
const PROBING: Duration = Duration::from_secs(1);
/// Views that are kept; then all are asked anew.
const KEPT: usize = 10_000;

/// Serves any number of tasks.
pub struct SharedGate {
    store: Store,
    endpoints: Mutex<HashMap<String, Arc<EndpointView>>>,
    held: HeldEndpoints,
}

/// One endpoint as this worker sees it.
#[derive(Default)]
struct EndpointView {
    /// Held by the task that asks the server; the others wait and take its answer.
    asking: tokio::sync::Mutex<()>,
    answer: Mutex<Option<LastAnswer>>,
}

/// The server's last answer.
#[derive(Debug, Clone)]
struct LastAnswer {
    at: Instant,
    /// Nobody enters before this moment, for the reason.
    held: Option<(Instant, WaitReason)>,
}

impl SharedGate {
    pub fn new(store: Store) -> Self {
        Self {
            store,
            endpoints: Mutex::default(),
            held: HeldEndpoints::default(),
        }
    }

    fn view(&self, endpoint: &str) -> Arc<EndpointView> {
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = endpoints.get(endpoint) {
            return Arc::clone(view);
        }
        if endpoints.len() >= KEPT {
            endpoints.clear();
        }
        Arc::clone(endpoints.entry(endpoint.to_owned()).or_default())
    }

    /// Nobody of this worker enters from now on.
    fn hold(&self, endpoint: &str, pause: Duration, reason: Class) {
        self.view(endpoint)
            .see(Instant::now(), Some((pause, reason.into())));
        if endpoint.starts_with(WEBHOOK) {
            self.held.add(endpoint);
        }
    }
}

impl EndpointView {
    /// Answers from the server's last answer, while it is trusted.
    fn recall(&self, limits: RateLimits, now: Instant) -> Option<Result<Entered, Wait>> {
        let seen = self
            .answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()?;
        if now.saturating_duration_since(seen.at) >= TRUSTED {
            return None;
        }
        match seen.held {
            Some((until, reason)) if until > now => Some(Err(Wait {
                after: until - now,
                reason,
            })),
            None if limits == RateLimits::default() => Some(Ok(Entered::Usual)),
            _ => None,
        }
    }

    /// Keeps an answer to what was asked at `asked`, unless something newer is known: a pause that was made meanwhile.
    fn see(&self, asked: Instant, held: Option<(Duration, WaitReason)>) {
        let at = Instant::now();
        // A moment beyond all clocks counts as none: it is asked again anyway.
        let held = held.and_then(|(after, reason)| Some((at.checked_add(after)?, reason)));
        let mut seen = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.as_ref().is_none_or(|seen| seen.at <= asked) {
            *seen = Some(LastAnswer { at, held });
        }
    }

    /// Keeps the server's answer and turns it into the caller's: the wait before the request is sent, or before
    /// asking again.
    fn heed(
        &self,
        asked: Instant,
        admission: Result<Admission, StoreError>,
    ) -> Result<(Duration, Entered), Wait> {
        let (after, reason, is_for_all) = match admission {
            Ok(Admission::In { after, probe: false }) => {
                self.see(asked, None);
                return Ok((after, Entered::Usual));
            }
            Ok(Admission::In { after, probe: true }) => {
                self.see(asked, Some((PROBING, Class::CircuitOpen.into())));
                return Ok((after, Entered::Probe));
            }
            Ok(Admission::Held { after, by }) => match by {
                HeldBy::Pause(name) => (after, WaitReason::of_name(name), true),
                HeldBy::Requests => (ahead(after), WaitReason::Class(Class::RateLimited), true),
                // A smaller request may fit.
                HeldBy::Tokens => (ahead(after), WaitReason::Class(Class::RateLimited), false),
            },
            Err(error) => {
                tracing::debug!(%error, "nobody enters an endpoint while the database is away");
                (ANSWER, WaitReason::Class(Class::RateLimited), true)
            }
        };
        if is_for_all {
            self.see(asked, Some((after, reason.clone())));
        }
        Err(Wait { after, reason })
    }
}

/// The wait before asking again has a chance: an admission is given as early as `PATIENCE` before its time.
fn ahead(after: Duration) -> Duration {
    after.saturating_sub(PATIENCE).max(Duration::from_millis(1))
}

#[async_trait]
impl Gate for SharedGate {
    /// While the database is away nobody enters: what is paid for could not be stored.
    async fn enter(
        &self,
        endpoint: &str,
        limits: RateLimits,
        requests: u32,
        tokens: u32,
    ) -> Result<Entered, Wait> {
        let is_of_webhook = limits == RateLimits::default() && endpoint.starts_with(WEBHOOK);
        if is_of_webhook && !self.held.has(&self.store, endpoint).await {
            return Ok(Entered::Usual);
        }
        let view = self.view(endpoint);
        let called = Instant::now();
        if let Some(answer) = view.recall(limits, called) {
            return answer;
        }
        let entered = tokio::time::timeout(ANSWER, async {
            let _asking = view.asking.lock().await;
            let asked = Instant::now();
            if let Some(answer) = view.recall(limits, asked) {
                return answer.map(|entered| (Duration::ZERO, entered));
            }
            let entering = self
                .store
                .enter_endpoint(endpoint, limits, requests, tokens, PATIENCE);
            view.heed(asked, self.store.bounded(entering).await)
        })
        .await;
        let (after, entered) = entered.unwrap_or_else(|_elapsed| {
            let reason = "no answer in time".to_owned();
            view.heed(called, Err(StoreError::Unavailable { reason }))
        })?;
        tokio::time::sleep(after).await;
        Ok(entered)
    }

    /// Only what is off by an eighth or more is worth a statement.
    async fn settle(&self, endpoint: &str, limits: RateLimits, estimated: u32, used: u32) {
        let Some(per_minute) = limits.tokens_per_minute else {
            return;
        };
        if estimated.abs_diff(used) <= estimated / 8 {
            return;
        }
        let settling = self.store.settle_endpoint(endpoint, per_minute, estimated, used);
        if let Err(error) = self.store.bounded(settling).await {
            tracing::debug!(endpoint, %error, "could not correct an estimate of tokens");
        }
    }

    async fn pause(&self, endpoint: &str, pause: Duration, reason: Class) {
        self.hold(endpoint, pause, reason);
        let reason = reason.name();
        let pausing = self.store.pause_endpoint(endpoint, pause, reason);
        if let Err(error) = self.store.bounded(pausing).await {
            tracing::warn!(endpoint, reason, %error, "other workers do not know that the endpoint is paused");
        }
    }

    async fn open(&self, endpoint: &str, pause: Duration, failures: u32, last_error: &str) {
        self.hold(endpoint, pause, Class::CircuitOpen);
        let opening = self.store.open_circuit(endpoint, pause, failures, last_error);
        if let Err(error) = self.store.bounded(opening).await {
            tracing::warn!(endpoint, %error, "other workers do not know that the endpoint fails");
        }
    }

    async fn close(&self, endpoint: &str) {
        self.view(endpoint).see(Instant::now(), None);
        if let Err(error) = self.store.bounded(self.store.close_circuit(endpoint)).await {
            tracing::debug!(endpoint, %error, "other workers do not know that the endpoint is back");
        }
    }

    async fn throttle(&self, endpoint: &str, pause: Duration, operation: &str, limit: Option<u32>) {
        self.hold(endpoint, pause, Class::RateLimited);
        let throttling = self.store.throttle_endpoint(endpoint, pause, operation, limit);
        if let Err(error) = self.store.bounded(throttling).await {
            tracing::warn!(endpoint, %error, "other workers do not know that the endpoint is paused");
        }
    }

    async fn learned(&self, endpoint: &str, model: &str, learned: Learned) {
        let value = i64::try_from(learned.value).unwrap_or(i64::MAX);
        let learning = self
            .store
            .learn_endpoint(endpoint, model, learned.cap.name(), value);
        if let Err(error) = self.store.bounded(learning).await {
            tracing::debug!(endpoint, model, %error, "could not keep what the endpoint has taught");
        }
    }

    async fn known(&self, endpoint: &str, model: &str) -> Vec<Learned> {
        let loading = self.store.load_endpoint(endpoint, model);
        let caps = self.store.bounded(loading).await.unwrap_or_default();
        caps.into_iter()
            .filter_map(|(cap, value)| {
                Some(Learned {
                    cap: Cap::of_name(&cap)?,
                    value: usize::try_from(value).ok()?,
                })
            })
            .collect()
    }
}
