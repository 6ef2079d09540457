//! The circuit breakers of webhooks' endpoints, one for each user and origin, and the limits of hooks. What may not be
//! sent yet is deferred, and costs no attempt. What all workers know of an endpoint is the gate's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use uuid::Uuid;

use zerodb_hooks_contract::hooks;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::endpoint;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::Context;
use zerodb_hooks_providers::{Breaker, Class, Passed, RateLimits, Wait, WaitReason};

use crate::pace::Pace;

/// Endpoints and paces that are kept. When there are more, those go of which nothing is known.
const KEPT: usize = 10_000;
/// The longest pause for a rate that an endpoint refused; a delivery itself waits as long as it was asked to.
const LONGEST_THROTTLE: Duration = Duration::from_secs(3600);
/// Deliveries that may come back in a minute, from each worker, to see whether an endpoint is left alone.
const TURNS_A_MINUTE: u32 = 200 * 60;
/// A refusal for the rate.
const TOO_MANY: u16 = 429;

#[derive(Default)]
pub struct Circuits {
    endpoints: Mutex<HashMap<String, Arc<Endpoint>>>,
    /// When the next deferred delivery of a limited hook has its turn.
    paces: Mutex<HashMap<(Uuid, i64), Pace>>,
}

/// What this worker knows of one endpoint.
pub struct Endpoint {
    breaker: Breaker,
    /// When the next of the deliveries that wait for it has its turn.
    turns: Mutex<Pace>,
}

impl Circuits {
    pub fn endpoint(&self, context: &Context, delivery: &Delivery, config: &hooks::Webhook) -> Arc<Endpoint> {
        let name = endpoint::of_webhook(&delivery.hook, delivery.event.user_id, &config.url);
        let mut endpoints = self.endpoints.lock();
        if let Some(endpoint) = endpoints.get(&name) {
            return Arc::clone(endpoint);
        }
        if endpoints.len() >= KEPT {
            endpoints.retain(|_, endpoint| !endpoint.breaker.is_quiet());
        }
        if endpoints.len() >= KEPT {
            // Those of the same user first: one that calls many endpoints must not open those of others.
            let whose = endpoint::user_of(&name);
            endpoints.retain(|other, _| endpoint::user_of(other) != whose);
        }
        if endpoints.len() >= KEPT {
            endpoints.clear();
        }
        let endpoint = Arc::new(Endpoint {
            breaker: Breaker::new(name.clone(), Arc::clone(&context.gate)),
            turns: Mutex::default(),
        });
        endpoints.insert(name, Arc::clone(&endpoint));
        endpoint
    }

    /// Waits for the hook's own limit, where it has one.
    ///
    /// # Errors
    /// `Deferred`, each delivery to a turn of its own.
    pub async fn keep_pace(
        &self,
        context: &Context,
        delivery: &Delivery,
        config: &hooks::Webhook,
    ) -> Result<(), HandlerError> {
        let Some(per_minute) = config.rate_limit.map(|limit| limit.get()) else {
            return Ok(());
        };
        let hook = &delivery.hook;
        let limits = RateLimits {
            requests_per_minute: Some(per_minute),
            tokens_per_minute: None,
        };
        let name = endpoint::of_hook(hook);
        let Err(wait) = context.gate.enter(&name, limits, 1, 0).await else {
            return Ok(());
        };
        let mut paces = self.paces.lock();
        if paces.len() >= KEPT {
            paces.clear();
        }
        let pace = paces.entry((hook.id, hook.version)).or_default();
        Err(HandlerError::Deferred {
            message: format!("rate_limited: the hook has a limit of {per_minute} a minute"),
            after: pace.next(per_minute, wait.after),
        })
    }
}

impl Endpoint {
    /// The leave to send now.
    ///
    /// # Errors
    /// `Deferred`, while the endpoint is left alone, each delivery to a turn of its own: a backlog that came back as a
    /// whole at the end of each pause would be claimed and put off again by all its rows.
    pub async fn pass(&self) -> Result<Passed<'_>, HandlerError> {
        let passed = self.breaker.pass(RateLimits::default(), 0).await;
        passed.map_err(|wait| {
            // Those that several workers put off do not come back at one moment.
            let first = wait.after.mul_f64(1.0 + rand::random::<f64>() / 4.0);
            HandlerError::Deferred {
                message: why(&wait).into(),
                after: self.turns.lock().next(TURNS_A_MINUTE, first),
            }
        })
    }
}

fn why(wait: &Wait) -> &'static str {
    match &wait.reason {
        WaitReason::Class(Class::CircuitOpen) => "circuit_open: the endpoint failed several times in a row",
        _ => "rate_limited: the endpoint refuses requests for their rate",
    }
}

/// Tells the breaker what came of a request: no answer and 5xx are failures of the endpoint, 429 its limit. Anything
/// else is an answer, whatever it says of the request.
pub async fn tell(passed: Passed<'_>, error: Option<&HandlerError>) {
    let (message, status, retry_after) = match error {
        None => return passed.succeeded().await,
        Some(HandlerError::Transient {
            message,
            status,
            retry_after,
        }) => (message, *status, *retry_after),
        Some(HandlerError::Permanent { status: Some(_), .. }) => return passed.answered().await,
        // Nothing was sent.
        Some(HandlerError::Permanent { status: None, .. } | HandlerError::Deferred { .. }) => return,
    };
    match status {
        Some(TOO_MANY) => {
            let after = retry_after.map(|asked| asked.min(LONGEST_THROTTLE));
            passed.throttled(after, "webhook", None).await;
        }
        Some(500..) | None => {
            if let Some(pause) = passed.failed(message).await {
                tracing::warn!(
                    pause_s = pause.as_secs(),
                    error = message,
                    "the endpoint of a webhook failed several times in a row and is left alone"
                );
            }
        }
        Some(_) => passed.answered().await,
    }
}
