//! The gate that all workers share, in Postgres. Keeps what it was told for a second, so that many tasks of a worker ask
//! with one voice and an endpoint without limits costs a statement a second. Decides nothing: the server's clock does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::json;

use super::endpoint::{Admission, HeldBy};
use super::{Store, StoreError};
use zerodb_hooks_providers::caps::{Cap, Learned};
use zerodb_hooks_providers::error::Class;
use zerodb_hooks_providers::gate::{Entered, Gate, News, RateLimits, Wait, WaitReason};

/// How long an answer of the server is trusted.
const TRUSTED: Duration = Duration::from_secs(1);
/// How far ahead a place is taken. One who waits for it does not have to ask again and lose it to another.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a caller waits for the database, and everybody after it when it did not answer.
const ANSWER: Duration = Duration::from_millis(900);

/// Serves any number of tasks.
pub struct SharedGate {
    store: Store,
    doors: Mutex<HashMap<String, Arc<Door>>>,
}

/// One endpoint as this worker sees it.
#[derive(Default)]
struct Door {
    /// Who asks the server; the others wait and look at what it said.
    turn: tokio::sync::Mutex<()>,
    seen: Mutex<Option<Seen>>,
}

/// What the server said last.
#[derive(Debug, Clone)]
struct Seen {
    at: Instant,
    /// Nobody enters before this moment, for the reason.
    held: Option<(Instant, WaitReason)>,
}

impl SharedGate {
    pub fn new(store: Store) -> Self {
        Self {
            store,
            doors: Mutex::default(),
        }
    }

    fn door(&self, endpoint: &str) -> Arc<Door> {
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(door) = doors.get(endpoint) {
            return Arc::clone(door);
        }
        Arc::clone(doors.entry(endpoint.to_owned()).or_default())
    }
}

impl Door {
    /// What the last answer of the server means for this request, while it is trusted.
    fn recall(&self, limits: RateLimits, now: Instant) -> Option<Result<Entered, Wait>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        if now.saturating_duration_since(seen.at) >= TRUSTED {
            return None;
        }
        match seen.held {
            Some((until, reason)) if until > now => Some(Err(Wait {
                after: until - now,
                reason,
            })),
            None if limits == RateLimits::default() => Some(Ok(Entered)),
            _ => None,
        }
    }

    /// Keeps an answer to what was asked at `asked`, unless something newer is known: a pause that was made meanwhile.
    fn see(&self, asked: Instant, held: Option<(Duration, WaitReason)>) {
        let at = Instant::now();
        // A moment beyond all clocks counts as none: it is asked again anyway.
        let held = held.and_then(|(after, reason)| Some((at.checked_add(after)?, reason)));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.as_ref().is_none_or(|seen| seen.at <= asked) {
            *seen = Some(Seen { at, held });
        }
    }

    /// Keeps what the server said and turns it into the answer: when to send.
    fn heed(&self, asked: Instant, admission: Result<Admission, StoreError>) -> Result<Duration, Wait> {
        let (after, reason, is_for_all) = match admission {
            Ok(Admission::In { after }) => {
                self.see(asked, None);
                return Ok(after);
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

/// When asking again has a chance: a place is taken as early as `PATIENCE` before it comes.
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
        let door = self.door(endpoint);
        let called = Instant::now();
        if let Some(answer) = door.recall(limits, called) {
            return answer;
        }
        let entered = tokio::time::timeout(ANSWER, async {
            let _turn = door.turn.lock().await;
            let asked = Instant::now();
            if let Some(answer) = door.recall(limits, asked) {
                return answer.map(|Entered| Duration::ZERO);
            }
            let entering = self
                .store
                .enter_endpoint(endpoint, limits, requests, tokens, PATIENCE);
            door.heed(asked, self.store.bounded(entering).await)
        })
        .await;
        let after = entered.unwrap_or_else(|_elapsed| {
            let reason = "no answer in time".to_owned();
            door.heed(called, Err(StoreError::Unavailable { reason }))
        })?;
        tokio::time::sleep(after).await;
        Ok(Entered)
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
        self.door(endpoint)
            .see(Instant::now(), Some((pause, reason.into())));
        let reason = reason.name();
        let pausing = self.store.pause_endpoint(endpoint, pause, reason);
        if let Err(error) = self.store.bounded(pausing).await {
            tracing::warn!(endpoint, reason, %error, "other workers do not know that the endpoint is paused");
        }
    }

    async fn tell(&self, endpoint: &str, news: News<'_>) {
        let (event_type, data) = match news {
            News::Opened { failures, last_error } => (
                "on_circuit_breaker_open",
                json!({"failure_count": failures, "last_error": last_error}),
            ),
            News::Closed => ("on_circuit_breaker_close", json!({})),
            News::Limited {
                operation,
                limit,
                after,
            } => (
                "on_rate_limited",
                json!({"operation": operation, "limit": limit, "retry_after": after.as_secs_f64()}),
            ),
        };
        let telling = self.store.tell_endpoint(endpoint, event_type, data);
        if let Err(error) = self.store.bounded(telling).await {
            tracing::debug!(endpoint, event_type, %error, "could not tell hooks of the endpoint");
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
