//! Whether a hook may be made: its type, its name, its config.

use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::hooks::{DeliverySettings, EXCLUSIVE, Handler, HookConfig, HookType};
use crate::key::Key;
use crate::read::given;

/// In bytes, which are characters.
const LONGEST_NAME: usize = 100;

/// # Errors
/// For the first thing that is wrong.
pub fn check(hook_type: &str, hook_name: &str, config: &Value) -> Result<(), Fault> {
    faults(hook_type, hook_name, config)
        .into_iter()
        .next()
        .map_or(Ok(()), Err)
}

/// All that is wrong with a hook, as far as its type is known.
pub fn faults(hook_type: &str, hook_name: &str, config: &Value) -> Vec<Fault> {
    let hook_type = match HookType::of(hook_type, hook_name) {
        Ok(hook_type) => hook_type,
        Err(fault) => return vec![fault],
    };
    let mut faults = Vec::new();
    if !is_hook_name(hook_name) {
        faults.push(Fault::BadHookName {
            hook_name: hook_name.into(),
        });
    }
    match (config.as_object(), hook_type.described()) {
        (None, _) => faults.push(Fault::ConfigNotAnObject),
        (Some(config), Some(handler)) => faults.extend(of_keys(handler, config)),
        // The other keys are the handler's own.
        (Some(config), None) => {
            let given = DeliverySettings::KEYS
                .iter()
                .filter_map(|key| Some((key, config.get(key.name)?)));
            faults.extend(given.flat_map(|(key, value)| key.faults(value)));
        }
    }
    faults
}

/// Whether a hook that was checked may be made where only public addresses may be called. Apart from `check`, because
/// a database may be told to allow others.
///
/// # Errors
/// For a receiver whose address is written out and is not public.
pub fn check_receiver(hook_type: &HookType, config: &Value) -> Result<(), Fault> {
    let read = || HookConfig::read(hook_type, config.as_object()?).ok();
    match read() {
        Some(HookConfig::Webhook(webhook)) => webhook.url.check_public("url"),
        _ => Ok(()),
    }
}

fn is_hook_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

fn of_keys(handler: &'static Handler, config: &Map<String, Value>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, value) in config {
        match keys(handler).find(|key| key.name == name) {
            Some(key) => faults.extend(key.faults(value)),
            None => faults.push(Fault::UnknownKey {
                key: name.clone(),
                handler: handler.name,
                known: keys(handler).map(|key| key.name).collect(),
            }),
        }
    }
    let missing = keys(handler).filter(|key| key.is_required && given(config, key.name).is_none());
    faults.extend(missing.map(|key| Fault::MissingKey {
        key: key.name,
        handler: handler.name,
    }));
    let both = |(one, other): &&(&str, &str)| given(config, one).is_some() && given(config, other).is_some();
    let excluded = EXCLUSIVE.iter().filter(both);
    faults.extend(excluded.map(|(key, other)| Fault::ExcludedKey { key, other }));
    faults
}

/// The keys of a type: its own, then those of every hook.
pub fn keys(handler: &'static Handler) -> impl Iterator<Item = &'static Key> {
    handler.keys.iter().chain(DeliverySettings::KEYS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(hook_type: &str, name: &str, config: &Value) -> String {
        check(hook_type, name, config).map_or_else(|fault| fault.message(), |()| String::new())
    }

    #[test]
    fn what_is_wrong_is_told_with_its_path() {
        for (hook_type, name, config, expected) in [
            ("telepathy", "x", json!({}), "unknown hook type 'telepathy'"),
            (
                "first_party",
                "auto_magic",
                json!({}),
                "'auto_magic' is not a first-party hook",
            ),
            ("log", "no spaces", json!({}), "invalid hook name 'no spaces'"),
            ("log", "x", json!([]), "hook_config must be a JSON object"),
            (
                "log",
                "x",
                json!({"levle": 1}),
                "unknown key \"levle\" in the config of a log hook",
            ),
            (
                "log",
                "x",
                json!({"level": "loud"}),
                "invalid value for \"level\" in hook_config",
            ),
            (
                "log",
                "x",
                json!({"when": null}),
                "invalid value for \"when\" in hook_config",
            ),
            (
                "sql",
                "x",
                json!({"function": null}),
                "the config of a sql hook needs \"function\"",
            ),
            (
                "function",
                "x",
                json!({"timeout_ms": 0, "own": 1}),
                "invalid value for \"timeout_ms\" in hook_config",
            ),
            (
                "webhook",
                "x",
                json!({"headers": {"x-a": 1}}),
                "invalid value for \"headers.x-a\" in hook_config",
            ),
            (
                "first_party",
                "auto_embed",
                json!({"template": "{{ a }}", "content": "a"}),
                "\"template\" and \"content\" in hook_config exclude each other",
            ),
        ] {
            assert_eq!(said(hook_type, name, &config), expected, "{config}");
        }
    }

    #[test]
    fn what_is_right_is_taken() {
        for (hook_type, name, config) in [
            (
                "log",
                "x",
                json!({"level": "warning", "message": "{{ bank_id }}", "max_attempts": null}),
            ),
            (
                "webhook",
                "x",
                json!({"url": "https://a.example", "async": true, "include_content": false}),
            ),
            ("function", "mine", json!({"any": {"thing": null}})),
            (
                "first_party",
                "auto_graph",
                json!({"extract_entities": true, "max_relations": 10}),
            ),
        ] {
            assert_eq!(check(hook_type, name, &config), Ok(()), "{config}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_with_its_place() {
        let config = json!({"levle": 1, "level": "loud", "message": "{{ oops", "max_attempts": 0});
        let paths: Vec<_> = faults("log", "no spaces", &config)
            .iter()
            .map(Fault::path)
            .collect();
        let expected = ["", "level", "levle", "max_attempts", "message"];
        assert_eq!(
            paths
                .iter()
                .map(|path| path.as_deref().unwrap_or_default())
                .collect::<Vec<_>>(),
            expected
        );
        let headers =
            json!({"headers": {"host": "a", "x-a": 1, "x-b": "fine", "authorization": "Bearer hush"}});
        let paths: Vec<_> = faults("webhook", "x", &headers)
            .iter()
            .filter_map(Fault::path)
            .collect();
        assert_eq!(
            paths,
            ["headers.authorization", "headers.host", "headers.x-a", "url"]
        );
    }

    #[test]
    fn the_words_of_a_list_are_told() {
        let loud = check("log", "x", &json!({"level": "loud"})).unwrap_err();
        let expected = "Expected one of \"debug\", \"info\", \"warning\", \"error\".";
        assert_eq!(loud.detail().as_deref(), Some(expected));
    }
}
