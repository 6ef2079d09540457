//! `webhook`: an HTTP request for the event, signed as Standard Webhooks. Config: `url`, `method`, `headers`,
//! `body_template`, `timeout_ms`, `retry_count`, `retry_delay_ms`, `secret`, `format`.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Context, Handler, template};
use crate::delivery::Delivery;
use crate::event::Event;
use crate::http::{Answer, HttpError, Method, Request, signature};
use crate::outcome::{Done, HandlerError};
use crate::secret::SecretError;

/// The secret that signs the requests of hooks that name none.
const DEFAULT_SECRET: &str = "ZERODB_SECRET_WEBHOOK";

pub struct Webhook;

#[async_trait]
impl Handler for Webhook {
    async fn run(&self, context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        let request = request(context, delivery)?;
        let answer = context.http.send(request).await.map_err(refused_or_transient)?;
        verdict(&answer)
    }
}

fn request(context: &Context, delivery: &Delivery) -> Result<Request, HandlerError> {
    let hook = &delivery.hook;
    let url = hook
        .text("url")
        .ok_or_else(|| HandlerError::permanent("the config has no url"))?;
    let (content_type, body) = body(delivery)?;
    let mut headers = vec![("content-type".to_owned(), content_type.to_owned())];
    if let Some(traceparent) = &delivery.event.traceparent {
        headers.push(("traceparent".into(), traceparent.clone()));
    }
    let own = hook.config.get("headers").and_then(Value::as_object);
    for (name, value) in own.into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        headers.push((
            name.to_lowercase(),
            context.secrets.expand(value).map_err(secret_error)?,
        ));
    }
    headers.extend(signature_headers(context, delivery, &body)?);
    Ok(Request {
        url: context.secrets.expand(url).map_err(secret_error)?,
        method: if hook.text("method") == Some("PUT") {
            Method::Put
        } else {
            Method::Post
        },
        headers,
        body,
        timeout: hook.policy.timeout,
    })
}

/// The body as it is sent and signed, with its content type.
fn body(delivery: &Delivery) -> Result<(&'static str, String), HandlerError> {
    let event = &delivery.event;
    match (delivery.hook.text("body_template"), delivery.hook.text("format")) {
        (Some(source), _) => Ok(("application/json", template::render(source, event)?)),
        (None, Some("cloudevents")) => Ok(("application/cloudevents+json", cloud_event(event).to_string())),
        (None, _) => Ok(("application/json", event.envelope().to_string())),
    }
}

/// The event in the structured JSON mode of CloudEvents 1.0.
fn cloud_event(event: &Event) -> Value {
    json!({
        "specversion": "1.0",
        "id": event.id.to_string(),
        "type": event.event_type,
        "source": format!("/zerodb/{}", event.channel),
        "time": event.timestamp(),
        "datacontenttype": "application/json",
        "data": event.data,
    })
}

/// `webhook-id`, `webhook-timestamp` and, when there is a secret, `webhook-signature`.
fn signature_headers(
    context: &Context,
    delivery: &Delivery,
    body: &str,
) -> Result<Vec<(String, String)>, HandlerError> {
    let secret = match delivery.hook.text("secret") {
        Some(reference) => Some(context.secrets.expand(reference).map_err(secret_error)?),
        None => context.secrets.get(DEFAULT_SECRET).map(str::to_owned),
    };
    let now = jiff::Timestamp::now().as_second();
    let mut headers = vec![
        ("webhook-id".to_owned(), delivery.message_id.to_string()),
        ("webhook-timestamp".to_owned(), now.to_string()),
    ];
    if let Some(secret) = secret {
        let signed = signature::sign(&secret, &delivery.message_id.to_string(), now, body)
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
            let retry_after = answer.retry_after.map(Duration::from_secs);
            Err(HandlerError::Transient {
                message,
                status,
                retry_after,
            })
        }
    }
}
