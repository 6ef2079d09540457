//! The check of a hook: its type, its name and the keys of its config. Pure but for raising the first problem.
//! The tables below are the public contract of each handler's config; the worker parses the same keys.

use pgrx::JsonB;
use pgrx::prelude::*;
use serde_json::{Map, Value};

use crate::error::{Error, raise};

/// What a value must be.
enum Kind {
    Bool,
    Text,
    /// A text that is not empty.
    Name,
    Whole {
        least: i64,
        most: i64,
    },
    OneOf(&'static [&'static str]),
    /// `http://` or `https://`, or a secret's reference that holds the whole URL.
    Url,
    /// An object whose values are texts.
    Texts,
    /// Only `${ZERODB_SECRET_…}`.
    Secret,
}

struct Key {
    name: &'static str,
    kind: Kind,
    required: bool,
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key {
        name,
        kind,
        required: false,
    }
}

const fn required(name: &'static str, kind: Kind) -> Key {
    Key {
        name,
        kind,
        required: true,
    }
}

/// Keys that any hook may have.
const ANY_HOOK: &[Key] = &[
    key("when", Kind::Name),
    key("order_by", Kind::Name),
    key("max_attempts", Kind::Whole { least: 1, most: 1000 }),
    key(
        "concurrency",
        Kind::Whole {
            least: 1,
            most: 10_000,
        },
    ),
    key(
        "timeout_ms",
        Kind::Whole {
            least: 1,
            most: 3_600_000,
        },
    ),
];

const AUTO_EMBED: &[Key] = &[
    key("model", Kind::Name),
    key("provider", Kind::Name),
    key(
        "dimensions",
        Kind::Whole {
            least: 1,
            most: 16_000,
        },
    ),
    key("content", Kind::Name),
    key("target_column", Kind::Name),
    key("template", Kind::Name),
    key("chunk_table", Kind::Name),
    key(
        "chunk_tokens",
        Kind::Whole {
            least: 16,
            most: 8192,
        },
    ),
    key("chunk_overlap", Kind::Whole { least: 0, most: 1024 }),
];

const AUTO_SUMMARIZE: &[Key] = &[
    key("model", Kind::Name),
    key("provider", Kind::Name),
    key("map_model", Kind::Name),
    key("content", Kind::Name),
    key("target_column", Kind::Name),
    key(
        "max_length",
        Kind::Whole {
            least: 1,
            most: 1_000_000,
        },
    ),
];

const AUTO_GRAPH: &[Key] = &[
    key("model", Kind::Name),
    key("provider", Kind::Name),
    key("embedding_provider", Kind::Name),
    key("embedding_model", Kind::Name),
    key("extract_entities", Kind::Bool),
    key(
        "max_relations",
        Kind::Whole {
            least: 0,
            most: 10_000,
        },
    ),
];

const WEBHOOK: &[Key] = &[
    required("url", Kind::Url),
    key("method", Kind::OneOf(&["POST", "PUT"])),
    key("headers", Kind::Texts),
    key("body_template", Kind::Text),
    key("retry_count", Kind::Whole { least: 0, most: 999 }),
    key(
        "retry_delay_ms",
        Kind::Whole {
            least: 0,
            most: 86_400_000,
        },
    ),
    key("async", Kind::Bool),
    key("include_content", Kind::Bool),
    key("format", Kind::OneOf(&["native", "cloudevents"])),
    key("secret", Kind::Secret),
];

const LOG: &[Key] = &[
    key("level", Kind::OneOf(&["debug", "info", "warning", "error"])),
    key("message", Kind::Text),
];

const SQL: &[Key] = &[required("function", Kind::Name)];

/// `zerodb._check_hook`: raises 22023 for the first thing that is wrong with a hook.
#[pg_extern(name = "_check_hook", immutable)]
fn check_hook(hook_type: Option<&str>, hook_name: Option<&str>, hook_config: Option<JsonB>) {
    let config = hook_config.map_or(Value::Null, |config| config.0);
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
            .try_for_each(|key| config.get(key.name).map_or(Ok(()), |value| key.check(value))),
    }
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
            Some(key) => key.check(value)?,
            None => {
                return Err(Error::UnknownKey {
                    key: name.clone(),
                    handler,
                    known: names(keys),
                });
            }
        }
    }
    match keys
        .iter()
        .find(|key| key.required && !config.contains_key(key.name))
    {
        Some(missing) => Err(Error::MissingKey {
            key: missing.name,
            handler,
        }),
        None => Ok(()),
    }
}

fn names(keys: &'static [Key]) -> String {
    keys.iter()
        .chain(ANY_HOOK)
        .map(|key| key.name)
        .collect::<Vec<_>>()
        .join(", ")
}

impl Key {
    fn check(&self, value: &Value) -> Result<(), Error> {
        let text = value.as_str();
        let fits = match &self.kind {
            Kind::Bool => value.is_boolean(),
            Kind::Text => text.is_some(),
            Kind::Name => text.is_some_and(|text| !text.is_empty()),
            Kind::Whole { least, most } => value
                .as_i64()
                .is_some_and(|number| (*least..=*most).contains(&number)),
            Kind::OneOf(allowed) => text.is_some_and(|text| allowed.contains(&text)),
            Kind::Url => text.is_some_and(is_url),
            Kind::Texts => value
                .as_object()
                .is_some_and(|texts| texts.values().all(Value::is_string)),
            Kind::Secret if text.is_some_and(|text| !is_secret_reference(text)) => {
                return Err(Error::LiteralSecret {
                    key: self.name.into(),
                });
            }
            Kind::Secret => text.is_some(),
        };
        if fits {
            Ok(())
        } else {
            Err(Error::BadValue {
                key: self.name.into(),
                expected: self.kind.expected(),
            })
        }
    }
}

impl Kind {
    fn expected(&self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Text => "a text",
            Self::Name => "a text that is not empty",
            Self::Whole { .. } => "a whole number within the documented range",
            Self::OneOf(allowed) => match allowed {
                ["POST", "PUT"] => "\"POST\" or \"PUT\"",
                ["native", "cloudevents"] => "\"native\" or \"cloudevents\"",
                _ => "\"debug\", \"info\", \"warning\" or \"error\"",
            },
            Self::Url => "an http:// or https:// URL without white space",
            Self::Texts => "an object whose values are texts",
            Self::Secret => "a reference such as \"${ZERODB_SECRET_NAME}\"",
        }
    }
}

fn is_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let has_host =
        rest.is_some_and(|rest| rest.starts_with(|first: char| !matches!(first, '/' | '?' | '#' | ':')));
    (has_host && !text.chars().any(char::is_whitespace)) || is_secret_reference(text)
}

fn is_secret_reference(text: &str) -> bool {
    text.strip_prefix("${ZERODB_SECRET_")
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|name| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        })
}
