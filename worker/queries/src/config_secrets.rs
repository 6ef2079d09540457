//! What may be shown of a hook's config, and which secrets it refers to. Pure. Rather hides too much: a URL's path may
//! be a token, and the config of an in-process handler may hold anything.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use zerodb_hooks_contract::secret::{is_name, is_reference, references as references_of};

const HIDDEN: &str = "***";

/// Parts of key names whose values are secrets.
const SECRET_WORDS: &[&str] = &[
    "secret",
    "token",
    "passw",
    "key",
    "auth",
    "credential",
    "cookie",
    "signature",
];

/// The config with every value hidden that is, or may be, a secret.
pub fn hidden(config: &Value) -> Value {
    match config {
        Value::Object(entries) => Value::Object(
            entries
                .iter()
                .map(|(name, value)| (name.clone(), hidden_entry(name, value)))
                .collect(),
        ),
        Value::Array(values) => Value::Array(values.iter().map(hidden).collect()),
        Value::String(text) => Value::String(hidden_url(text)),
        other => other.clone(),
    }
}

fn hidden_entry(name: &str, value: &Value) -> Value {
    let lower = name.to_lowercase();
    match value {
        Value::String(text) if is_reference(text) => value.clone(),
        Value::Object(headers) if lower == "headers" => Value::Object(
            headers
                .keys()
                .map(|header| (header.clone(), HIDDEN.into()))
                .collect::<Map<_, _>>(),
        ),
        Value::String(template) if lower.contains("template") => length(template).into(),
        Value::Bool(_) | Value::Number(_) | Value::Null => value.clone(),
        _ if SECRET_WORDS.iter().any(|word| lower.contains(word)) => HIDDEN.into(),
        _ => hidden(value),
    }
}

/// Scheme, host and port of a URL; user, path and query may hold a token.
fn hidden_url(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let user = if host.len() < authority.len() { "***@" } else { "" };
    let path = if path.len() > 1 { "/…" } else { path };
    format!("{scheme}://{user}{host}{path}")
}

/// How long a text is, in its place.
fn length(text: &str) -> String {
    match text.chars().count() {
        1 => "<1 character>".to_owned(),
        count => format!("<{count} characters>"),
    }
}

/// The names of all secrets that the config refers to as `${ZERODB_SECRET_…}`.
pub fn references(config: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(config, &mut names);
    names
}

fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            names.extend(
                references_of(text)
                    .filter(|name| is_name(name))
                    .map(str::to_owned),
            );
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
        Value::Object(entries) => entries.values().for_each(|value| collect(value, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_secret_is_left() {
        let config = json!({
            "url": "https://me:hush1@hooks.example.com/services/hush2?key=hush3",
            "headers": {"Authorization": "Bearer hush4", "X-Plain": "hush5"},
            "secret": "hush6", "api_key": "hush7", "body_template": "{\"t\": \"hush8\"}",
            "nested": [{"password": "hush9", "auth": {"x": "hush10"}, "dsn": "postgres://u:hush11@db/x"}],
            "timeout_ms": 500
        });
        let shown = hidden(&config).to_string();
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains("https://***@hooks.example.com/…") && shown.contains("500"));
    }

    #[test]
    fn a_reference_is_no_secret() {
        let config = json!({"secret": "${ZERODB_SECRET_A}", "url": "${ZERODB_SECRET_URL}"});
        assert_eq!(hidden(&config), config);
    }

    #[test]
    fn a_literal_dressed_as_a_reference_is_hidden() {
        assert_eq!(
            hidden(&json!({"secret": "${ZERODB_SECRET_A}hush}"}))["secret"],
            "***"
        );
    }

    #[test]
    fn references_are_found_wherever_they_are() {
        let config = json!({
            "url": "https://x/${ZERODB_SECRET_PATH}/${HOME}",
            "headers": {"a": "Bearer ${ZERODB_SECRET_A} ${ZERODB_SECRET_B"},
            "list": ["${ZERODB_SECRET_PATH}"]
        });
        let names: Vec<_> = references(&config).into_iter().collect();
        assert_eq!(names, ["ZERODB_SECRET_A", "ZERODB_SECRET_PATH"]);
    }
}
