//! `webhook`: an HTTP request for the event, signed as Standard Webhooks.

use std::time::SystemTime;

use async_trait::async_trait;

use crate::handshake::Handshakes;
use crate::refusal::{refused_or_transient, secret_error};
use crate::{cloud_event, signing, webhook_body};
use zerodb_hooks_contract::headers::is_reserved;
use zerodb_hooks_contract::hooks;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_delivery::secret::HookSecrets;
use zerodb_hooks_engine::{Context, Handler};
use zerodb_hooks_http::{Answer, HttpError, Method, Read, Request, UrlSource, host_and_port, signature};

/// The endpoint says that it will not come back.
const GONE: u16 = 410;

#[derive(Default)]
pub struct Webhook {
    handshakes: Handshakes,
}

#[async_trait]
impl Handler for Webhook {
    async fn run(&self, context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        let request = self.request(context, delivery).await?;
        let answer = context.http.send(request).await.map_err(refused_or_transient)?;
        if answer.status == GONE {
            switch_off(context, &delivery.hook).await;
        }
        verdict(&answer)
    }
}

impl Webhook {
    async fn request(&self, context: &Context, delivery: &Delivery) -> Result<Request, HandlerError> {
        let hook = &delivery.hook;
        let config = hook.config::<hooks::Webhook>()?;
        let mut secrets = context.secrets.of_hook(hook.tenant());
        let url = secrets.expand(&config.url).map_err(secret_error)?;
        let own = own_headers(config, &mut secrets)?;
        let signing = signing::secrets_of(context, hook, config, &mut secrets).await?;
        let in_body = webhook_body::secrets(config, &mut secrets).map_err(secret_error)?;
        // Where it goes is known only now: the URL may be a secret itself.
        let (host, port) =
            host_and_port(&url).ok_or_else(|| HandlerError::permanent("the url is not valid"))?;
        secrets.check_host(&host, port).map_err(secret_error)?;
        if config.handshake {
            self.handshakes
                .shake(context, hook, &url, &own, hook.policy.timeout)
                .await?;
        }
        let written = webhook_body::write(context, delivery, content_type(&own), &in_body).await?;
        let body = written.text;
        let mut headers = vec![("content-type".to_owned(), written.content_type.to_owned())];
        if let Some(traceparent) = &delivery.event.traceparent {
            headers.push(("traceparent".into(), traceparent.clone()));
        }
        headers.extend(own);
        if config.format == hooks::Format::CloudEventsBinary {
            headers.extend(cloud_event::headers(&delivery.event));
        }
        headers.extend(signature_headers(signing.as_deref(), delivery, &body)?);
        Ok(Request {
            url,
            url_source: UrlSource::Hook,
            method: match config.method {
                hooks::Method::Post => Method::Post,
                hooks::Method::Put => Method::Put,
            },
            headers,
            body,
            timeout: hook.policy.timeout,
            read: Read::Discard,
        })
    }
}

/// The headers of the config.
fn own_headers(
    config: &hooks::Webhook,
    secrets: &mut HookSecrets<'_>,
) -> Result<Vec<(String, String)>, HandlerError> {
    let mut expanded = Vec::new();
    for (name, value) in config.headers.iter() {
        let name = name.to_lowercase();
        // A row may be older than the check.
        if is_reserved(&name) {
            let reason = format!("the header {name:?} is the worker's own");
            return Err(refused_or_transient(HttpError::Refused { reason }));
        }
        expanded.push((name, secrets.expand(value).map_err(secret_error)?));
    }
    Ok(expanded)
}

/// The content type that the config gives.
fn content_type(own: &[(String, String)]) -> Option<&str> {
    let given = own.iter().find(|(name, _)| name == "content-type");
    given.map(|(_, value)| value.as_str())
}

/// `webhook-id`, `webhook-timestamp` and, when there is a secret, `webhook-signature`.
fn signature_headers(
    secret: Option<&str>,
    delivery: &Delivery,
    body: &str,
) -> Result<Vec<(String, String)>, HandlerError> {
    let now = jiff::Timestamp::now().as_second();
    let mut headers = vec![
        ("webhook-id".to_owned(), delivery.message_id.to_string()),
        ("webhook-timestamp".to_owned(), now.to_string()),
    ];
    if let Some(secret) = secret {
        let signed = signature::sign(secret, &delivery.message_id.to_string(), now, body)
            .map_err(|error| HandlerError::permanent(error.to_string()))?;
        headers.push(("webhook-signature".into(), signed));
    }
    Ok(headers)
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
fn verdict(answer: &Answer) -> Result<Done, HandlerError> {
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
