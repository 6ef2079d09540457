//! The part of JSON Schema that strict servers take: fits answers to a schema, and checks a schema itself. Pure. A
//! whole validator would bring two dozen crates for keywords that must not be used here.

use serde_json::{Map, Value};

use super::fit;

/// A JSON schema that the answer must fit: `type`, `properties`, `required`, `items`, `enum`, `anyOf`. Lengths, ranges
/// and patterns are the caller's to check, because strict servers refuse them.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Letters, digits, `_` and `-`, at most 64.
    pub name: String,
    pub value: Value,
}

/// The keywords that strict servers take.
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
    /// The reason why a strict server would refuse it; for the tests of schemas.
    pub fn fault(&self) -> Option<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(plain) {
            return Some("the name must be 1 to 64 letters, digits, _ or -".into());
        }
        fault_at(&self.value, "$")
    }

    /// The answer in the form of the schema. Servers that are not strict, and models behind them, leave out and mistake
    /// single fields: lists that are absent are empty, and the items of a list are the caller's to read and to drop, as
    /// long as one of them is of any use.
    ///
    /// # Errors
    /// The place of the first value that does not fit, such as `$.entities[0]`; never the value.
    pub fn taken(&self, answer: &Value) -> Result<Value, String> {
        fit::taken(answer, &self.value)
    }

    /// True where an answer has all that the schema asks for at its top.
    pub fn is_whole(&self, answer: &Value) -> bool {
        let schema = self.value.as_object();
        schema.is_some_and(|schema| required(schema).iter().all(|name| answer.get(*name).is_some()))
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
        let required = required(schema);
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

fn required(schema: &Map<String, Value>) -> Vec<&str> {
    let list = schema.get("required").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schema_that_strict_servers_refuse_is_told() {
        let of = |value| {
            Schema {
                name: "x".into(),
                value,
            }
            .fault()
            .unwrap_or_default()
        };
        let taken = json!({"type": "object", "additionalProperties": false, "required": ["a"], "properties": {"a": {"type": "string"}}});
        assert_eq!(of(taken), "");
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
