//! JSON in the text of a model: behind reasoning, within a code fence, after a sentence. Pure.

use serde_json::Value;

/// The text without the reasoning that some models put before it.
pub fn without_thoughts(text: &str) -> &str {
    const ENDS: &[&str] = &["</think>", "</thinking>"];
    // Some servers leave out the tag that opens it.
    let end = ENDS
        .iter()
        .filter_map(|tag| text.rfind(tag).map(|at| at + tag.len()))
        .max();
    let rest = text[end.unwrap_or(0)..].trim();
    // Reasoning that never ended is no answer.
    if rest.starts_with("<think>") || rest.starts_with("<thinking>") {
        ""
    } else {
        rest
    }
}

/// The JSON object that a text is or holds; the first, where it holds several.
pub fn object(text: &str) -> Option<Value> {
    /// Braces that are tried: a long text of code must not take long.
    const TRIED: usize = 50;
    let whole = serde_json::from_str::<Value>(text.trim()).ok();
    whole.filter(Value::is_object).or_else(|| {
        text.match_indices('{')
            .take(TRIED)
            .find_map(|(at, _)| first_value(&text[at..]))
    })
}

/// The value at the begin of a text, whatever follows.
fn first_value(text: &str) -> Option<Value> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    values.next()?.ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_is_found_wherever_models_put_it() {
        let texts = [
            r#"{"a": 1}"#,
            "\n```json\n{\"a\": 1}\n```\n",
            "Here is the JSON you asked for:\n\n{\"a\": 1}\n\nLet me know.",
            "```\n{\"a\": 1}\n```",
            "A set {x} has the form {\"a\": 1}",
        ];
        for text in texts {
            assert_eq!(object(text), Some(json!({"a": 1})), "{text}");
        }
    }

    #[test]
    fn what_is_cut_or_no_object_is_none() {
        for text in [r#"{"a": 1"#, "[1, 2]", "no", "", "\"{}\""] {
            assert_eq!(object(text).filter(|value| *value != json!({})), None, "{text}");
        }
    }

    #[test]
    fn thoughts_are_left_out() {
        assert_eq!(
            without_thoughts("<think>{\"a\": 0}</think>\n{\"a\": 1}"),
            "{\"a\": 1}"
        );
        assert_eq!(without_thoughts("hm, so</think> Yes."), "Yes.");
        assert_eq!(without_thoughts(" Yes. "), "Yes.");
        assert_eq!(without_thoughts("<think>never ended"), "");
    }
}
