//! `POST /v1/chat/completions`: reads the request, refuses it as the hosted API would, or writes what the script says.

use serde_json::{Value, json};

use super::behaviour::{Behaviour, Parameter};
use super::embeddings::{tokens, unreadable};
use super::fault::Fault;
use super::reply::{Reply, invalid};
use super::schema;

#[derive(Clone, Debug)]
pub struct Message {
    pub role: String,
    /// The text; of a content in parts, the text of all of them.
    pub content: String,
}

#[derive(Clone, Debug)]
pub struct ChatRequest {
    pub model: String,
    pub messages: Vec<Message>,
    /// As it came: `{"type": "json_schema", "json_schema": …}`.
    pub response_format: Option<Value>,
    /// `max_completion_tokens`, else `max_tokens`.
    pub max_tokens: Option<u64>,
    pub temperature: Option<f64>,
    /// The whole request.
    pub json: Value,
}

impl ChatRequest {
    /// The request, or the refusal of a body that is none.
    pub fn read(body: &[u8]) -> Result<Self, Reply> {
        let json: Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
        let Some(model) = json["model"].as_str() else {
            return Err(invalid("you must provide a model parameter", None, None));
        };
        let Some(messages) = json["messages"]
            .as_array()
            .filter(|messages| !messages.is_empty())
        else {
            let message = "Missing required parameter: 'messages'.";
            return Err(invalid(
                message,
                Some("messages"),
                Some("missing_required_parameter"),
            ));
        };
        let message = |message: &Value| Message {
            role: message["role"].as_str().unwrap_or_default().to_owned(),
            content: text(&message["content"]),
        };
        let limit = |name: &str| json[name].as_u64();
        Ok(Self {
            model: model.to_owned(),
            messages: messages.iter().map(message).collect(),
            response_format: json
                .get("response_format")
                .filter(|format| !format.is_null())
                .cloned(),
            max_tokens: limit("max_completion_tokens").or_else(|| limit("max_tokens")),
            temperature: json["temperature"].as_f64(),
            json,
        })
    }

    /// The text of the last message of the user.
    pub fn user(&self) -> &str {
        let last = self.messages.iter().rfind(|message| message.role == "user");
        last.map_or("", |message| &message.content)
    }

    /// `text`, `json_object` or `json_schema`.
    pub fn format(&self) -> &str {
        let format = self.response_format.as_ref();
        format
            .and_then(|format| format["type"].as_str())
            .unwrap_or("text")
    }

    /// The schema that the answer has to follow.
    pub fn schema(&self) -> Option<&Value> {
        self.response_format.as_ref()?["json_schema"].get("schema")
    }

    /// Why the server would refuse it.
    pub(crate) fn refusal(&self, behaviour: &Behaviour) -> Option<Reply> {
        let refuses = |parameter| behaviour.refuses.contains(&parameter);
        if self.json.get("max_tokens").is_some_and(|value| !value.is_null()) && refuses(Parameter::MaxTokens)
        {
            let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
                           'max_completion_tokens' instead.";
            return Some(invalid(
                message,
                Some("max_tokens"),
                Some("unsupported_parameter"),
            ));
        }
        if let Some(temperature) = self.temperature
            && refuses(Parameter::Temperature)
        {
            let message = format!(
                "Unsupported value: 'temperature' does not support {temperature} with this model. Only the default (1) value is \
                 supported."
            );
            return Some(invalid(&message, Some("temperature"), Some("unsupported_value")));
        }
        if self.json["stream"] == true {
            let message = "Unsupported value: 'stream' does not support true with this model.";
            return Some(invalid(message, Some("stream"), Some("unsupported_value")));
        }
        self.refused_format(behaviour).or_else(|| {
            let poison = behaviour.poison.as_ref()?;
            let poisoned = self.messages.iter().any(|message| poison(&message.content));
            let message =
                "Invalid prompt: your prompt was flagged as potentially violating our usage policy.";
            poisoned.then(|| invalid(message, None, Some("invalid_prompt")))
        })
    }

