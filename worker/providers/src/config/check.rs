//! Checks what the types of the file do not say: the keys that a kind needs and has, and that keys are references.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use secrecy::SecretString;
use serde_saphyr::Spanned;

use super::file::{Entry, Kind, WorkerFile};
use super::secrets as of_hooks;
use super::{CandleConfig, Config, ConfigError, EndpointConfig, ProviderConfig, webhooks};
use crate::LOCAL;
use crate::address::Address;
use crate::caps::PackLimits;
use crate::gate::RateLimits;
use zerodb_hooks_delivery::secret::{PREFIX, PROVIDER_PREFIX, SecretError, Secrets};

const CONCURRENCY: usize = 8;
const TIMEOUT: Duration = Duration::from_secs(60);
/// The version that is meant where an Azure entry names none and its URL is of a resource or deployment.
const AZURE_VERSION: &str = "2024-10-21";
/// Headers that carry keys, whose values must be references.
const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "api-key",
    "x-api-key",
    "proxy-authorization",
    "cookie",
];

/// A name and its line, for errors.
struct EntryPlace<'a> {
    file: &'a str,
    provider: &'a str,
    line: u64,
}

impl EntryPlace<'_> {
    /// An error at a key of the provider.
    fn wrong<T>(&self, line: u64, key: &str, what: &str) -> Result<T, ConfigError> {
        let (file, provider) = (self.file, self.provider);
        Err(ConfigError(format!(
            "{file}:{line}: providers.{provider}.{key}: {what}"
        )))
    }
}

/// # Errors
/// With the line and the key of an entry that cannot work.
pub fn config(name: &str, file: WorkerFile, secrets: &Secrets) -> Result<Config, ConfigError> {
    let rules = of_hooks::rules(name, file.secrets, file.providers.iter().flatten())?;
    let mut providers = BTreeMap::new();
    for (provider, entry) in file.providers.unwrap_or_default() {
        let place = EntryPlace {
            file: name,
            provider: &provider,
            line: entry.referenced.line(),
        };
        let checked = entry_of(&place, entry.value, secrets)?;
        providers.insert(provider, checked);
    }
    let webhooks = webhooks::access(name, file.webhooks.unwrap_or_default(), secrets)?;
    let default_provider = default_provider(name, file.default_provider, &providers)?;
    Ok(Config {
        providers,
        default_provider,
        secrets: rules,
        webhooks,
    })
}

fn default_provider(
    name: &str,
    named: Option<Spanned<String>>,
    providers: &BTreeMap<String, ProviderConfig>,
) -> Result<String, ConfigError> {
    let known = || {
        let names: Vec<&str> = providers
            .keys()
            .map(String::as_str)
            .filter(|name| *name != LOCAL)
            .collect();
        [&names[..], &[LOCAL]].concat().join(", ")
    };
    match named {
        Some(named) if named.value == LOCAL || providers.contains_key(&named.value) => Ok(named.value),
        Some(named) => Err(ConfigError(format!(
            "{name}:{}: default_provider: not among the providers; name one of {}",
            named.referenced.line(),
            known()
        ))),
        None if providers.len() > 1 => Err(ConfigError(format!(
            "{name}: default_provider is missing and there are several providers; name one of {}",
            known()
        ))),
        None => Ok(providers.keys().next().map_or(LOCAL, String::as_str).to_owned()),
    }
}

fn entry_of(place: &EntryPlace<'_>, entry: Entry, secrets: &Secrets) -> Result<ProviderConfig, ConfigError> {
    let kind = entry.kind();
    if place.provider == LOCAL && kind != Kind::Local {
        return place.wrong(
            place.line,
            "kind",
            "local is the built-in provider; give this one another name",
        );
    }
    if let (Some(path), true) = (&entry.path, kind != Kind::Candle) {
        return place.wrong(
            path.referenced.line(),
            "path",
            "only kind: candle has a path; add kind: candle, or leave it out",
        );
    }
    if let (Some(url), true) = (&entry.url, matches!(kind, Kind::Candle | Kind::Local)) {
        return place.wrong(
            url.referenced.line(),
            "url",
            "a provider in process has no url; leave it out, or leave out kind",
        );
    }
    if let (Some(version), true) = (&entry.api_version, kind != Kind::Azure) {
        return place.wrong(
            version.referenced.line(),
            "api_version",
            "only kind: azure has a version; add kind: azure, or leave it out",
        );
    }
    if matches!(kind, Kind::Candle | Kind::Local)
        && let Some(key) = entry.keys_of_endpoints().next()
    {
        return place.wrong(
            place.line,
            key,
            "a provider in process has no such key; leave it out",
        );
    }
    let named = entry.model.is_some() || entry.dimensions.is_some();
    if kind == Kind::Local && named {
        return place.wrong(
            place.line,
            if entry.model.is_some() {
                "model"
            } else {
                "dimensions"
            },
            "the built-in provider has no such key; leave it out",
        );
    }
    match kind {
        Kind::Local => Ok(ProviderConfig::Local),
        Kind::Candle => candle(place, entry),
        Kind::OpenAi | Kind::Azure => {
            endpoint(place, entry, secrets).map(|endpoint| ProviderConfig::Endpoint(Box::new(endpoint)))
        }
    }
}

