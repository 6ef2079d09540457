//! Chat: one question, to be answered as text or as JSON of a schema. Pure; `completion` reads the answer.

use serde_json::{Map, Value, json};

use super::dialect::{Dialect, JsonMode, LengthName};
use super::refusal::Parameter;
use super::schema::Schema;
use super::usage::{Usage, estimate_tokens};
use zerodb_hooks_delivery::hook::Principal;

#[derive(Debug, Clone, Copy)]
pub struct ChatRequest<'a> {
    /// The hook that asks, by which turns are shared out; `None` for an operator.
    pub who: Option<&'a Principal>,
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

/// The reason why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    Stop,
    /// It stopped at `max_tokens`: the text is cut. JSON that is whole all the same is taken; else it is an error,
    /// `truncated`.
    Length,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ChatAnswer {
    /// Without reasoning; never empty.
    pub text: String,
    /// The JSON that fits the schema, where one was given.
    pub json: Option<Value>,
    /// The tokens of all requests that it took.
    pub usage: Usage,
    pub finish: Finish,
    /// The name to store beside the result: `Provider::identity` of the request's model.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EncodingFormat;

    fn schema() -> Schema {
        Schema {
            name: "one".into(),
            value: json!({"type": "object", "additionalProperties": false, "required": ["a"],
                          "properties": {"a": {"type": "integer"}}}),
        }
    }

    fn sent(schema: Option<&Schema>, dialect: Dialect) -> Value {
        let request = ChatRequest {
            who: None,
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
}
