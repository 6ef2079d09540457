//! The check of a hook: its type, its name and its config. Pure but for raising the first problem. Which keys there are is in
//! `keys`, what a value must be in `value`; the worker parses the same keys.

mod credential;
mod headers;
mod keys;
mod reference;
mod url;
mod value;

use pgrx::prelude::*;
use serde_json::{Map, Value};

use crate::error::{Error, raise};
use keys::{ANY_HOOK, AUTO_EMBED, AUTO_GRAPH, AUTO_SUMMARIZE, Key, LOG, SQL, WEBHOOK};

/// `zerodb._check_hook`: raises 22023 for the first thing that is wrong with a hook. The config comes as text, because not
/// every jsonb can be read here: one that nests deeper than 127 levels is refused like any other mistake.
#[pg_extern(name = "_check_hook", immutable)]
fn check_hook(hook_type: Option<&str>, hook_name: Option<&str>, hook_config: Option<&str>) {
    let config = match hook_config.map(serde_json::from_str) {
        None => Value::Null,
        Some(Ok(config)) => config,
        Some(Err(unread)) => raise(Error::UnreadableConfig {
            reason: unread.to_string(),
        }),
    };
    if let Err(error) = check(
        hook_type.unwrap_or_default(),
        hook_name.unwrap_or_default(),
        &config,
    ) {
        raise(error)
    }
}

fn check(hook_type: &str, hook_name: &str, config: &Value) -> Result<(), Error> {
    let handler = match (hook_type, hook_name) {
        ("first_party", "auto_embed") => Some(("auto_embed", AUTO_EMBED)),
        ("first_party", "auto_summarize") => Some(("auto_summarize", AUTO_SUMMARIZE)),
        ("first_party", "auto_graph") => Some(("auto_graph", AUTO_GRAPH)),
        ("first_party", _) => {
            return Err(Error::UnknownFirstParty {
                hook_name: hook_name.into(),
            });
        }
        ("webhook", _) => Some(("webhook", WEBHOOK)),
        ("log", _) => Some(("log", LOG)),
        ("sql", _) => Some(("sql", SQL)),
        // The config of an in-process handler is its own.
        ("function", _) => None,
        _ => {
            return Err(Error::UnknownHookType {
                hook_type: hook_type.into(),
            });
        }
    };
    if !is_hook_name(hook_name) {
        return Err(Error::BadHookName {
            hook_name: hook_name.into(),
        });
    }
    let Value::Object(config) = config else {
        return Err(Error::ConfigNotAnObject);
    };
    match handler {
        Some((handler, keys)) => check_keys(handler, keys, config),
        None => ANY_HOOK
            .iter()
            .filter_map(|key| Some((key, config.get(key.name)?)))
            .filter(|(key, value)| !value.is_null() || !key.kind.may_be_null())
            .try_for_each(|(key, value)| key.check(value)),
    }
}

/// The value of a key; one that is null was left out.
fn given<'c>(config: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    config.get(name).filter(|value| !value.is_null())
}

fn is_hook_name(name: &str) -> bool {
    name.len() <= 100
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

fn check_keys(handler: &'static str, keys: &'static [Key], config: &Map<String, Value>) -> Result<(), Error> {
    for (name, value) in config {
        match keys.iter().chain(ANY_HOOK).find(|key| key.name == name) {
            Some(key) if value.is_null() && key.kind.may_be_null() => {}
            Some(key) => key.check(value)?,
            None => {
                return Err(Error::UnknownKey {
                    nearest: zerodb_hooks_lexical::nearest(name, all(keys)),
                    key: name.clone(),
                    handler,
                    known: all(keys).collect::<Vec<_>>().join(", "),
                });
            }
        }
    }
    let missing = keys
        .iter()
        .find(|key| key.required && given(config, key.name).is_none());
    if let Some(missing) = missing {
        return Err(Error::MissingKey {
            key: missing.name,
            handler,
        });
    }
    let both = |(one, other): &&(&str, &str)| given(config, one).is_some() && given(config, other).is_some();
    match keys::EXCLUSIVE.iter().find(both) {
        Some((key, other)) => Err(Error::ExcludedKey { key, other }),
        None => Ok(()),
    }
}

fn all(keys: &'static [Key]) -> impl Iterator<Item = &'static str> {
    keys.iter().chain(ANY_HOOK).map(|key| key.name)
}