fn candle(place: &EntryPlace<'_>, entry: Entry) -> Result<ProviderConfig, ConfigError> {
    let Some(path) = entry.path else {
        return place.wrong(place.line, "path", "missing; name the directory of the model");
    };
    let directory = path
        .value
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let Some(model) = entry.model.or(directory) else {
        return place.wrong(path.referenced.line(), "path", "not the name of a directory");
    };
    Ok(ProviderConfig::Candle(CandleConfig {
        path: path.value,
        model,
        dimensions: entry.dimensions.map(NonZeroUsize::get),
    }))
}

fn endpoint(place: &EntryPlace<'_>, entry: Entry, secrets: &Secrets) -> Result<EndpointConfig, ConfigError> {
    let azure = entry.kind() == Kind::Azure;
    let address = address(place, &entry, azure)?;
    let known = PackLimits::of_host(address.host());
    let pack = PackLimits {
        inputs: entry.max_batch.map_or(known.inputs, NonZeroUsize::get),
        tokens: entry.max_batch_tokens.map_or(known.tokens, NonZeroUsize::get),
        input_tokens: entry
            .max_input_tokens
            .map_or(known.input_tokens, NonZeroUsize::get),
    };
    let models = entry.models.clone().unwrap_or_default();
    let only = || models.keys().next().filter(|_| models.len() == 1).cloned();
    Ok(EndpointConfig {
        azure,
        api_key: match &entry.api_key {
            Some(key) => Some(secret(place, "api_key", key, secrets)?),
            None => None,
        },
        headers: headers(place, entry.headers.iter().flatten(), secrets)?,
        model: entry.model.clone().or_else(only),
        models,
        dimensions: entry.dimensions.map(NonZeroUsize::get),
        rates: RateLimits {
            requests_per_minute: entry.requests_per_minute.map(Into::into),
            tokens_per_minute: entry.tokens_per_minute.map(Into::into),
        },
        pack,
        concurrency: entry.concurrency.map_or(CONCURRENCY, NonZeroUsize::get),
        timeout: entry
            .timeout_ms
            .map_or(TIMEOUT, |ms| Duration::from_millis(ms.get())),
        encoding: entry.encoding_format.unwrap_or_default(),
        address,
    })
}

fn address(place: &EntryPlace<'_>, entry: &Entry, azure: bool) -> Result<Address, ConfigError> {
    let Some(url) = &entry.url else {
        return place.wrong(
            place.line,
            "url",
            "missing; write the base URL, such as https://host/v1",
        );
    };
    let address = if azure {
        let version = entry.api_version.as_ref().map(|version| version.value.as_str());
        // The API of the path /openai/v1 has no versions.
        let implied = (!url.value.contains("/openai/v1")).then_some(AZURE_VERSION);
        Address::azure(&url.value, version.or(implied))
    } else {
        Address::openai(&url.value)
    };
    address.or_else(|error| place.wrong(url.referenced.line(), "url", &error.to_string()))
}

/// A value that must be a reference to a secret and nothing else.
fn secret(
    place: &EntryPlace<'_>,
    key: &str,
    value: &Spanned<String>,
    secrets: &Secrets,
) -> Result<SecretString, ConfigError> {
    let text = value.value.trim();
    let begins = |text: &str| {
        let name = text.strip_prefix("${");
        name.is_some_and(|name| name.starts_with(PROVIDER_PREFIX) || name.starts_with(PREFIX))
    };
    let is_reference = begins(text) && text.find('}') == Some(text.len() - 1);
    // A scheme before the reference, as in "Bearer ${…}".
    let after_scheme = text.split_once(' ').map_or(text, |(_, rest)| rest);
    let is_schemed = key != "api_key" && begins(after_scheme) && after_scheme.ends_with('}');
    if !is_reference && !is_schemed {
        return place.wrong(
            value.referenced.line(),
            key,
            "a key must not be in the file; put it into a variable of the worker and write \"${ZERODB_PROVIDER_NAME}\"",
        );
    }
    expand(place, key, value, secrets)
}

fn expand(
    place: &EntryPlace<'_>,
    key: &str,
    value: &Spanned<String>,
    secrets: &Secrets,
) -> Result<SecretString, ConfigError> {
    let line = value.referenced.line();
    match secrets.expand(value.value.trim()) {
        Ok(text) if text.is_empty() => place.wrong(line, key, "the secret is empty"),
        Ok(text) => Ok(SecretString::from(text)),
        Err(SecretError::NotSet { name }) => place.wrong(
            line,
            key,
            &format!("the secret {name} is not set; set the variable where the worker runs"),
        ),
        Err(error) => place.wrong(line, key, &error.to_string()),
    }
}

fn headers<'e>(
    place: &EntryPlace<'_>,
    headers: impl Iterator<Item = (&'e String, &'e Spanned<String>)>,
    secrets: &Secrets,
) -> Result<Vec<(String, SecretString)>, ConfigError> {
    let mut checked = Vec::new();
    for (name, value) in headers {
        let (key, lower) = (format!("headers.{name}"), name.to_lowercase());
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || !name.chars().all(plain) {
            return place.wrong(value.referenced.line(), &key, "not the name of a header");
        }
        let text = if SECRET_HEADERS.contains(&lower.as_str()) {
            secret(place, &key, value, secrets)?
        } else {
            expand(place, &key, value, secrets)?
        };
        checked.push((lower, text));
    }
    Ok(checked)
}
