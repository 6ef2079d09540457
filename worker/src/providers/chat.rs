//! Chat: one question with one answer, as text or as JSON of a schema. Pure.

use serde_json::{Map, Value, json};

use super::dialect::{Dialect, JsonMode, LengthName};
use super::error::{Class, Fault, fault};
use super::json_text;
use super::refusal::Parameter;
use super::schema::Schema;
use super::usage::{Usage, estimate_tokens};

#[derive(Debug, Clone, Copy)]
pub struct ChatRequest<'a> {
    /// A name or alias of the provider's `models`; `None` for its default.
    pub model: Option<&'a str>,
    pub system: &'a str,
    pub user: &'a str,
    /// `None`: the answer is text.
    pub schema: Option<&'a Schema>,
    /// The most tokens of the answer.
    pub max_tokens: Option<u32>,
    /// Left out where a model refuses it.
    pub temperature: Option<f32>,
}

/// Why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    Stop,
    /// At `max_tokens`: the text is cut. With a schema this is an error, `truncated`.
    Length,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ChatAnswer {
    /// Without reasoning; never empty.
    pub text: String,
    /// With a schema: fits it.
    pub json: Option<Value>,
    /// Of all requests that it took.
    pub usage: Usage,
    pub finish: Finish,
    /// What to store beside the result: `Provider::identity` of the request's model.
    pub model: String,
    pub request_id: Option<String>,
}

/// The body for `model`, by the server's own name.
pub(super) fn body(model: &str, request: &ChatRequest<'_>, dialect: Dialect) -> String {
    let mut body = Map::new();
    body.insert("model".into(), model.into());
    let mut system = request.system.to_owned();
    if let Some(schema) = request.schema {
        if dialect.json.tells_schema() {
            system.push_str(&told(schema));
        }
        if let Some(format) = response_format(schema, dialect.json) {
            body.insert("response_format".into(), format);
        }
    }
    let messages = [("system", system.as_str()), ("user", request.user)];
    let messages = messages.iter().filter(|(_, content)| !content.is_empty());
    body.insert(
        "messages".into(),
        messages
            .map(|(role, content)| json!({"role": role, "content": content}))
            .collect(),
    );
    if let (Some(most), Some(name)) = (request.max_tokens, length_name(dialect.length)) {
        body.insert(name.into(), most.into());
    }
    if let Some(temperature) = request.temperature.filter(|_| dialect.temperature) {
        // Through its text: 0.2 as f32 is 0.20000000298 as f64.
        let shortest: f64 = temperature.to_string().parse().unwrap_or_default();
        body.insert("temperature".into(), shortest.into());
    }
    Value::Object(body).to_string()
}

/// The parameters of a body that a server may refuse.
pub(super) fn parameters(request: &ChatRequest<'_>, dialect: Dialect) -> Vec<Parameter> {
    let sent = [
        (
            Parameter::ResponseFormat,
            request.schema.is_some() && dialect.json != JsonMode::Prompt,
        ),
        (
            Parameter::MaxTokens,
            request.max_tokens.is_some() && dialect.length != LengthName::Unlimited,
        ),
        (
            Parameter::Temperature,
            request.temperature.is_some() && dialect.temperature,
        ),
    ];
    sent.into_iter()
        .filter_map(|(parameter, is_sent)| is_sent.then_some(parameter))
        .collect()
}

/// The estimate of what a request may take: its texts and the longest answer.
pub(super) fn tokens(request: &ChatRequest<'_>) -> u64 {
    estimate_tokens(request.system)
        .saturating_add(estimate_tokens(request.user))
        .saturating_add(u64::from(request.max_tokens.unwrap_or_default()))
}

fn length_name(name: LengthName) -> Option<&'static str> {
    match name {
        LengthName::MaxTokens => Some("max_tokens"),
        LengthName::MaxCompletionTokens => Some("max_completion_tokens"),
        LengthName::Unlimited => None,
    }
}

