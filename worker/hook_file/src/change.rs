//! What applying a file does, or would do, to one hook. Configs are shown without what is, or may be, a secret.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;
use zerodb_hooks_queries::hidden;

/// What happens to a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Create,
    Update,
    /// Its type is another one: deleted and made anew.
    Replace,
    Delete,
    /// Made by the file, gone from it, and left as it is.
    Leave,
}

impl Action {
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Leave => "leave",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub action: Action,
    pub event_type: String,
    pub hook_type: String,
    pub hook_name: String,
    pub project_id: Option<Uuid>,
    /// A line for each key that changes.
    pub details: Vec<String>,
}

/// The keys in which two configs differ, each with what it was and what it is.
pub fn differences(old: &Value, new: &Map<String, Value>) -> Vec<String> {
    let none = Map::new();
    let old = old.as_object().unwrap_or(&none);
    let (shown_old, shown_new) = (shown(old), shown(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let lines = names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| {
            let (before, after) = (shown_old.get(name), shown_new.get(name));
            match (before, after) {
                (Some(before), Some(after)) if before == after => format!("{name}: another value"),
                (Some(before), Some(after)) => format!("{name}: {before} → {after}"),
                (Some(before), None) => format!("{name}: {before} → nothing"),
                (None, after) => format!("{name}: nothing → {}", after.unwrap_or(&Value::Null)),
            }
        });
    lines.collect()
}

fn shown(config: &Map<String, Value>) -> Map<String, Value> {
    match hidden(&Value::Object(config.clone())) {
        Value::Object(shown) => shown,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_told_and_no_secret() {
        let old =
            json!({"url": "https://a.example/hush1", "level": "info", "headers": {"x": "hush2"}, "gone": 1});
        let new = json!({"url": "https://a.example/hush3", "level": "warning", "headers": {"x": "hush4"}, "new": true});
        let lines = differences(&old, new.as_object().unwrap());
        let expected = [
            "gone: 1 → nothing",
            "headers: another value",
            "level: \"info\" → \"warning\"",
            "new: nothing → true",
            "url: another value",
        ];
        assert_eq!(lines, expected);
    }
}
