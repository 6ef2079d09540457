//! The worker's file but for its hooks: the providers, the hosts and users of each secret, and how requests of hooks
//! leave. Read once at the start; its mistakes are told then, with their lines.

mod check;
mod file;
mod secrets;
mod webhooks;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use super::address::Address;
use super::caps::PackLimits;
use super::gate::RateLimits;
use zerodb_hooks_delivery::secret::{Rules, Secrets};
use zerodb_hooks_http::Access;

/// A mistake in the file; the message has the file, the line, the key and what to do.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct ConfigError(pub(super) String);

/// The providers of the file by name. The default value is a worker without a file: `local` alone.
#[derive(Debug, Clone)]
pub struct Config {
    pub providers: BTreeMap<String, ProviderConfig>,
    /// The provider of a hook that names none: the file's `default_provider`, else the only one that it has, else
    /// `local`.
    pub default_provider: String,
    /// The rules by which hooks may use secrets.
    pub secrets: Rules,
    /// How requests of hooks leave.
    pub webhooks: Access,
}

/// One entry of `providers`.
#[derive(Debug, Clone)]
pub enum ProviderConfig {
    Local,
    Candle(CandleConfig),
    Endpoint(Box<EndpointConfig>),
}

/// A directory with a model, read in process.
#[derive(Debug, Clone)]
pub struct CandleConfig {
    pub path: PathBuf,
    /// Its name in rows: the file's `model`, else the directory's name.
    pub model: String,
    /// The dimensions that every vector must have.
    pub dimensions: Option<usize>,
}

/// An OpenAI-compatible endpoint.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    pub(super) address: Address,
    /// The key goes into `api-key` instead of `authorization`.
    pub azure: bool,
    pub api_key: Option<SecretString>,
    /// Lower-case names.
    pub headers: Vec<(String, SecretString)>,
    /// The server's own names of models by what hooks call them.
    pub models: BTreeMap<String, String>,
    /// The model of a hook that names none.
    pub model: Option<String>,
    /// Asked for where the hook does not.
    pub dimensions: Option<usize>,
    pub rates: RateLimits,
    pub pack: PackLimits,
    /// Requests at once, of one worker.
    pub concurrency: usize,
    /// The deadline of one request.
    pub timeout: Duration,
    pub encoding: EncodingFormat,
}

/// The form in which vectors are asked for; an answer is read in any form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncodingFormat {
    /// Base64, and whatever the server does where it refuses that.
    #[default]
    Auto,
    Float,
    Base64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            providers: BTreeMap::new(),
            default_provider: super::LOCAL.into(),
            secrets: Rules::default(),
            webhooks: Access::default(),
        }
    }
}

impl Config {
    /// Reads the file and puts in the secrets that it references.
    ///
    /// # Errors
    /// When it cannot be read, is not YAML of the known keys, or references a secret that is not set.
    pub fn read(path: &Path, secrets: &Secrets) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let what = match error.kind() {
                std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                _ => format!("cannot be read: {error}"),
            };
            let name = path.display();
            ConfigError(format!(
                "{name}: {what}; give --config or ZERODB_HOOKS_CONFIG a file that the worker may read, or neither"
            ))
        })?;
        Self::parse(&path.display().to_string(), &text, secrets)
    }

    /// Whether a file has the worker's form: its keys and their types, without a look at secrets or hooks.
    ///
    /// # Errors
    /// When it is not YAML of the known keys.
    pub fn check_form(name: &str, text: &str) -> Result<(), ConfigError> {
        file::parse(name, text).map(drop)
    }

    /// Parses the text of a file; errors call it `name`.
    ///
    /// # Errors
    /// As for `read`.
    pub fn parse(name: &str, text: &str, secrets: &Secrets) -> Result<Self, ConfigError> {
        let file = file::parse(name, text)?;
        check::config(name, file, secrets)
    }
}

#[cfg(test)]
mod tests;