fn response_format(schema: &Schema, mode: JsonMode) -> Option<Value> {
    let named = json!({"name": schema.name, "schema": schema.value});
    match mode {
        JsonMode::Strict => {
            let mut named = named;
            named["strict"] = true.into();
            Some(json!({"type": "json_schema", "json_schema": named}))
        }
        JsonMode::Schema => Some(json!({"type": "json_schema", "json_schema": named})),
        JsonMode::Object => Some(json!({"type": "json_object"})),
        JsonMode::Prompt => None,
    }
}

/// Servers with `json_object` want the word JSON in the prompt.
fn told(schema: &Schema) -> String {
    format!(
        "\n\nAnswer with one JSON object and nothing else. It must fit this JSON schema:\n{}",
        schema.value
    )
}

/// What is taken from the body of a success.
#[derive(Debug, PartialEq)]
pub(super) struct Taken {
    pub text: String,
    pub json: Option<Value>,
    pub finish: Finish,
    /// Where the server says it.
    pub usage: Option<Usage>,
}

/// Checks a success in this order: choices, the reason of the end, a refusal, emptiness, JSON, the schema.
///
/// # Errors
/// With the first that is not well.
pub(super) fn read(body: &[u8], schema: Option<&Schema>) -> Result<Taken, Fault> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return fault(Class::NotJson, "the server's answer is no JSON");
    };
    let choice = &body["choices"][0];
    if !choice.is_object() {
        return fault(Class::NotJson, "the server's answer has no choices");
    }
    let finish = match choice["finish_reason"].as_str() {
        Some("length") if schema.is_some() => {
            return fault(
                Class::Truncated,
                "the answer ended at max_tokens, within its JSON",
            );
        }
        Some("length") => Finish::Length,
        Some("content_filter") => {
            return fault(
                Class::ContentFiltered,
                "the server's content filter stopped the answer",
            );
        }
        _ => Finish::Stop,
    };
    let message = &choice["message"];
    if message["refusal"]
        .as_str()
        .is_some_and(|refusal| !refusal.is_empty())
    {
        return fault(Class::Refused, "the model declined to answer");
    }
    let content = content(&message["content"]);
    let text = json_text::without_thoughts(&content).to_owned();
    if text.is_empty() {
        return match finish {
            Finish::Length => fault(Class::Truncated, "the answer ended at max_tokens before it began"),
            Finish::Stop => fault(Class::EmptyAnswer, "the answer is empty"),
        };
    }
    let json = match schema {
        Some(schema) => Some(checked(&text, schema)?),
        None => None,
    };
    Ok(Taken {
        text,
        json,
        finish,
        usage: Usage::reported(&body["usage"]),
    })
}

fn checked(text: &str, schema: &Schema) -> Result<Value, Fault> {
    let Some(value) = json_text::object(text) else {
        return fault(Class::InvalidJson, "the answer holds no JSON object");
    };
    match schema.check(&value) {
        Ok(()) => Ok(value),
        Err(place) => fault(
            Class::InvalidJson,
            format!("the answer does not fit the schema at {place}"),
        ),
    }
}

