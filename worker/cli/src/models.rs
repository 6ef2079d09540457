//! The models of the worker's file, for commands that use them as the worker does: with its limits and pauses, by the
//! same names.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::args::Database;
use super::failure::CommandFailure;
use zerodb_hooks_delivery::secret::Secrets;
use zerodb_hooks_http::{Access, Client};
use zerodb_hooks_providers::{Config, Gate, Providers};
use zerodb_hooks_store::{SharedGate, Store};

/// Which models there are.
#[derive(Args, Clone)]
pub struct ModelArgs {
    /// The worker's file (YAML), with the keys that it names in the environment [default: the built-in `local` only]
    #[arg(long, value_name = "FILE", env = "ZERODB_HOOKS_CONFIG")]
    pub config: Option<PathBuf>,
}

impl ModelArgs {
    /// The providers of the file. Contacts nobody.
    pub(super) fn providers(&self, database: &Database) -> Result<Providers, CommandFailure> {
        let secrets = Secrets::new(std::env::vars());
        let config = match &self.config {
            Some(file) => Config::read(file, &secrets).map_err(|error| bad_file(&error))?,
            None => Config::default(),
        };
        let store = Store::new(database.url()?)
            .map_err(|error| CommandFailure::usage(error.to_string(), "correct --database-url"))?;
        let http = Client::new(Access::default()).map_err(|error| bad_file(&error))?;
        let gate: Arc<dyn Gate> = Arc::new(SharedGate::new(store));
        Providers::new(&config, &http, &gate).map_err(|error| bad_file(&error))
    }
}

fn bad_file(error: &dyn std::error::Error) -> CommandFailure {
    CommandFailure::usage(
        error.to_string(),
        "correct the file that --config or ZERODB_HOOKS_CONFIG names; examples/providers has examples",
    )
}
