//! The body of a webhook and its content type: the envelope, a CloudEvent, or the text of a template. A body of a JSON
//! content type is checked to be JSON.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use zerodb_hooks_contract::hooks::{self, Format};
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::event::Event;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::Context;

/// The most bytes of a body that a template may write.
const MOST: usize = 4 << 20;
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// A body as it is sent and signed.
pub struct Written {
    /// The content type of the request, unless the config gives another.
    pub content_type: &'static str,
    pub text: String,
}

/// Writes the body; `given` is the content type that the config gives.
///
/// # Errors
/// Those of a template. Permanent, where it makes no JSON and should.
pub async fn write(
    context: &Context,
    delivery: &Delivery,
    given: Option<&str>,
) -> Result<Written, HandlerError> {
    let (hook, event) = (&delivery.hook, &delivery.event);
    let config = hook.config::<hooks::Webhook>()?;
    match (&config.body_template, config.format) {
        (Some(source), _) => {
            let as_json = given.map_or_else(|| zerodb_hooks_templates::begins_json(source), is_json);
            let rendering = context.templates.of_event_as(hook, source, event, MOST, as_json);
            of_template(rendering.await?, as_json)
        }
        (None, Format::CloudEvents) => Ok(Written {
            content_type: "application/cloudevents+json",
            text: text(cloud_event(event)),
        }),
        (None, Format::Native) => Ok(Written {
            content_type: JSON,
            text: text(event.envelope()),
        }),
    }
}

fn text(json: Box<RawValue>) -> String {
    Box::<str>::from(json).into_string()
}

/// A template that is not written as JSON may make some nevertheless: `{{ data|tojson }}`.
fn of_template(text: String, as_json: bool) -> Result<Written, HandlerError> {
    let content_type = match serde_json::from_str::<&RawValue>(&text) {
        Ok(_) => JSON,
        Err(_) if !as_json => TEXT,
        Err(wrong) => {
            return Err(HandlerError::permanent(format!(
                "body_template makes no JSON of this event, at line {}, column {}: write {{{{ field|tojson }}}}, without quotes around it, or give another Content-Type in headers",
                wrong.line(),
                wrong.column()
            )));
        }
    };
    Ok(Written { content_type, text })
}

/// True for a content type that is JSON: `application/json`, or one with the suffix `+json`.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json")
}

/// The structured JSON mode of CloudEvents 1.0. `bankid` and `traceparent` are extension attributes; the second is that
/// of the Distributed Tracing extension.
#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: String,
    #[serde(rename = "type")]
    event_type: &'a str,
    source: String,
    time: String,
    datacontenttype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bankid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    data: &'a RawValue,
}

fn cloud_event(event: &Event) -> Box<RawValue> {
    // An attribute is not empty (CloudEvents, Type System).
    let bankid = event.bank_id.as_deref().filter(|bank| !bank.is_empty());
    let made = to_raw_value(&CloudEvent {
        specversion: "1.0",
        id: event.id.to_string(),
        event_type: &event.event_type,
        source: format!("/zerodb/{}", event.channel),
        time: event.timestamp(),
        datacontenttype: JSON,
        bankid,
        traceparent: event.traceparent.as_deref(),
        data: event.data.raw(),
    });
    // Texts and raw JSON cannot fail to be written.
    made.unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_known_by_its_type() {
        for (content_type, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/vnd.x+json", true),
            ("text/json", true),
            ("text/plain", false),
            ("application/x-ndjson", false),
            ("application/jsonl", false),
            ("", false),
        ] {
            assert_eq!(is_json(content_type), expected, "{content_type}");
        }
    }

    #[test]
    fn what_is_said_to_be_json_is_json() {
        let of = |text: &str, as_json| of_template(text.into(), as_json).map(|body| body.content_type);
        assert_eq!(of("{\"a\": 1e999}", true).unwrap(), JSON);
        assert_eq!(of("[1]", false).unwrap(), JSON);
        assert_eq!(of("1 2", false).unwrap(), TEXT);
        let said = of("{\"secret\": x}", true).unwrap_err().to_string();
        assert!(said.contains("column 12") && !said.contains("secret"), "{said}");
    }
}
