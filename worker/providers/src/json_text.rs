//! JSON in the text of a model: within a code fence, after a sentence, in several pieces, with faults of syntax. Pure.

use serde_json::{Map, Value};

use super::json_mend::mended;
use super::schema::Schema;

/// The most brackets that are tried: a long text of code must not take long.
const TRIED: usize = 50;
/// The most that are tried with their faults mended, which reads to the end of the text.
const MENDED: usize = 4;
/// The most values that are put together.
const PIECES: usize = 1000;

/// The reason why a text holds no JSON of a schema.
#[derive(Debug, PartialEq, Eq)]
pub enum Lack {
    Nothing,
    /// It begins and cannot be read.
    Broken,
    /// The first does not fit, at this place.
    Unfit(String),
}

/// The first value in a text that has all that the schema asks for; else all of them put together, as of a model that
/// writes a line for each part; else the first that fits without.
///
/// # Errors
/// The reason why there is none.
pub fn fitting(text: &str, schema: &Schema) -> Result<Value, Lack> {
    if let Ok(whole) = serde_json::from_str::<Value>(text) {
        return schema.taken(&whole).map_err(Lack::Unfit);
    }
    let (values, is_broken) = values(text);
    let whole = values.iter().filter(|value| schema.is_whole(value));
    if let Some(fits) = whole.filter_map(|value| schema.taken(value).ok()).next() {
        return Ok(fits);
    }
    if values.len() > 1
        && let Ok(fits) = schema.taken(&together(&values))
    {
        return Ok(fits);
    }
    let mut unfit = None;
    for value in &values {
        match schema.taken(value) {
            Ok(fits) => return Ok(fits),
            Err(place) => unfit = unfit.or(Some(place)),
        }
    }
    Err(match unfit {
        // A part of what is broken says nothing of the whole.
        Some(place) if !is_broken => Lack::Unfit(place),
        _ if is_broken => Lack::Broken,
        _ => Lack::Nothing,
    })
}

/// The objects and lists of a text, one behind another, not those within others. True where one begins and cannot be
/// read.
fn values(text: &str) -> (Vec<Value>, bool) {
    let (mut found, mut is_broken, mut at, mut failures) = (Vec::new(), false, 0, 0);
    while failures < TRIED && found.len() < PIECES {
        let Some(next) = text[at..].find(['{', '[']) else {
            break;
        };
        at += next;
        let mut stream = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
        if let Some(Ok(value)) = stream.next() {
            at += stream.byte_offset();
            found.push(value);
            continue;
        }
        let mend = || serde_json::from_str::<Value>(&mended(&text[at..])).ok();
        match (failures < MENDED).then(mend).flatten() {
            // A word in brackets is prose.
            Some(value) if value.as_object().is_some_and(|object| !object.is_empty()) => {
                found.push(value);
            }
            _ => is_broken |= begins_json(&text[at..]),
        }
        failures += 1;
        at += 1;
    }
    (found, is_broken)
}

/// True where a bracket is followed by JSON and not by a word.
fn begins_json(text: &str) -> bool {
    text[1..].trim_start().starts_with(['"', '\'', '{', '['])
}

/// Objects with the keys of all; lists of one key one behind another.
fn together(values: &[Value]) -> Value {
    let mut all = Map::new();
    for (key, value) in values.iter().filter_map(Value::as_object).flatten() {
        match (all.get_mut(key), value) {
            (Some(Value::Array(list)), Value::Array(more)) => list.extend(more.iter().cloned()),
            (Some(_), _) => {}
            (None, value) => {
                all.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Schema {
        let list = json!({"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["b"],
            "properties": {"b": {"type": "string"}}}});
        Schema {
            name: "one".into(),
            value: json!({"type": "object", "additionalProperties": false, "required": ["a", "c"],
                "properties": {"a": list, "c": list}}),
        }
    }

    #[test]
    fn an_object_is_found_wherever_models_put_it() {
        let expected = json!({"a": [{"b": "x"}], "c": []});
        for text in [
            r#"{"a": [{"b": "x"}], "c": []}"#,
            "\n```json\n{\"a\": [{\"b\": \"x\"}]}\n```\n",
            "Here is the JSON you asked for:\n\n{\"a\": [{\"b\": \"x\"}]}\n\nLet me know.",
            "```\n{\"a\": [{\"b\": \"x\"}], \"c\": null}\n```",
            "A set {x} has [1] the form {\"a\": [{\"b\": \"x\"}]}",
            r#"[{"a": [{"b": "x"}]}]"#,
            r#"{"one": {"a": [{"b": "x"}], "c": []}}"#,
            r#"{"a": [{"b": "x"},], "c": [],}"#,
            "{'a': [{'b': 'x'}], 'c': []}",
            "{\"a\": [{\"b\": \"x\"}]}\n{\"c\": []}",
            "{\"a\": [{\"b\": \"x\"}], \"c\": []} {\"a\": []}",
        ] {
            assert_eq!(fitting(text, &schema()), Ok(expected.clone()), "{text}");
        }
    }

    #[test]
    fn lines_are_put_together() {
        let lines = "{\"a\": [{\"b\": \"x\"}]}\n{\"a\": [{\"b\": \"y\"}]}\n".replace("\"a\"", "\"d\"");
        assert!(fitting(&lines, &schema()).is_err());
        let of = |text: &str| json!({"b": text});
        let values = [json!({"a": [of("x")]}), json!({"a": [of("y")], "c": []})];
        assert_eq!(together(&values), json!({"a": [of("x"), of("y")], "c": []}));
    }

    #[test]
    fn why_there_is_none_is_told_rightly() {
        for (text, lack) in [
            ("no", Lack::Nothing),
            ("", Lack::Nothing),
            ("a set {x} of [y]", Lack::Nothing),
            (r#"{"a": [{"b": "x"}, {"b": "#, Lack::Broken),
            (r#"{"a": [{"b": "x"} {"b" 3}]"#, Lack::Broken),
            ("[1, 2]", Lack::Unfit("$".into())),
            ("{}", Lack::Unfit("$.a".into())),
            (r#"{"a": [{"d": 1}]}"#, Lack::Unfit("$.a[0]".into())),
        ] {
            assert_eq!(fitting(text, &schema()), Err(lack), "{text}");
        }
        assert_eq!(fitting(&"{[".repeat(100_000), &schema()), Err(Lack::Broken));
    }
}
