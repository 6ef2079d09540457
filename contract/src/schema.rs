//! The JSON Schema of files with hooks, for editors: every type with its keys, as the extension checks them. What only
//! the extension can say (a template's syntax, a credential that is written out) passes here.

use serde_json::{Map, Value, json};

use crate::check::keys;
use crate::hook_type::FUNCTION;
use crate::hooks::{DeliverySettings, EXCLUSIVE, HANDLERS, Handler};
use crate::key::Key;

/// Where the schema is published; editors find it by the line `# yaml-language-server: $schema=…`.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// A registered name, a prefix of names, or all.
const EVENT_TYPE: &str = r"^([a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*(\.\*)?|\*)$";
const HOOK_NAME: &str = "^[A-Za-z0-9][A-Za-z0-9_.-]*$";
/// What a file may have at its top; all but the hooks is the worker's, which reads and checks it.
pub const TOP: [&str; 5] = ["providers", "default_provider", "secrets", "hooks", "webhooks"];
/// Of a hook that no file may set: `zerodb-hooks apply` does.
pub const OF_APPLY: &str = "managed_by";

/// The whole schema.
pub fn document() -> Value {
    let mut definitions = Map::new();
    for handler in HANDLERS {
        definitions.insert(handler.name.into(), of_handler(handler));
    }
    definitions.insert(FUNCTION.into(), of_function());
    let types: Vec<&str> = HANDLERS
        .iter()
        .map(|handler| handler.name)
        .chain([FUNCTION])
        .collect();
    let chosen: Vec<Value> = types.iter().map(|name| chosen(name)).collect();
    definitions.insert(
        "hook".into(),
        json!({
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"enum": types, "description": "Which handler runs."}},
            "allOf": chosen,
        }),
    );
    json!({
        "$schema": DIALECT,
        "title": "Hooks of zerodb_hooks",
        "description": "A file of `zerodb-hooks apply`, or the worker's own.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "hooks": {
                "description": "The hooks of each event type, or pattern of event types.",
                "type": ["object", "null"],
                "propertyNames": {"pattern": EVENT_TYPE, "maxLength": 100},
                "additionalProperties": {"type": ["array", "null"], "items": {"$ref": "#/$defs/hook"}},
            },
            "providers": {"description": "Model endpoints; only the worker reads them.", "type": ["object", "null"]},
            "default_provider": {"type": ["string", "null"]},
            "secrets": {"description": "Hosts and users of each secret; only the worker reads them.", "type": ["object", "null"]},
            "webhooks": {"description": "How webhooks leave; only the worker reads it.", "type": ["object", "null"]},
        },
        "$defs": definitions,
    })
}

fn chosen(name: &str) -> Value {
    json!({
        "if": {"required": ["type"], "properties": {"type": {"const": name}}},
        "then": {"$ref": format!("#/$defs/{name}")},
    })
}

/// What every entry may have beside its config.
fn own(name: &str, hook_name: Value) -> Map<String, Value> {
    let own = json!({
        "type": {"const": name},
        "name": hook_name,
        "project": {"description": "The only project whose events it is for.", "type": ["string", "null"], "format": "uuid"},
        "active": {"description": "Whether it runs; left out, what it is stays, and a new one runs.", "type": ["boolean", "null"]},
    });
    own.as_object().cloned().unwrap_or_default()
}

fn of_handler(handler: &'static Handler) -> Value {
    let hook_name = if handler.is_first_party {
        json!({"const": handler.name})
    } else {
        json!({"description": "Its name; by default the type's, with a number from the second on.",
            "type": "string", "pattern": HOOK_NAME, "maxLength": 100})
    };
    let mut properties = own(handler.name, hook_name);
    let listed = keys(handler).filter(|key| key.name != OF_APPLY);
    properties.extend(listed.map(|key| (key.name.into(), of_key(key))));
    let required = keys(handler).filter(|key| key.is_required).map(|key| key.name);
    let required: Vec<&str> = ["type"].into_iter().chain(required).collect();
    let mut schema = json!({
        "description": flowing(handler.about),
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    });
    let has = |name: &str| handler.keys.iter().any(|key| key.name == name);
    let excluded: Vec<Value> = EXCLUSIVE
        .iter()
        .filter(|(key, other)| has(key) && has(other))
        .map(|(key, other)| json!({"not": {"required": [key, other], "properties": {*key: not_null(), *other: not_null()}}}))
        .collect();
    if !excluded.is_empty() {
        schema["allOf"] = Value::Array(excluded);
    }
    schema
}

/// A handler of one's own: its keys are in `config`, and nobody else knows them.
fn of_function() -> Value {
    let hook_name =
        json!({"description": "The handler's.", "type": "string", "pattern": HOOK_NAME, "maxLength": 100});
    let mut properties = own(FUNCTION, hook_name);
    let listed = DeliverySettings::KEYS.iter().filter(|key| key.name != OF_APPLY);
    properties.extend(listed.map(|key| (key.name.into(), of_key(key))));
    properties.insert(
        "config".into(),
        json!({"description": "The handler's own keys.", "type": ["object", "null"]}),
    );
    json!({
        "description": "A handler of one's own, in the worker's process.",
        "type": "object",
        "required": ["type", "name"],
        "properties": properties,
        "additionalProperties": false,
    })
}

fn of_key(key: &Key) -> Value {
    let mut schema = (key.schema)();
    if key.null_is_absent && !key.is_required {
        schema = json!({"anyOf": [schema, {"type": "null"}]});
    }
    schema["description"] = flowing(key.meaning).into();
    let default = key.default.map(|shown| shown());
    if let Some(Ok(value)) = default.map(|shown| serde_json::from_str::<Value>(shown.trim_matches('`'))) {
        schema["default"] = value;
    }
    schema
}

fn not_null() -> Value {
    json!({"not": {"type": "null"}})
}

/// One paragraph on one line.
fn flowing(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_schema_has_the_top_keys_of_a_file() {
        let document = document();
        let described: BTreeSet<&str> = document["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(described, BTreeSet::from(TOP));
    }
}
