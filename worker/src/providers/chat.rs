//! Chat: one question with one answer, as text or as JSON of a schema. Pure.

use serde_json::Value;

use super::usage::Usage;

/// A JSON schema that the answer must fit: types, `properties`, `required`, `items`, `enum`, `anyOf`. Lengths and patterns
/// are the caller's to check, because strict servers refuse them.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Letters, digits, `_` and `-`, at most 64.
    pub name: String,
    pub value: Value,
}

#[derive(Debug, Clone)]
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
    /// Without `<think>` blocks; never empty.
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
