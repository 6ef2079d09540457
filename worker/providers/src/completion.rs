//! Reads the answer to a chat. Servers and models differ in where the text is and what is around it; a clear answer is
//! taken, any other is refused with a class that says what to do. Pure.

use serde_json::Value;

use super::chat::Finish;
use super::error::{Class, Fault, fault};
use super::json_text::{self, Lack};
use super::schema::Schema;
use super::usage::Usage;
use super::{json_mend, wrapping};

/// The answer of the model in the body of a success.
#[derive(Debug, PartialEq)]
pub struct Completion {
    pub text: String,
    pub json: Option<Value>,
    pub finish: Finish,
    /// `None` where the server does not say it.
    pub usage: Option<Usage>,
}

/// Checks a success in this order: choices, the filter, a refusal, emptiness, JSON and its schema, the reason of the
/// end.
///
/// # Errors
/// The first check that fails.
pub fn read(body: &[u8], schema: Option<&Schema>) -> Result<Completion, Fault> {
    let Some(body) = parsed(body) else {
        return fault(Class::NotJson, no_json(body));
    };
    let Some(choice) = choice(&body) else {
        return fault(Class::NotJson, "the server's answer has no choices");
    };
    let finish = finish(choice)?;
    let message = &choice["message"];
    if is_refusal(message) {
        return fault(Class::Refused, "the model declined to answer");
    }
    let said = said(choice, schema.is_some());
    let answer = wrapping::answer(&said);
    if answer.is_empty() {
        return empty(message, finish, !said.trim().is_empty());
    }
    let (text, json) = match schema {
        Some(schema) => (answer.into(), Some(checked(answer, schema, finish)?)),
        None => (wrapping::prose(answer), None),
    };
    Ok(Completion {
        text: text.replace('\0', ""),
        json,
        finish,
        usage: Usage::reported(&body["usage"]),
    })
}

/// A body with half a letter in it, as from servers that cut an answer at a token, is still one.
fn parsed(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok().or_else(|| {
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        text.starts_with('{')
            .then(|| serde_json::from_str(&json_mend::mended(text)).ok())?
    })
}

fn no_json(body: &[u8]) -> &'static str {
    if body.starts_with(b"data:") || body.starts_with(b"event:") || body.starts_with(b":") {
        "the server streamed its answer although nobody asked it to; switch streaming off there"
    } else {
        "the server's answer is no JSON"
    }
}

/// The first choice; Ollama's own API has one message and no choices.
fn choice(body: &Value) -> Option<&Value> {
    let first = &body["choices"][0];
    if first.is_object() {
        return Some(first);
    }
    body["message"].is_object().then_some(body)
}

fn finish(choice: &Value) -> Result<Finish, Fault> {
    let reason = choice["finish_reason"]
        .as_str()
        .or_else(|| choice["done_reason"].as_str())
        .unwrap_or_default();
    match reason.to_ascii_lowercase().as_str() {
        "length" | "max_tokens" | "model_length" | "max_output_tokens" => Ok(Finish::Length),
        "content_filter" | "safety" | "recitation" | "prohibited_content" | "blocklist" => fault(
            Class::ContentFiltered,
            "the server's content filter stopped the answer",
        ),
        _ => Ok(Finish::Stop),
    }
}

fn is_refusal(message: &Value) -> bool {
    let says = |value: &Value| value.as_str().is_some_and(|refusal| !refusal.trim().is_empty());
    let parts = message["content"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    says(&message["refusal"]) || parts.iter().any(|part| says(&part["refusal"]))
}

/// The text of a choice. Where JSON is wanted, also the arguments of a tool: some gateways ask for JSON by way of one.
fn said(choice: &Value, json: bool) -> String {
    let message = &choice["message"];
    let content = match &message["content"] {
        Value::Null => content(&choice["text"]),
        given => content(given),
    };
    if !json || !content.trim().is_empty() {
        return content;
    }
    let called = &message["tool_calls"][0]["function"]["arguments"];
    let called = if called.is_null() {
        &message["function_call"]["arguments"]
    } else {
        called
    };
    self::content(called)
}

/// A text, a list of parts with text, or JSON that a gateway has read already. Parts of reasoning are no answer.
fn content(content: &Value) -> String {
    const REASONING: &[&str] = &["thinking", "reasoning", "redacted_thinking"];
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let is_said = |part: &&Value| {
                !part["type"]
                    .as_str()
                    .is_some_and(|kind| REASONING.contains(&kind))
            };
            parts.iter().filter(is_said).filter_map(text_of).collect()
        }
        Value::Object(_) => text_of(content).map_or_else(|| content.to_string(), ToOwned::to_owned),
        _ => String::new(),
    }
}

fn text_of(part: &Value) -> Option<&str> {
    part.as_str()
        .or_else(|| part["text"].as_str())
        .or_else(|| part["text"]["value"].as_str())
}

fn checked(text: &str, schema: &Schema, finish: Finish) -> Result<Value, Fault> {
    match json_text::fitting(text, schema) {
        Ok(value) => Ok(value),
        Err(_) if finish == Finish::Length => fault(
            Class::Truncated,
            "the answer ended at max_tokens, within its JSON",
        ),
        Err(Lack::Nothing) => fault(Class::InvalidJson, "the answer holds no JSON object"),
        Err(Lack::Broken) => fault(
            Class::InvalidJson,
            "the answer's JSON cannot be read: it is cut or has faults of syntax",
        ),
        Err(Lack::Unfit(place)) => fault(
            Class::InvalidJson,
            format!("the answer does not fit the schema at {place}"),
        ),
    }
}

/// `said`: there was something that is no answer.
fn empty(message: &Value, finish: Finish, said: bool) -> Result<Completion, Fault> {
    const KEYS: &[&str] = &["reasoning_content", "reasoning", "thinking"];
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
    let has_reasoned = said || KEYS.iter().any(|key| is_text(&message[*key]));
    match finish {
        Finish::Length => fault(Class::Truncated, "the answer ended at max_tokens before it began"),
        Finish::Stop if has_reasoned => {
            fault(Class::EmptyAnswer, "the model wrote its reasoning and no answer")
        }
        Finish::Stop => fault(Class::EmptyAnswer, "the answer is empty"),
    }
}

#[cfg(test)]
mod tests;