    fn refused_format(&self, behaviour: &Behaviour) -> Option<Reply> {
        let refuses = |parameter| behaviour.refuses.contains(&parameter);
        let format = self.format();
        let unsupported = |more: &str| {
            let message = format!(
                "Invalid parameter: 'response_format' of type '{format}' is not supported with this model.{more}"
            );
            Some(invalid(&message, Some("response_format"), None))
        };
        match format {
            "json_schema" if refuses(Parameter::JsonSchema) || refuses(Parameter::JsonObject) => {
                unsupported(" Learn more about supported models in the Structured Outputs guide.")
            }
            "json_schema" => schema::refusal(&self.response_format.as_ref()?["json_schema"]),
            "json_object" if refuses(Parameter::JsonObject) => unsupported(""),
            "json_object" => {
                let named = |message: &Message| message.content.to_lowercase().contains("json");
                let message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type \
                               'json_object'.";
                (!self.messages.iter().any(named)).then(|| invalid(message, Some("messages"), None))
            }
            _ => None,
        }
    }

    /// The body of the answer, distorted by a fault of that kind. An answer that is longer than the request allows is
    /// cut, as by the hosted API.
    pub(crate) fn answer(&self, behaviour: &Behaviour, content: String, fault: Option<&Fault>) -> Vec<u8> {
        let mut reason = "stop";
        let mut refusal = None;
        let mut content = Some(content);
        let limit = self.max_tokens.and_then(|tokens| usize::try_from(tokens).ok());
        if let Some(text) = &mut content
            && limit.is_some_and(|limit| tokens(text) > limit)
        {
            cut(text, limit.unwrap_or_default() * 4);
            reason = "length";
        }
        match fault {
            Some(Fault::TruncatedContent) => content.iter_mut().for_each(|text| cut(text, text.len() / 2)),
            Some(Fault::FinishLength) => {
                content.iter_mut().for_each(|text| cut(text, text.len() / 2));
                reason = "length";
            }
            Some(Fault::ContentFilter) => (content, reason) = (None, "content_filter"),
            Some(Fault::Refusal) => {
                (content, refusal) = (None, Some("I'm sorry, but I cannot assist with that request."));
            }
            Some(Fault::CodeFence) => {
                content =
                    content.map(|text| format!("Here is the JSON you asked for:\n\n```json\n{text}\n```\n"));
            }
            Some(Fault::Think) => {
                content = content
                    .map(|text| format!("<think>\nPerhaps {{\"entities\": []}}? No.\n</think>\n\n{text}"));
            }
            Some(Fault::EmptyContent) => content = Some(String::new()),
            _ => {}
        }
        let usage = self.usage(content.as_deref());
        let message = json!({"role": "assistant", "content": content, "refusal": refusal, "annotations": []});
        let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": reason});
        let choices = match fault {
            Some(Fault::NoChoices) => json!([]),
            _ => json!([choice]),
        };
        let mut answer = json!({
            "id": format!("chatcmpl-{}", uuid::Uuid::new_v4().simple()),
            "object": "chat.completion",
            "created": jiff::Timestamp::now().as_second(),
            "model": self.model,
            "choices": choices,
            "service_tier": "default",
            "system_fingerprint": null,
        });
        if !behaviour.omits_usage {
            answer["usage"] = usage;
        }
        answer.to_string().into_bytes()
    }

    fn usage(&self, content: Option<&str>) -> Value {
        let prompt: usize = self.messages.iter().map(|message| tokens(&message.content)).sum();
        let completion = content.map_or(0, tokens);
        json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})
    }
}

fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

/// To so many bytes or a little less, at a letter.
fn cut(text: &mut String, bytes: usize) {
    text.truncate(text.floor_char_boundary(bytes));
}
