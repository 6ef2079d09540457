//! The form of the file: its keys and their types, and the words for what YAML or serde find wrong. Never shows a
//! value: it may be a key that somebody wrote there.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::{Error, Options, Spanned};
use zerodb_hooks_lexical::nearest;

use super::webhooks::Webhooks;
use super::{ConfigError, EncodingFormat};

/// The top of the file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerFile {
    #[serde(default)]
    pub providers: Option<BTreeMap<String, Spanned<Entry>>>,
    #[serde(default)]
    pub default_provider: Option<Spanned<String>>,
    #[serde(default)]
    pub secrets: Option<BTreeMap<String, Spanned<Secret>>>,
    /// Read by `zerodb_hooks_hook_file`.
    #[serde(default, rename = "hooks")]
    pub _hooks: Option<IgnoredAny>,
    #[serde(default)]
    pub webhooks: Option<Webhooks>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    #[default]
    OpenAi,
    Azure,
    Candle,
    Local,
}

/// An entry of `providers` with all keys of all kinds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub kind: Option<Kind>,
    pub url: Option<Spanned<String>>,
    pub api_key: Option<Spanned<String>>,
    pub headers: Option<BTreeMap<String, Spanned<String>>>,
    pub api_version: Option<Spanned<String>>,
    pub path: Option<Spanned<PathBuf>>,
    pub models: Option<BTreeMap<String, String>>,
    pub model: Option<String>,
    pub dimensions: Option<NonZeroUsize>,
    pub requests_per_minute: Option<NonZeroU32>,
    pub tokens_per_minute: Option<NonZeroU32>,
    pub max_batch: Option<NonZeroUsize>,
    pub max_batch_tokens: Option<NonZeroUsize>,
    pub max_input_tokens: Option<NonZeroUsize>,
    pub concurrency: Option<NonZeroUsize>,
    pub timeout_ms: Option<NonZeroU64>,
    pub encoding_format: Option<EncodingFormat>,
}

impl Entry {
    /// The kind that is meant where none is written.
    pub fn kind(&self) -> Kind {
        self.kind.unwrap_or_default()
    }

    /// The keys that only a provider at a URL has, of those that are written.
    pub fn keys_of_endpoints(&self) -> impl Iterator<Item = &'static str> {
        let written = [
            ("api_key", self.api_key.is_some()),
            ("headers", self.headers.is_some()),
            ("models", self.models.is_some()),
            ("requests_per_minute", self.requests_per_minute.is_some()),
            ("tokens_per_minute", self.tokens_per_minute.is_some()),
            ("max_batch", self.max_batch.is_some()),
            ("max_batch_tokens", self.max_batch_tokens.is_some()),
            ("max_input_tokens", self.max_input_tokens.is_some()),
            ("concurrency", self.concurrency.is_some()),
            ("timeout_ms", self.timeout_ms.is_some()),
            ("encoding_format", self.encoding_format.is_some()),
        ];
        written
            .into_iter()
            .filter_map(|(key, is_written)| is_written.then_some(key))
    }
}

/// An entry of `secrets`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    pub hosts: Option<Vec<Spanned<String>>>,
    pub users: Option<Vec<Spanned<String>>>,
}

/// # Errors
/// With the line and the key of the mistake.
pub fn parse(name: &str, text: &str) -> Result<WorkerFile, ConfigError> {
    let mut options = Options::default();
    options.with_snippet = false;
    let parsed: Result<Option<WorkerFile>, Error> = serde_saphyr::from_str_with_options(text, options);
    parsed
        .map(Option::unwrap_or_default)
        .map_err(|error| explain(name, text, &error))
}

fn explain(name: &str, text: &str, error: &Error) -> ConfigError {
    let location = error.location();
    let line = location.map_or(1, |location| location.line());
    let key = location.and_then(|location| key_at(text, location.line(), location.column()));
    let of = key.map_or(String::new(), |key| format!("{key}: "));
    let what = match error {
        Error::SerdeUnknownField { field, expected, .. } => unknown(field, expected),
        Error::SerdeUnknownVariant { expected, .. } => {
            format!("{of}unknown value; possible are {}", expected.join(", "))
        }
        Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => {
            format!("{of}expected {}", plain(expected))
        }
        Error::Unexpected { expected, .. } => format!("{of}expected {}", plain(expected)),
        Error::InvalidScalar { ty, .. } => format!("{of}expected {}", plain(ty)),
        Error::DuplicateMappingKey { .. } => "a key is there twice; leave one".into(),
        _ => format!("{of}not YAML of the expected form; check the indentation, quotes and brackets"),
    };
    ConfigError(format!("{name}:{line}: {what}"))
}

fn unknown(field: &str, known: &[&'static str]) -> String {
    match nearest(field, known.iter().copied()) {
        Some(meant) => format!(
            "{field}: unknown key; write {meant}; known are {}",
            known.join(", ")
        ),
        None => format!("{field}: unknown key; known are {}", known.join(", ")),
    }
}

/// The words of serde and YAML for a type, in those of the file.
fn plain(expected: &str) -> &str {
    match expected {
        "mapping start" => "keys with values",
        "string scalar" => "a text",
        number if number.contains("nonzero") || ["u32", "u64", "usize"].contains(&number) => {
            "a whole number above 0"
        }
        other => other,
    }
}

/// The key that is at a place of the text, or whose value is, in block or flow form.
fn key_at(text: &str, line: u64, column: u64) -> Option<String> {
    let line = text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let at = line
        .char_indices()
        .nth(usize::try_from(column).ok()?.checked_sub(1)?)?
        .0;
    let (before, from) = line.split_at(at);
    let word = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
    };
    let here = from.split_once(':').map(|(key, _)| key).filter(|key| word(key));
    let key = here.or_else(|| {
        before
            .trim_end()
            .strip_suffix(':')?
            .rsplit([' ', '{', ','])
            .next()
    })?;
    (!key.is_empty()).then(|| key.to_owned())
}
