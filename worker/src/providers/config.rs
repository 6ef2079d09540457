//! The worker's file: which providers there are. Read once at the start.

use std::collections::BTreeMap;
use std::path::Path;

use crate::secret::Secrets;

/// What is wrong with the file; the message has the file, the line, the key and what to do.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct ConfigError(String);

/// The providers of the file by name. The default value is a worker without a file: `local` alone.
#[derive(Debug, Clone)]
pub struct Config {
    pub providers: BTreeMap<String, ProviderConfig>,
    pub default_provider: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            providers: BTreeMap::new(),
            default_provider: super::LOCAL.into(),
        }
    }
}

impl Config {
    /// Reads the file and puts in the secrets that it references.
    ///
    /// # Errors
    /// When it cannot be read, is not YAML of the known keys, or references a secret that is not set.
    pub fn read(path: &Path, _secrets: &Secrets) -> Result<Self, ConfigError> {
        Err(ConfigError(format!("{}: not there yet", path.display())))
    }
}

/// One entry of `providers`.
#[derive(Debug, Clone)]
pub struct ProviderConfig {}
