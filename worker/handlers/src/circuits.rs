//! The circuit breakers of webhooks' endpoints, one for each user and origin, and the limits of hooks. What may not be
//! sent yet is deferred, and costs no attempt. What all workers know of an endpoint is the gate's.

use std::collections::HashMap;
use std::hash::Hash;
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

/// Breakers and paces that are kept. When there are more, those go of which nothing is known.
const KEPT: usize = 10_000;
/// The longest pause for a rate that an endpoint refused; a delivery itself waits as long as it was asked to.
const LONGEST_THROTTLE: Duration = Duration::from_secs(3600);
/// Deliveries that may come back in a minute, from each worker, to see whether an endpoint is left alone.
const TURNS_A_MINUTE: u32 = 200 * 60;
/// A refusal for the rate.
const TOO_MANY: u16 = 429;

#[derive(Default)]
pub struct Circuits {
    breakers: Mutex<HashMap<String, Arc<Breaker>>>,
    /// When the next deferred delivery of a limited hook has its turn.
    paces: Mutex<HashMap<(Uuid, i64), Pace>>,
    /// The same of an endpoint that is left alone, by the breaker's name.
    turns: Mutex<HashMap<String, Pace>>,
}

impl Circuits {
    pub fn breaker(&self, context: &Context, delivery: &Delivery, config: &hooks::Webhook) -> Arc<Breaker> {
        let name = endpoint::of_webhook(&delivery.hook, delivery.event.user_id, &config.url);
        let mut breakers = self.breakers.lock();
        if let Some(breaker) = breakers.get(&name) {
            return Arc::clone(breaker);
        }
        if breakers.len() >= KEPT {
            breakers.retain(|_, breaker| !breaker.is_quiet());
        }
        if breakers.len() >= KEPT {
            // Those of the same user first: one that calls many endpoints must not open those of others.
            let whose = endpoint::user_of(&name);
            breakers.retain(|other, _| endpoint::user_of(other) != whose);
        }
        if breakers.len() >= KEPT {
            breakers.clear();
        }
        let breaker = Arc::new(Breaker::new(name.clone(), Arc::clone(&context.gate)));
        breakers.insert(name, Arc::clone(&breaker));
        breaker
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
        Err(HandlerError::Deferred {
            message: format!("rate_limited: the hook has a limit of {per_minute} a minute"),
            after: turn(&self.paces, (hook.id, hook.version), per_minute, wait.after),
        })
    }

    /// The leave to send now.
    ///
    /// # Errors
    /// `Deferred`, while the endpoint is left alone, each delivery to a turn of its own: a backlog that came back as a
    /// whole at the end of each pause would be claimed and put off again by all its rows.
    pub async fn pass<'a>(&self, breaker: &'a Breaker) -> Result<Passed<'a>, HandlerError> {
        let waits = breaker.pass(RateLimits::default(), 0).await;
        waits.map_err(|wait| {
            // Those that several workers put off do not come back at one moment.
            let first = wait.after.mul_f64(1.0 + rand::random::<f64>() / 4.0);
            HandlerError::Deferred {
                message: why(&wait).into(),
                after: turn(&self.turns, breaker.name().to_owned(), TURNS_A_MINUTE, first),
            }
        })
    }
}

/// The time until the next turn of those who wait for `key`.
fn turn<K: Eq + Hash>(paces: &Mutex<HashMap<K, Pace>>, key: K, per_minute: u32, first: Duration) -> Duration {
    let mut paces = paces.lock();
    if paces.len() >= KEPT {
        paces.clear();
    }
    paces.entry(key).or_default().next(per_minute, first)
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
