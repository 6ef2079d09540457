//! The request of a webhook: where it goes, its headers, its body and its signatures. Nothing is sent here; a signing
//! secret that was asked for and is not there yet is drawn.

use crate::refusal::{refused_or_transient, secret_error};
use crate::{cloud_event, content, signing, webhook_body};
use zerodb_hooks_contract::headers::is_reserved;
use zerodb_hooks_contract::hooks;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_delivery::secret::HookSecrets;
use zerodb_hooks_engine::Context;
use zerodb_hooks_http::{HttpError, Method, Read, Request, UrlSource, host_and_port, signature};

/// A request that is ready to be sent.
pub struct Prepared {
    pub request: Request,
    /// The headers of the hook's config.
    pub own: Vec<(String, String)>,
}

/// # Errors
/// Those of a secret, of a template, of reading the row's text, and of a signature. Permanent for a URL that is none.
pub async fn of(context: &Context, delivery: &Delivery) -> Result<Prepared, HandlerError> {
    let hook = &delivery.hook;
    let config = hook.config::<hooks::Webhook>()?;
    let mut secrets = context.secrets.of_hook(hook.tenant());
    let url = secrets.expand(&config.url).map_err(secret_error)?;
    let own = own_headers(config, &mut secrets)?;
    let signing = signing::secrets_of(context, hook, config, &mut secrets).await?;
    let in_body = webhook_body::secrets(config, &mut secrets).map_err(secret_error)?;
    // Where it goes is known only now: the URL may be a secret itself.
    let (host, port) = host_and_port(&url).ok_or_else(|| HandlerError::permanent("the url is not valid"))?;
    secrets.check_host(&host, port).map_err(secret_error)?;
    let delivery = &*content::added(context, delivery, config).await?;
    let written = webhook_body::write(context, delivery, content_type(&own), &in_body).await?;
    let body = written.text;
    let mut headers = vec![("content-type".to_owned(), written.content_type.to_owned())];
    if let Some(traceparent) = &delivery.event.traceparent {
        headers.push(("traceparent".into(), traceparent.clone()));
    }
    headers.extend(own.iter().cloned());
    if config.format == hooks::Format::CloudEventsBinary {
        headers.extend(cloud_event::headers(&delivery.event));
    }
    headers.extend(signature_headers(signing.as_deref(), delivery, &body)?);
    let request = Request {
        url,
        url_source: UrlSource::Hook,
        method: match config.method {
            hooks::Method::Post => Method::Post,
            hooks::Method::Put => Method::Put,
        },
        headers,
        body: body.into_bytes(),
        timeout: hook.policy.timeout,
        read: Read::Discard,
    };
    Ok(Prepared { request, own })
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
