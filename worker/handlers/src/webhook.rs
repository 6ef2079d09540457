//! `webhook`: an HTTP request for the event, signed as Standard Webhooks.

use std::time::SystemTime;

use async_trait::async_trait;

use crate::circuits::{self, Circuits};
use crate::handshake::Handshakes;
use crate::refusal::{refused_or_transient, result_of};
use crate::webhook_request::{self, Prepared};
use zerodb_hooks_contract::hooks;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_engine::{Context, Handler};
use zerodb_hooks_http::{Answer, Request};
use zerodb_hooks_metrics::WebhookResult;

/// The endpoint says that it will not come back.
const GONE: u16 = 410;

#[derive(Default)]
pub struct Webhook {
    handshakes: Handshakes,
    circuits: Circuits,
}

/// What came of a request.
struct Sent {
    done: Result<Done, HandlerError>,
    /// The guard kept it from leaving: its address is not one that the worker calls.
    was_blocked: bool,
}

#[async_trait]
impl Handler for Webhook {
    async fn run(&self, context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        let prepared = webhook_request::of(context, delivery).await?;
        let config = delivery.hook.config::<hooks::Webhook>()?;
        self.circuits.keep_pace(context, delivery, config).await?;
        let endpoint = self.circuits.endpoint(context, delivery, config);
        let passed = endpoint.pass().await?;
        let Sent { done, was_blocked } = self.send(context, &delivery.hook, prepared).await;
        if was_blocked {
            // Nothing was sent, which says nothing about the endpoint.
            drop(passed);
        } else {
            circuits::tell(passed, done.as_ref().err()).await;
        }
        done
    }
}

impl Webhook {
    /// The request for a delivery, once its endpoint has consented where the hook asks for that.
    ///
    /// # Errors
    /// Those of `webhook_request::of`, and of the handshake.
    pub async fn request(&self, context: &Context, delivery: &Delivery) -> Result<Request, HandlerError> {
        let prepared = webhook_request::of(context, delivery).await?;
        self.consented(context, &delivery.hook, prepared).await
    }

    async fn consented(
        &self,
        context: &Context,
        hook: &Hook,
        prepared: Prepared,
    ) -> Result<Request, HandlerError> {
        let Prepared { request, own } = prepared;
        if hook.config::<hooks::Webhook>()?.handshake {
            self.handshakes
                .shake(context, hook, &request.url, &own, hook.policy.timeout)
                .await?;
        }
        Ok(request)
    }

    async fn send(&self, context: &Context, hook: &Hook, prepared: Prepared) -> Sent {
        let request = match self.consented(context, hook, prepared).await {
            Ok(request) => request,
            Err(error) => {
                return Sent {
                    done: Err(error),
                    was_blocked: false,
                };
            }
        };
        let answer = context.http.send(request).await;
        let result = match &answer {
            Ok(answer) => WebhookResult::Answered(answer.status),
            Err(error) => result_of(error),
        };
        let was_blocked = matches!(result, WebhookResult::Blocked);
        context.meters.webhook_requested(result);
        let done = match answer.map_err(refused_or_transient) {
            Ok(answer) => {
                if answer.status == GONE {
                    switch_off(context, hook).await;
                }
                verdict(&answer)
            }
            Err(error) => Err(error),
        };
        Sent { done, was_blocked }
    }
}

/// Switches the hook off whose endpoint is gone. One that has changed meanwhile may have another endpoint and stays; so
/// does one that the database cannot be told of: the next answer says the same.
async fn switch_off(context: &Context, hook: &Hook) {
    let reason = "the endpoint answered 410: it is gone for good";
    match context.store.disable_hook(hook.id, hook.version, reason).await {
        Ok(true) => tracing::warn!(hook.name = %hook.name, reason, "a hook was switched off"),
        Ok(false) => {}
        Err(error) => tracing::warn!(hook.name = %hook.name, %error, "a hook was not switched off"),
    }
}

/// 2xx is a success. Redirects are not followed and 410 says that the endpoint is gone for good; anything else may be
/// mended by whoever runs the endpoint, so it is tried again.
pub fn verdict(answer: &Answer) -> Result<Done, HandlerError> {
    let status = Some(answer.status);
    let message = format!("the endpoint answered {}", answer.status);
    match answer.status {
        200..=299 => Ok(Done { status }),
        300..=399 => Err(HandlerError::Permanent {
            message: message + "; redirects are not followed",
            status,
        }),
        GONE => Err(HandlerError::Permanent { message, status }),
        _ => {
            let retry_after = answer.retry_after(SystemTime::now());
            Err(HandlerError::Transient {
                message,
                status,
                retry_after,
            })
        }
    }
}
