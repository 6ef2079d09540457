//! Chats: the JSON ladder, renamed parameters, what was paid.

use serde_json::json;

use super::*;
use crate::{Advice, ChatAnswer, ChatRequest, Schema};

fn schema() -> Schema {
    Schema {
        name: "one".into(),
        value: json!({"type": "object", "additionalProperties": false, "required": ["a"],
                      "properties": {"a": {"type": "integer"}}}),
    }
}

async fn chat(provider: &Provider, schema: Option<&Schema>) -> Result<ChatAnswer, ProviderError> {
    let request = ChatRequest {
        who: None,
        model: None,
        system: "Count.",
        user: "One.",
        schema,
        max_tokens: Some(50),
        temperature: Some(0.0),
    };
    provider.chat(&request, DEADLINE).await
}

fn says(content: &str) -> Do {
    let choice = json!({"finish_reason": "stop", "message": {"content": content}});
    Do::Answer(
        200,
        json!({"choices": [choice], "usage": {"prompt_tokens": 4, "completion_tokens": 2}}),
    )
}

#[tokio::test]
async fn the_ladder_is_gone_down_once() {
    // How many steps of the ladder a server refuses, by name or without a word.
    for (taken, message) in [
        ("json_object", "response_format json_schema is not supported"),
        ("none", "Bad Request"),
    ] {
        let server = Server::start(move |_, request| {
            let format = request["response_format"]["type"].as_str().unwrap_or("none");
            if format == taken {
                says("Here: {\"a\": 1}")
            } else {
                Do::Answer(400, error(message))
            }
        })
        .await;
        let (provider, schema) = (server.provider(""), schema());
        for _ in 0..2 {
            assert_eq!(
                chat(&provider, Some(&schema)).await.unwrap().json,
                Some(json!({"a": 1}))
            );
        }
        let asked: Vec<_> = server
            .seen()
            .iter()
            .map(|seen| seen.body["response_format"]["type"].clone())
            .collect();
        let expected = if taken == "none" { 5 } else { 4 };
        assert_eq!(asked.len(), expected, "{asked:?}");
    }
}

#[tokio::test]
async fn a_server_that_passes_over_the_form_is_told_the_schema_and_all_is_counted() {
    let server = Server::start(|_, request| {
        let told = request["messages"][0]["content"]
            .as_str()
            .unwrap()
            .contains("JSON schema");
        says(if told { "{\"a\": 1}" } else { "The number one." })
    })
    .await;
    let (provider, schema) = (server.provider(""), schema());
    let answer = chat(&provider, Some(&schema)).await.unwrap();
    assert_eq!(
        (answer.json, answer.usage.prompt_tokens),
        (Some(json!({"a": 1})), 8)
    );
    assert_eq!(
        chat(&provider, Some(&schema)).await.unwrap().usage.prompt_tokens,
        4
    );
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn parameters_that_newer_models_refuse_are_renamed_or_left_out_and_that_is_remembered() {
    let server = Server::start(|_, request| {
        if request.get("max_tokens").is_some() {
            let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
            return Do::Answer(400, error(message));
        }
        if request.get("temperature").is_some() {
            return Do::Answer(400, error("Unsupported value: 'temperature' does not support 0 with this model."));
        }
        says(if request["max_completion_tokens"] == 50 { "One." } else { "?" })
    })
    .await;
    let provider = server.provider("");
    assert_eq!(chat(&provider, None).await.unwrap().text, "One.");
    assert_eq!(chat(&provider, None).await.unwrap().text, "One.");
    assert_eq!(server.seen().len(), 4);
    assert_eq!(server.seen()[0].path, "/v1/chat/completions");
}

#[tokio::test]
async fn what_was_paid_for_a_failure_is_told() {
    let cut = json!({"choices": [{"finish_reason": "length", "message": {"content": "{\"a\":"}}],
                     "usage": {"prompt_tokens": 4, "completion_tokens": 50}});
    let server = Server::start(move |_, _| Do::Answer(200, cut.clone())).await;
    let refused = chat(&server.provider(""), Some(&schema())).await.unwrap_err();
    assert_eq!(
        (refused.class(), refused.advice),
        ("truncated", Advice::ItemsAtFault)
    );
    assert_eq!(refused.usage.unwrap().completion_tokens, 50);
    assert_eq!(server.seen().len(), 1, "what was cut is not asked again as it is");
}
