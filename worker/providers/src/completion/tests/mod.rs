//! Answers of chat servers and of the models behind them, as their documentation and their bug reports show them: what
//! is taken of each, or by which name it is refused.

mod json;

use serde_json::json;

use super::*;

fn schema() -> Schema {
    let list = json!({"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["name"],
        "properties": {"name": {"type": "string"}}}});
    Schema {
        name: "graph".into(),
        value: json!({"type": "object", "additionalProperties": false, "required": ["entities", "relations"],
                      "properties": {"entities": list, "relations": list}}),
    }
}

fn body(choice: &Value) -> String {
    json!({"choices": [choice]}).to_string()
}

fn message(content: &str) -> Value {
    json!({"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}})
}

fn class(body: &str, schema: Option<&Schema>) -> Class {
    read(body.as_bytes(), schema).unwrap_err().class
}

#[test]
fn what_is_not_whole_is_named_rightly() {
    let schema = schema();
    let of = |finish: &str, content: &str| {
        let mut choice = message(content);
        choice["finish_reason"] = finish.into();
        class(&body(&choice), Some(&schema))
    };
    for (finish, content, expected) in [
        (
            "length",
            r#"{"entities": [{"name": "Alice"}, {"name": "#,
            Class::Truncated,
        ),
        (
            "length",
            r#"{"entities": [{"name": "Alice"}], "relations": ["#,
            Class::Truncated,
        ),
        ("length", "<think>I wonder", Class::Truncated),
        ("length", "", Class::Truncated),
        ("max_tokens", "{", Class::Truncated),
        (
            "stop",
            r#"{"entities": [{"name": "Alice"}, {"name": "#,
            Class::InvalidJson,
        ),
        ("stop", r#"{"entities": [{"nom": "Alice"}]}"#, Class::InvalidJson),
        (
            "stop",
            r#"{"entities": true} or {"entities": 3}"#,
            Class::InvalidJson,
        ),
        ("stop", "Sure!", Class::InvalidJson),
        ("stop", "[]", Class::InvalidJson),
        ("stop", "{}", Class::InvalidJson),
        ("stop", "<think>x</think>", Class::EmptyAnswer),
        ("stop", " \n ", Class::EmptyAnswer),
        ("content_filter", "", Class::ContentFiltered),
        ("SAFETY", "", Class::ContentFiltered),
    ] {
        assert_eq!(of(finish, content), expected, "{finish} {content}");
    }
    let cut = read(
        body(&message("{\"entities\": [{\"name\": \"A\"} {")).as_bytes(),
        Some(&schema),
    )
    .unwrap_err();
    assert!(cut.message.contains("syntax"), "{}", cut.message);
}

#[test]
fn a_server_that_answers_something_else_is_named() {
    let message = |message: Value| body(&json!({"finish_reason": "stop", "message": message}));
    for (body, expected) in [
        (r#"{"choices":[]}"#.to_owned(), Class::NotJson),
        (r#"{"choices":null}"#.to_owned(), Class::NotJson),
        ("{}".to_owned(), Class::NotJson),
        ("<html>".to_owned(), Class::NotJson),
        (
            r#"{"choices":[{"message":{"content":"Ye"#.to_owned(),
            Class::NotJson,
        ),
        (
            "data: {\"choices\":[{\"delta\":{\"content\":\"Yes\"}}]}\n\ndata: [DONE]\n".to_owned(),
            Class::NotJson,
        ),
        (
            message(json!({"content": null, "refusal": "I cannot."})),
            Class::Refused,
        ),
        (
            message(json!({"content": [{"type": "refusal", "refusal": "I cannot."}]})),
            Class::Refused,
        ),
        (
            message(json!({"content": null, "refusal": null})),
            Class::EmptyAnswer,
        ),
        (
            message(json!({"content": null, "reasoning_content": "hm"})),
            Class::EmptyAnswer,
        ),
        (
            message(json!({"content": null, "tool_calls": [{"function": {"arguments": "{}"}}]})),
            Class::EmptyAnswer,
        ),
        (message(json!({"content": []})), Class::EmptyAnswer),
        (message(json!({})), Class::EmptyAnswer),
    ] {
        assert_eq!(class(&body, None), expected, "{body}");
    }
    let streamed = read(b"data: {}\n\n", None).unwrap_err();
    assert!(streamed.message.contains("streamed"));
    let reasoned = read(
        message(json!({"content": "", "reasoning": "hm"})).as_bytes(),
        None,
    )
    .unwrap_err();
    assert!(reasoned.message.contains("reasoning"));
}

#[test]
fn a_text_is_taken_without_its_wrapping() {
    for (content, text) in [
        ("Alice met Bob.", "Alice met Bob."),
        ("```\nAlice met Bob.\n```", "Alice met Bob."),
        ("<think>\nhm\n</think>\n\nAlice met Bob.", "Alice met Bob."),
        (
            "The tag </think> ends a thought.",
            "The tag </think> ends a thought.",
        ),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Alice met Bob.",
            "Alice met Bob.",
        ),
        ("“Alice met Bob.”", "Alice met Bob."),
        ("Alice\0 met Bob.", "Alice met Bob."),
        ("\u{feff}Alice met Bob.</s>", "Alice met Bob."),
    ] {
        let taken = read(body(&message(content)).as_bytes(), None).unwrap();
        assert_eq!((taken.text.as_str(), taken.json), (text, None), "{content}");
    }
}

#[test]
fn half_a_letter_does_not_cost_the_answer() {
    let surrogate = br#"{"choices":[{"finish_reason":"length","message":{"content":"Alice \ud83d"}}]}"#;
    let taken = read(surrogate, None).unwrap();
    assert_eq!(
        (taken.text.as_str(), taken.finish),
        ("Alice \u{fffd}", Finish::Length)
    );
    let bytes = b"{\"choices\":[{\"message\":{\"content\":\"Alice \xf0\x9f\"}}]}";
    assert_eq!(read(bytes, None).unwrap().text, "Alice \u{fffd}");
}

#[test]
fn a_cut_text_is_returned_and_said_to_be_cut() {
    let of = |content: &str| {
        let body = json!({"choices": [{"finish_reason": "length", "message": {"content": content}}]});
        read(body.to_string().as_bytes(), None)
    };
    let taken = of("Once upon").unwrap();
    assert_eq!((taken.text.as_str(), taken.finish), ("Once upon", Finish::Length));
    assert_eq!(of("").unwrap_err().class, Class::Truncated);
}
