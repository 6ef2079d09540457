//! `webhook`: an HTTP request for the event, signed as Standard Webhooks.

use std::time::SystemTime;

use async_trait::async_trait;

use crate::webhook_body;
use zerodb_hooks_contract::headers::is_reserved;
use zerodb_hooks_contract::hooks;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_delivery::secret::{HookSecrets, SIGNING, SecretError};
use zerodb_hooks_engine::{Context, Handler};
use zerodb_hooks_http::{Answer, HttpError, Method, Read, Request, UrlSource, host_and_port, signature};

pub struct Webhook;

#[async_trait]
impl Handler for Webhook {
    async fn run(&self, context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        let request = request(context, delivery).await?;
        let answer = context.http.send(request).await.map_err(refused_or_transient)?;
        verdict(&answer)
    }
}

async fn request(context: &Context, delivery: &Delivery) -> Result<Request, HandlerError> {
    let hook = &delivery.hook;
    let config = hook.config::<hooks::Webhook>()?;
    let mut secrets = context.secrets.of_hook(hook.tenant());
    let url = secrets.expand(&config.url).map_err(secret_error)?;
    let own = own_headers(config, &mut secrets)?;
    let signing = signing_secret(context, hook, config, &mut secrets)?;
    // Where it goes is known only now: the URL may be a secret itself.
    let (host, port) = host_and_port(&url).ok_or_else(|| HandlerError::permanent("the url is not valid"))?;
    secrets.check_host(&host, port).map_err(secret_error)?;
    let written = webhook_body::write(context, delivery, content_type(&own)).await?;
    let body = written.text;
    let mut headers = vec![("content-type".to_owned(), written.content_type.to_owned())];
    if let Some(traceparent) = &delivery.event.traceparent {
        headers.push(("traceparent".into(), traceparent.clone()));
    }
    headers.extend(own);
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

/// The secret that signs; `None` where there is none.
fn signing_secret(
    context: &Context,
    hook: &Hook,
    config: &hooks::Webhook,
    secrets: &mut HookSecrets<'_>,
) -> Result<Option<String>, HandlerError> {
    if let Some(reference) = &config.secret {
        return secrets.expand(reference).map(Some).map_err(secret_error);
    }
    let default = context.secrets.get(SIGNING);
    match (default, hook.tenant()) {
        (Some(secret), Some(tenant)) => signature::of_tenant(secret, tenant)
            .map(Some)
            .map_err(|error| HandlerError::permanent(error.to_string())),
        (secret, _) => Ok(secret.map(str::to_owned)),
    }
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

/// A secret that is not set may be set when the worker is started again: the delivery waits for it.
fn secret_error(error: SecretError) -> HandlerError {
    match error {
        SecretError::NotSet { .. } => HandlerError::transient(error.to_string()),
        _ => HandlerError::permanent(error.to_string()),
    }
}

fn refused_or_transient(error: HttpError) -> HandlerError {
    match error {
        HttpError::Refused { .. } | HttpError::Invalid { .. } => HandlerError::permanent(error.to_string()),
        _ => HandlerError::transient(error.to_string()),
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
        410 => Err(HandlerError::Permanent { message, status }),
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
