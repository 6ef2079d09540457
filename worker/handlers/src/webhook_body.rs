//! The body of a webhook and its content type: the envelope, a CloudEvent, or the text of a template. A body of a JSON
//! content type is checked to be JSON.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::cloud_event;
use zerodb_hooks_contract::hooks::{self, Format};
use zerodb_hooks_contract::secret::{Part, parts};
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_delivery::secret::{HookSecrets, SecretError};
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

/// The values of the secrets that the template of the body refers to, by name.
///
/// # Errors
/// Those of a secret.
pub fn secrets(
    config: &hooks::Webhook,
    secrets: &mut HookSecrets<'_>,
) -> Result<HashMap<String, String>, SecretError> {
    let names = config
        .body_template
        .iter()
        .flat_map(|template| template.references());
    names
        .map(|name| Ok((name.to_owned(), secrets.expand(&format!("${{{name}}}"))?)))
        .collect()
}

/// Writes the body; `given` is the content type that the config gives, `secrets` what its template refers to.
///
/// # Errors
/// Those of a template. Permanent, where it makes no JSON and should.
pub async fn write(
    context: &Context,
    delivery: &Delivery,
    given: Option<&str>,
    secrets: &HashMap<String, String>,
) -> Result<Written, HandlerError> {
    let (hook, event) = (&delivery.hook, &delivery.event);
    let config = hook.config::<hooks::Webhook>()?;
    match (&config.body_template, config.format) {
        (Some(source), _) => {
            let as_json = given.map_or_else(|| zerodb_hooks_templates::begins_json(source), is_json);
            let places = Places::of(source, secrets);
            let rendering = context
                .templates
                .of_event_as(hook, &places.template, event, MOST, as_json);
            of_template(places.filled(&rendering.await?, as_json), as_json)
        }
        (None, Format::CloudEvents) => Ok(Written {
            content_type: "application/cloudevents+json",
            text: text(cloud_event::structured(event)),
        }),
        (None, Format::CloudEventsBatch) => Ok(Written {
            content_type: "application/cloudevents-batch+json",
            text: format!("[{}]", cloud_event::structured(event).get()),
        }),
        (None, Format::CloudEventsBinary) => Ok(Written {
            content_type: JSON,
            text: event.data.text().to_owned(),
        }),
        (None, Format::Native) => Ok(Written {
            content_type: JSON,
            text: text(event.envelope()),
        }),
    }
}

/// A template with marks in the places of its references. The marks are drawn for this one rendering, so that nothing
/// an event holds can be one.
struct Places<'a> {
    template: Cow<'a, str>,
    /// Each mark, and what it stands for.
    values: Vec<(String, &'a str)>,
}

impl<'a> Places<'a> {
    fn of(template: &'a str, secrets: &'a HashMap<String, String>) -> Self {
        if secrets.is_empty() {
            return Self {
                template: template.into(),
                values: Vec::new(),
            };
        }
        let nonce = uuid::Uuid::new_v4().simple();
        let mut values = Vec::new();
        let mut mark = |name: &str| {
            let value = secrets.get(name)?;
            let mark = format!("zerodb{nonce}n{}e", values.len());
            values.push((mark.clone(), value.as_str()));
            Some(mark)
        };
        let replaced = zerodb_hooks_templates::with_texts(template, |text| {
            let one = |part| match part {
                Part::Plain(plain) => plain.to_owned(),
                Part::Reference(name) => mark(name).unwrap_or_else(|| format!("${{{name}}}")),
                Part::NotClosed(rest) => format!("${{{rest}"),
            };
            parts(text).map(one).collect()
        });
        Self {
            // What cannot be read is not rendered either.
            template: replaced.map_or(template.into(), Cow::from),
            values,
        }
    }

    /// The rendered text with the values, as JSON has them within a string where it is JSON.
    fn filled(&self, rendered: &str, as_json: bool) -> String {
        let mut text = rendered.to_owned();
        for (mark, value) in &self.values {
            text = match as_json {
                true => text.replace(mark.as_str(), &zerodb_hooks_templates::within(value)),
                false => text.replace(mark.as_str(), value),
            };
        }
        text
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
    fn secrets_stand_where_the_template_names_them_and_nowhere_else() {
        let secrets = HashMap::from([("ZERODB_SECRET_A".to_owned(), "k\"3y".to_owned())]);
        let template =
            r#"{"key": "${ZERODB_SECRET_A}", "other": "${HOME} ${ZERODB_SECRET_B}", "n": {{ n }}}"#;
        let places = Places::of(template, &secrets);
        assert!(!places.template.contains("k\"3y") && places.template.contains("{{ n }}"));
        let rendered = places.template.replace("{{ n }}", "\"${ZERODB_SECRET_A}\"");
        assert_eq!(
            places.filled(&rendered, true),
            r#"{"key": "k\"3y", "other": "${HOME} ${ZERODB_SECRET_B}", "n": "${ZERODB_SECRET_A}"}"#
        );
        assert!(places.filled(&rendered, false).starts_with(r#"{"key": "k"3y""#));
        let again = Places::of(template, &secrets);
        assert_ne!(places.template, again.template);
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
