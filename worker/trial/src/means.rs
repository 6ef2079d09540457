//! What a worker would have: the database, the environment's secrets, its file, and where its requests may go.

use std::path::PathBuf;

use zerodb_hooks_delivery::secret::Secrets;
use zerodb_hooks_engine::{Context, Registry, Settings, WorkerBuilder};
use zerodb_hooks_providers::Config;

use crate::error::TrialError;

/// The options of a worker that decide what one of its requests is.
pub struct Means {
    pub database_url: String,
    /// The worker's file.
    pub config: Option<PathBuf>,
    pub production: bool,
    pub allow_private_addresses: bool,
    /// The program `zerodb-hooks`, which renders templates as a child.
    pub program: PathBuf,
}

impl Means {
    /// # Errors
    /// Those of the file, and of building a worker. Contacts nobody.
    pub(crate) fn context(&self) -> Result<Context, TrialError> {
        let secrets = Secrets::new(std::env::vars());
        let config = match &self.config {
            Some(file) => Config::read(file, &secrets)?,
            None => Config::default(),
        };
        let settings = Settings {
            production: self.production,
            allow_private_addresses: self.allow_private_addresses,
            ..Settings::default()
        };
        Ok(WorkerBuilder::new(&self.database_url, |_| Registry::default())
            .settings(settings)
            .secrets(secrets)
            .providers(config)
            .parser(self.program.clone())
            .context()?)
    }
}