/// A text, or a list of parts with text.
fn content(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::config::EncodingFormat;

    fn schema() -> Schema {
        Schema {
            name: "one".into(),
            value: json!({"type": "object", "additionalProperties": false, "required": ["a"],
                          "properties": {"a": {"type": "integer"}}}),
        }
    }

    fn sent(schema: Option<&Schema>, dialect: Dialect) -> Value {
        let request = ChatRequest {
            model: None,
            system: "Be brief.",
            user: "Count.",
            schema,
            max_tokens: Some(10),
            temperature: Some(0.2),
        };
        serde_json::from_str(&body("m", &request, dialect)).unwrap()
    }

    #[test]
    fn each_step_of_the_ladder_asks_in_its_way() {
        let (schema, mut dialect) = (schema(), Dialect::new(EncodingFormat::Auto));
        let mut steps = Vec::new();
        loop {
            let body = sent(Some(&schema), dialect);
            let told = body["messages"][0]["content"].as_str().unwrap().contains("JSON");
            let format = &body["response_format"];
            steps.push((
                format["type"].as_str().map(str::to_owned),
                format["json_schema"]["strict"].as_bool(),
                told,
            ));
            match dialect.without(Parameter::ResponseFormat) {
                Some(next) => dialect = next,
                None => break,
            }
        }
        let of = |kind: &str| Some(kind.to_owned());
        assert_eq!(
            steps,
            [
                (of("json_schema"), Some(true), false),
                (of("json_schema"), None, false),
                (of("json_object"), None, true),
                (None, None, true)
            ]
        );
    }

    #[test]
    fn lengths_and_temperatures_follow_the_dialect() {
        let first = Dialect::new(EncodingFormat::Auto);
        let plain = sent(None, first);
        assert_eq!(
            (&plain["max_tokens"], &plain["temperature"]),
            (&json!(10), &json!(0.2))
        );
        assert!(plain.get("response_format").is_none());
        let next = first
            .without(Parameter::MaxTokens)
            .and_then(|next| next.without(Parameter::Temperature))
            .unwrap();
        let other = sent(None, next);
        assert_eq!(other["max_completion_tokens"], json!(10));
        assert!(other.get("max_tokens").is_none() && other.get("temperature").is_none());
    }

    fn answer(choice: Value) -> Result<Taken, Fault> {
        read(
            json!({"choices": [choice]}).to_string().as_bytes(),
            Some(&schema()),
        )
    }

    fn class(choice: Value) -> Class {
        answer(choice).unwrap_err().class
    }

    #[test]
    fn the_first_of_several_faults_decides() {
        let message = |content: Value, refusal: Value| json!({"content": content, "refusal": refusal});
        let cases = [
            (
                json!({"finish_reason": "length", "message": message(json!("{\"a\":1}"), Value::Null)}),
                Class::Truncated,
            ),
            (
                json!({"finish_reason": "content_filter", "message": message(json!(""), json!("no"))}),
                Class::ContentFiltered,
            ),
            (
                json!({"finish_reason": "stop", "message": message(Value::Null, json!("I cannot."))}),
                Class::Refused,
            ),
            (
                json!({"finish_reason": "stop", "message": message(Value::Null, Value::Null)}),
                Class::EmptyAnswer,
            ),
            (
                json!({"finish_reason": "stop", "message": message(json!("<think>x</think>"), json!(""))}),
                Class::EmptyAnswer,
            ),
            (
                json!({"finish_reason": "stop", "message": message(json!("Sure!"), Value::Null)}),
                Class::InvalidJson,
            ),
            (
                json!({"finish_reason": "stop", "message": message(json!("{\"a\":\"x\"}"), Value::Null)}),
                Class::InvalidJson,
            ),
        ];
        for (choice, expected) in cases {
            assert_eq!(class(choice.clone()), expected, "{choice}");
        }
        assert_eq!(
            read(br#"{"choices":[]}"#, None).unwrap_err().class,
            Class::NotJson
        );
        assert_eq!(read(b"<html>", None).unwrap_err().class, Class::NotJson);
    }

    #[test]
    fn json_is_taken_from_fences_and_parts() {
        let fenced = json!({"finish_reason": "stop", "message": {"content": "```json\n{\"a\": 1}\n```"}});
        assert_eq!(answer(fenced).unwrap().json, Some(json!({"a": 1})));
        let parts = json!({"message": {"content": [{"type": "text", "text": "{\"a\""}, {"type": "text", "text": ": 2}"}]}});
        assert_eq!(answer(parts).unwrap().json, Some(json!({"a": 2})));
    }

    #[test]
    fn a_cut_text_is_returned_and_said_to_be_cut() {
        let body = json!({"choices": [{"finish_reason": "length", "message": {"content": "Once upon"}}]})
            .to_string();
        let taken = read(body.as_bytes(), None).unwrap();
        assert_eq!((taken.text.as_str(), taken.finish), ("Once upon", Finish::Length));
        let nothing =
            json!({"choices": [{"finish_reason": "length", "message": {"content": ""}}]}).to_string();
        assert_eq!(
            read(nothing.as_bytes(), None).unwrap_err().class,
            Class::Truncated
        );
    }
}
