//! Makes an answer fit a schema, without guessing at what it means. Pure.

use serde_json::{Map, Value};

/// The answer with the properties of the schema; see `Schema::taken`.
///
/// # Errors
/// The place of what does not fit.
pub fn taken(answer: &Value, schema: &Value) -> Result<Value, String> {
    let names = names(schema, "required");
    let has_any = |value: &Value| names.iter().any(|name| value.get(name).is_some());
    let given = unwrapped(answer, &has_any);
    let Some(given) = given.as_object() else {
        return Err("$".into());
    };
    if let Some(first) = names
        .first()
        .filter(|_| !names.iter().any(|name| given.contains_key(*name)))
    {
        return Err(format!("$.{first}"));
    }
    let properties = schema["properties"].as_object().into_iter().flatten();
    let (mut taken, mut useless) = (Map::new(), None);
    let mut useful = 0;
    for (name, inner) in properties {
        let place = format!("$.{name}");
        let value = match given.get(name) {
            Some(list) if is_list(inner) => listed(list).ok_or(place.clone())?,
            None if is_list(inner) => Value::Array(Vec::new()),
            None if is_of(&Value::Null, &inner["type"]) => Value::Null,
            None => return Err(place),
            Some(value) => fitting(value, inner).ok_or(place.clone())?,
        };
        if is_list(inner) {
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            useful += items
                .iter()
                .filter(|item| is_useful(item, &inner["items"]))
                .count();
            useless = useless.or((!items.is_empty()).then(|| format!("{place}[0]")));
        }
        taken.insert(name.clone(), value);
    }
    match useless {
        // Of another form altogether: the server or the model passed over the schema.
        Some(place) if useful == 0 => Err(place),
        _ => Ok(Value::Object(taken)),
    }
}

/// Takes a value out of a list of one, or from under a key of its own.
fn unwrapped<'a>(answer: &'a Value, has_any: &impl Fn(&Value) -> bool) -> &'a Value {
    let inner = match answer {
        Value::Array(list) if list.len() == 1 => list.first(),
        Value::Object(object) if object.len() == 1 && !has_any(answer) => object.values().next(),
        _ => None,
    };
    inner.filter(|inner| has_any(inner)).unwrap_or(answer)
}

/// A list; null is an empty one, and a value alone a list of it.
fn listed(value: &Value) -> Option<Value> {
    match value {
        Value::Array(_) => Some(value.clone()),
        Value::Null => Some(Value::Array(Vec::new())),
        Value::Object(object) if object.is_empty() => Some(Value::Array(Vec::new())),
        Value::Object(_) => Some(vec![value.clone()].into()),
        Value::String(text) if text.trim().is_empty() => Some(Value::Array(Vec::new())),
        Value::String(_) => Some(vec![value.clone()].into()),
        _ => None,
    }
}

/// A value of the type, also where it was written as a text.
fn fitting(value: &Value, schema: &Value) -> Option<Value> {
    let allowed = schema["enum"].as_array();
    let fits = |value: &Value| {
        is_of(value, &schema["type"]) && allowed.is_none_or(|allowed| allowed.contains(value))
    };
    if fits(value) {
        return Some(value.clone());
    }
    let read = value
        .as_str()
        .and_then(|text| serde_json::from_str(text.trim()).ok());
    read.filter(|read| !matches!(read, Value::Object(_) | Value::Array(_)) && fits(read))
}

/// True for an item of any use: it has one of its texts, or all of its numbers where the schema has no texts; or it is
/// a text itself.
fn is_useful(item: &Value, schema: &Value) -> bool {
    if !is_of(&Value::Object(Map::new()), &schema["type"]) {
        return fitting(item, schema).is_some();
    }
    let is_plain = |name: &&str| {
        let of = &schema["properties"][*name];
        of["type"] == "string" && of["enum"].is_null()
    };
    let required = names(schema, "required");
    let texts: Vec<&str> = required.iter().copied().filter(is_plain).collect();
    if texts.is_empty() {
        return required.iter().all(|name| item.get(*name).is_some());
    }
    let says =
        |value: &Value| value.is_number() || value.as_str().is_some_and(|text| !text.trim().is_empty());
    says(item) || texts.iter().any(|name| item.get(*name).is_some_and(says))
}

fn is_list(schema: &Value) -> bool {
    schema["type"] == "array"
}

fn names<'a>(schema: &'a Value, key: &str) -> Vec<&'a str> {
    let list = schema[key].as_array();
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn is_of(value: &Value, types: &Value) -> bool {
    match types {
        Value::String(name) => is_type(value, name),
        Value::Array(names) => {
            let mut names = names.iter().filter_map(Value::as_str);
            names.any(|name| is_type(value, name))
        }
        _ => true,
    }
}

fn is_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        // 3.0 is an integer in JSON Schema.
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        let item = json!({"type": "object", "required": ["id", "name", "kind"], "properties": {
            "id": {"type": "integer"}, "name": {"type": "string"}, "kind": {"type": "string", "enum": ["a", "b"]}}});
        let pair = json!({"type": "object", "required": ["x", "y"], "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}});
        json!({"type": "object", "required": ["things", "pairs", "at"], "properties": {
            "things": {"type": "array", "items": item}, "pairs": {"type": "array", "items": pair}, "at": {"type": ["integer", "null"]}}})
    }

    #[test]
    fn what_is_left_out_or_wrapped_is_no_fault() {
        let thing = json!({"id": "7", "name": "Alice", "kind": "company"});
        let whole = json!({"things": [thing], "pairs": [], "at": null});
        for answer in [
            json!({"things": [thing]}),
            json!({"things": thing, "pairs": null}),
            json!([{"things": [thing], "pairs": {}, "more": 1}]),
            json!({"result": {"things": [thing], "pairs": []}}),
        ] {
            assert_eq!(taken(&answer, &schema()), Ok(whole.clone()), "{answer}");
        }
        let numbers = json!({"things": ["Alice"], "pairs": [{"x": 1, "y": "2"}], "at": "3"});
        assert_eq!(taken(&numbers, &schema()).unwrap()["at"], 3);
    }

    #[test]
    fn the_place_of_what_does_not_fit_is_told_and_not_the_value() {
        for (answer, place) in [
            (json!({}), "$.things"),
            (json!([]), "$"),
            (json!("x"), "$"),
            (json!({"things": 3}), "$.things"),
            (json!({"things": [], "at": "soon"}), "$.at"),
            (json!({"things": [{"nom": "x"}, 0.5e0 > 1.0]}), "$.things[0]"),
            (json!({"pairs": [{"x": 1}]}), "$.pairs[0]"),
        ] {
            assert_eq!(taken(&answer, &schema()), Err(place.to_owned()), "{answer}");
        }
        let one_is_good = json!({"things": [{"nom": "x"}, {"name": "Bob"}], "pairs": [{"x": 1}]});
        assert!(taken(&one_is_good, &schema()).is_ok());
    }
}
