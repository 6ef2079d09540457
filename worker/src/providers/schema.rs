//! The part of JSON Schema that strict servers take: what is checked of an answer, and of a schema itself. Pure. A whole
//! validator would bring two dozen crates for keywords that must not be used here.

use serde_json::{Map, Value};

/// A JSON schema that the answer must fit: `type`, `properties`, `required`, `items`, `enum`, `anyOf`. Lengths, ranges and
/// patterns are the caller's to check, because strict servers refuse them.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Letters, digits, `_` and `-`, at most 64.
    pub name: String,
    pub value: Value,
}

/// What strict servers take.
const KEYWORDS: &[&str] = &[
    "type",
    "properties",
    "required",
    "items",
    "enum",
    "anyOf",
    "additionalProperties",
    "description",
];

impl Schema {
    /// Why a strict server would refuse it; for the test of whoever writes one.
    pub fn fault(&self) -> Option<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(plain) {
            return Some("the name must be 1 to 64 letters, digits, _ or -".into());
        }
        fault_at(&self.value, "$")
    }

    /// # Errors
    /// The place of the first value that does not fit, such as `entities[3].name`; never the value.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        fits(value, &self.value, "$")
    }
}

fn fault_at(schema: &Value, place: &str) -> Option<String> {
    let Some(schema) = schema.as_object() else {
        return Some(format!("{place}: a schema must be an object"));
    };
    if let Some(other) = schema.keys().find(|key| !KEYWORDS.contains(&key.as_str())) {
        return Some(format!("{place}: {other} is not known to strict servers"));
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let required = strings(schema, "required");
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Some(format!("{place}: additionalProperties must be false"));
        }
        if let Some(name) = properties.keys().find(|name| !required.contains(&name.as_str())) {
            return Some(format!(
                "{place}.{name} must be in required; let it be null instead"
            ));
        }
    }
    below(schema).find_map(|(name, inner)| fault_at(inner, &format!("{place}{name}")))
}

/// The schemas within a schema.
fn below(schema: &Map<String, Value>) -> impl Iterator<Item = (String, &Value)> {
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let items = schema.get("items").map(|items| ("[]".to_owned(), items));
    let any = schema
        .get("anyOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    properties
        .map(|(name, inner)| (format!(".{name}"), inner))
        .chain(items)
        .chain(any.map(|inner| (String::new(), inner)))
}

fn strings<'a>(schema: &'a Map<String, Value>, key: &str) -> Vec<&'a str> {
    let list = schema.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn fits(value: &Value, schema: &Value, place: &str) -> Result<(), String> {
    let Some(schema) = schema.as_object() else {
        return Ok(());
    };
    let wrong = || Err(place.to_owned());
    if schema.get("type").is_some_and(|types| !is_of(value, types)) {
        return wrong();
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        return wrong();
    }
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array)
        && !any.iter().any(|inner| fits(value, inner, place).is_ok())
    {
        return wrong();
    }
    match value {
        Value::Object(object) => object_fits(object, schema, place),
        Value::Array(list) => match schema.get("items") {
            Some(items) => list
                .iter()
                .enumerate()
                .try_for_each(|(at, item)| fits(item, items, &format!("{place}[{at}]"))),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Properties that the schema does not know are passed over: a weaker server adds them, and they do no harm.
fn object_fits(object: &Map<String, Value>, schema: &Map<String, Value>, place: &str) -> Result<(), String> {
    if let Some(missing) = strings(schema, "required")
        .iter()
        .find(|name| !object.contains_key(**name))
    {
        return Err(format!("{place}.{missing}"));
    }
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    for (name, inner) in properties {
        if let Some(value) = object.get(name) {
            fits(value, inner, &format!("{place}.{name}"))?;
        }
    }
    Ok(())
}

fn is_of(value: &Value, types: &Value) -> bool {
    match types {
        Value::String(name) => is_type(value, name),
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .any(|name| is_type(value, name)),
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

    fn schema() -> Schema {
        Schema {
            name: "facts".into(),
            value: json!({
                "type": "object", "additionalProperties": false, "required": ["facts"],
                "properties": {"facts": {"type": "array", "items": {
                    "type": "object", "additionalProperties": false, "required": ["id", "kind", "at"],
                    "properties": {
                        "id": {"type": "integer"},
                        "kind": {"type": "string", "enum": ["person", "place"]},
                        "at": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    },
                }}},
            }),
        }
    }

    #[test]
    fn the_place_of_what_does_not_fit_is_told_and_not_the_value() {
        let cases = [
            (
                json!({"facts": [{"id": 1, "kind": "person", "at": null}]}),
                Ok(()),
            ),
            (
                json!({"facts": [{"id": 1.0, "kind": "place", "at": "x", "more": 1}]}),
                Ok(()),
            ),
            (json!({"facts": []}), Ok(())),
            (json!({}), Err("$.facts")),
            (json!([]), Err("$")),
            (
                json!({"facts": [{"id": 1, "kind": "person"}]}),
                Err("$.facts[0].at"),
            ),
            (
                json!({"facts": [{"id": "1", "kind": "person", "at": null}]}),
                Err("$.facts[0].id"),
            ),
            (
                json!({"facts": [{"id": 1, "kind": "secret", "at": null}]}),
                Err("$.facts[0].kind"),
            ),
            (
                json!({"facts": [{"id": 1, "kind": "person", "at": 3}]}),
                Err("$.facts[0].at"),
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(schema().check(&value), expected.map_err(str::to_owned), "{value}");
        }
    }

    #[test]
    fn a_schema_that_strict_servers_refuse_is_told() {
        assert_eq!(schema().fault(), None);
        let of = |value| {
            Schema {
                name: "x".into(),
                value,
            }
            .fault()
            .unwrap_or_default()
        };
        assert!(of(json!({"type": "object", "properties": {}})).contains("additionalProperties"));
        let optional =
            json!({"type": "object", "additionalProperties": false, "required": [], "properties": {"a": {}}});
        assert!(of(optional).contains("$.a"));
        assert!(
            of(json!({"type": "array", "items": {"type": "string", "maxLength": 3}})).contains("maxLength")
        );
        assert!(
            Schema {
                name: "a b".into(),
                value: json!({})
            }
            .fault()
            .is_some()
        );
    }
}
