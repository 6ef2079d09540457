//! Running deliveries: the worker as a library. `WorkerBuilder` collects what it needs, `Worker::run` lives until the
//! database says that this worker does not fit it, `Worker::run_until` until told to stop.

mod attempting;
mod backfill;
mod completer;
mod coverage;
mod deferrals;
mod executor;
mod heartbeat;
mod holdings;
mod hooks;
mod judge;
mod maintenance;
mod pace;
mod packing;
mod prepare;
mod pump;
mod runner;
mod slots;
mod starter;
mod step;
mod suspects;
mod watch;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::handlers::{Handler, Registry, Threads};
use crate::http::{Client, HttpError};
use crate::providers::{Config, ConfigError, Gate, Providers};
use crate::secret::Secrets;
use crate::store::{SharedGate, Store, StoreError};

/// How a worker behaves. Every field has the default of the command line.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name in leases and in the ledger. Defaults to host name and process id.
    pub name: String,
    /// The most deliveries leased to this worker at once, running or next to run: a quarter of it, and more where more end.
    /// Defaults to 4000.
    pub in_flight: usize,
    /// Deliveries of one hook that run at once, where the hook's config names no `concurrency`. Defaults to 64.
    pub concurrency: usize,
    /// Longest wait between two looks at the log. Defaults to 1 s.
    pub poll: Duration,
    /// How long a dead worker's deliveries stay its own. Defaults to 30 s; the heartbeat comes three times in it.
    pub lease: Duration,
    /// How long running deliveries may take to end after a stop. Defaults to 20 s.
    pub drain: Duration,
    /// Refuse webhooks without TLS. Defaults to false.
    pub production: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: default_name(),
            in_flight: 4000,
            concurrency: 64,
            poll: Duration::from_secs(1),
            lease: Duration::from_secs(30),
            drain: Duration::from_secs(20),
            production: false,
        }
    }
}

/// Host name and process id.
pub fn default_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!(
        "{}:{}",
        if host.is_empty() { "worker" } else { host },
        std::process::id()
    )
}

#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Providers(#[from] ConfigError),
    #[error("the system gives no threads for the handler {handler}: {error}")]
    Threads { handler: String, error: std::io::Error },
}

/// Collects the parts of a worker.
pub struct WorkerBuilder {
    url: String,
    settings: Settings,
    registry: Registry,
    secrets: Secrets,
    config: Config,
    /// What went wrong so far; `build` returns it.
    failure: Option<WorkerError>,
}

impl WorkerBuilder {
    /// Adds an in-process handler: it runs the hooks of type `function` with this name, on threads of its own.
    #[must_use]
    pub fn handler(mut self, name: &str, handler: impl Handler) -> Self {
        match Threads::start(name) {
            Ok(threads) => self.registry.insert(name, handler, Some(threads)),
            Err(error) => {
                self.failure = Some(WorkerError::Threads {
                    handler: name.into(),
                    error,
                })
            }
        }
        self
    }

    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The secrets that hooks may reference. Defaults to those of the environment.
    #[must_use]
    pub fn secrets(mut self, secrets: Secrets) -> Self {
        self.secrets = secrets;
        self
    }

    /// The worker's file: the providers that hooks may name, and the rules for secrets. Defaults to the built-in `local` provider
    /// alone, and secrets for hooks without a tenant.
    #[must_use]
    pub fn providers(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// The program `zerodb-hooks`, which is started as a child to read files and to render templates. By default no file's bytes
    /// are read, and only templates that do no more than write fields are rendered; other deliveries wait.
    #[must_use]
    pub fn parser(mut self, program: PathBuf) -> Self {
        self.registry.read_files_by(program);
        self
    }

    /// # Errors
    /// When the URL does not parse, TLS cannot be set up, a provider cannot work or a handler got no threads. Neither the
    /// database nor a provider is contacted.
    pub fn build(self) -> Result<Worker, WorkerError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let store = Store::new(&self.url)?;
        let http = Client::new(self.settings.production)?;
        let gate: Arc<dyn Gate> = Arc::new(SharedGate::new(store.clone()));
        Ok(Worker {
            providers: Providers::new(&self.config, &http, &gate)?,
            store,
            http,
            settings: self.settings,
            registry: self.registry,
            secrets: self.secrets.under(self.config.secrets),
        })
    }
}

/// A worker that is ready to run.
pub struct Worker {
    store: Store,
    http: Client,
    providers: Providers,
    settings: Settings,
    registry: Registry,
    secrets: Secrets,
}

impl Worker {
    pub fn builder(url: &str) -> WorkerBuilder {
        WorkerBuilder {
            url: url.into(),
            settings: Settings::default(),
            registry: Registry::built_in(),
            secrets: Secrets::new(std::env::vars()),
            config: Config::default(),
            failure: None,
        }
    }

    /// Runs for ever.
    ///
    /// # Errors
    /// At the start, when the extension is missing, of another version, or closed to the worker's role. A database that
    /// is not available is waited for, at the start and later.
    pub async fn run(self) -> Result<(), WorkerError> {
        self.run_until(std::future::pending()).await
    }

    /// Runs until `stop` is ready, then lets running deliveries end within `Settings::drain`.
    ///
    /// # Errors
    /// As for `run`.
    pub async fn run_until(self, stop: impl Future<Output = ()> + Send) -> Result<(), WorkerError> {
        runner::run(self, stop).await
    }
}
