//! JSON of a schema in the answers of chat servers, whatever is around it.

use super::*;

/// The texts of a model that all say the same graph.
const GRAPHS: &[(&str, &str)] = &[
    ("plain", r#"{"entities": [{"name": "Alice"}], "relations": []}"#),
    (
        "padded to the end of its room",
        "{\"entities\": [{\"name\": \"Alice\"}], \"relations\": []}\n\n\n\n    \t   \n",
    ),
    (
        "a fence",
        "```json\n{\"entities\": [{\"name\": \"Alice\"}], \"relations\": []}\n```",
    ),
    (
        "a fence without a name",
        "```\n{\"entities\": [{\"name\": \"Alice\"}], \"relations\": []}\n```\n",
    ),
    (
        "a fence in capitals, not closed",
        "```JSON\n{\"entities\": [{\"name\": \"Alice\"}], \"relations\": []}",
    ),
    (
        "tildes",
        "~~~json\n{\"entities\": [{\"name\": \"Alice\"}], \"relations\": []}\n~~~",
    ),
    (
        "a sentence before",
        "Here is the JSON:\n{\"entities\": [{\"name\": \"Alice\"}], \"relations\": []}",
    ),
    (
        "a sentence with brackets before and one behind",
        "The set {A} [1]:\n\n{\"entities\": [{\"name\": \"Alice\"}], \"relations\": []}\n\nLet me know!",
    ),
    (
        "reasoning",
        "<think>Is it {\"entities\": [], \"relations\": []}?</think>{\"entities\": [{\"name\": \"Alice\"}], \"relations\": []}",
    ),
    (
        "reasoning that nobody opened",
        "I see Alice.\n</think>\n\n{\"entities\": [{\"name\": \"Alice\"}], \"relations\": []}",
    ),
    (
        "channels",
        "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>{\"entities\": [{\"name\": \"Alice\"}], \"relations\": []}<|return|>",
    ),
    (
        "a mark behind",
        "{\"entities\": [{\"name\": \"Alice\"}], \"relations\": []}<|im_end|>",
    ),
    (
        "a byte order mark",
        "\u{feff}{\"entities\": [{\"name\": \"Alice\"}], \"relations\": []}",
    ),
    (
        "trailing commas",
        r#"{"entities": [{"name": "Alice",},], "relations": [],}"#,
    ),
    (
        "single quotes",
        "{'entities': [{'name': 'Alice'}], 'relations': []}",
    ),
    (
        "keys without quotes",
        "{entities: [{name: \"Alice\"}], relations: []}",
    ),
    (
        "a comment",
        "{\n  // the people\n  \"entities\": [{\"name\": \"Alice\"}],\n  \"relations\": []\n}",
    ),
    (
        "words of Python",
        r#"{"entities": [{"name": "Alice"}], "relations": None}"#,
    ),
    (
        "a list around it",
        r#"[{"entities": [{"name": "Alice"}], "relations": []}]"#,
    ),
    (
        "the schema's name around it",
        r#"{"graph": {"entities": [{"name": "Alice"}], "relations": []}}"#,
    ),
    (
        "two lines",
        "{\"entities\": [{\"name\": \"Alice\"}]}\n{\"relations\": []}",
    ),
    (
        "twice",
        "{\"entities\": [{\"name\": \"Alice\"}], \"relations\": []}\n{\"entities\": [{\"name\": \"Alice\"}], \"relations\": []}",
    ),
    ("without what is empty", r#"{"entities": [{"name": "Alice"}]}"#),
    (
        "null for what is empty",
        r#"{"entities": [{"name": "Alice"}], "relations": null}"#,
    ),
    (
        "one for a list of one",
        r#"{"entities": {"name": "Alice"}, "relations": []}"#,
    ),
    (
        "escapes",
        r#"{"entities": [{"name": "\u0041lice"}], "relations": []}"#,
    ),
];

#[test]
fn a_graph_is_taken_whatever_is_around_it() {
    let expected = json!({"entities": [{"name": "Alice"}], "relations": []});
    for (what, text) in GRAPHS {
        for finish in ["stop", "length"] {
            let mut choice = message(text);
            choice["finish_reason"] = finish.into();
            let taken = read(body(&choice).as_bytes(), Some(&schema()));
            assert_eq!(
                taken.map(|taken| taken.json),
                Ok(Some(expected.clone())),
                "{what}, {finish}"
            );
        }
    }
}

/// The body of an answer with this message.
fn message_of(message: &Value) -> Value {
    json!({"choices": [{"finish_reason": "stop", "message": message}]})
}

/// All of these bodies hold the first graph.
fn holds_the_graph(answers: impl IntoIterator<Item = (&'static str, Value)>) {
    let expected: Value = serde_json::from_str(GRAPHS[0].1).unwrap();
    for (server, body) in answers {
        let taken = read(body.to_string().as_bytes(), Some(&schema()));
        assert_eq!(
            taken.map(|taken| taken.json),
            Ok(Some(expected.clone())),
            "{server}"
        );
    }
}

#[test]
fn the_place_of_the_text_differs_by_server() {
    let text = GRAPHS[0].1;
    let message = |message: Value| message_of(&message);
    holds_the_graph([
        (
            "parts",
            message(
                json!({"content": [{"type": "text", "text": &text[..9]}, {"type": "text", "text": &text[9..]}]}),
            ),
        ),
        (
            "parts that are texts",
            message(json!({"content": [&text[..9], &text[9..]]})),
        ),
        (
            "Mistral, with its thoughts",
            message(
                json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": text}]}),
            ),
        ),
        (
            "a part of reasoning with text",
            message(
                json!({"content": [{"type": "reasoning", "text": "{}"}, {"type": "text", "text": text}]}),
            ),
        ),
        (
            "DeepSeek",
            message(json!({"reasoning_content": "It is {\"entities\": []}", "content": text})),
        ),
    ]);
}

#[test]
fn the_place_of_the_text_differs_by_gateway_and_by_api() {
    let text = GRAPHS[0].1;
    let expected: Value = serde_json::from_str(text).unwrap();
    let message = |message: Value| message_of(&message);
    holds_the_graph([
        (
            "a gateway that has read the JSON",
            message(json!({"content": expected})),
        ),
        (
            "a gateway that asks by a tool",
            message(
                json!({"content": null, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "json", "arguments": text}}]}),
            ),
        ),
        (
            "the same, read",
            message(json!({"content": "", "tool_calls": [{"function": {"arguments": expected}}]})),
        ),
        (
            "functions of old",
            message(json!({"content": null, "function_call": {"name": "f", "arguments": text}})),
        ),
        (
            "completions of old",
            json!({"choices": [{"text": text, "finish_reason": "stop"}]}),
        ),
        (
            "Ollama's own",
            json!({"model": "m", "message": {"role": "assistant", "content": text}, "done": true, "done_reason": "stop"}),
        ),
        (
            "no reason of the end",
            json!({"choices": [{"message": {"content": text}}], "usage": null}),
        ),
        (
            "a reason that is null",
            json!({"choices": [{"finish_reason": null, "message": {"content": text, "refusal": null}}]}),
        ),
        (
            "a refusal that is empty",
            message(json!({"content": text, "refusal": ""})),
        ),
    ]);
}
