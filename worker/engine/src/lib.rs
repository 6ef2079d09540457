//! Running deliveries: the worker as a library. `WorkerBuilder` collects what it needs, `Worker::run` lives until the
//! database says that this worker does not fit it, `Worker::run_until` until told to stop.

mod attempting;
mod backfill;
mod completer;
mod coverage;
mod deferrals;
mod executor;
mod handler;
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
mod threads;
pub mod verdict;
mod watch;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use zerodb_hooks_rendering::Templates;

pub use handler::{Backfills, Context, Handler, Registered, Registry, Rows};
use threads::Threads;
use zerodb_hooks_delivery::secret::Secrets;
use zerodb_hooks_http::{Client, HttpError};
use zerodb_hooks_providers::{Config, ConfigError, Gate, Providers};
use zerodb_hooks_store::{SharedGate, Store, StoreError};

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
    built_in: BuiltIn,
    own: Vec<(String, Registered)>,
    program: Option<PathBuf>,
    secrets: Secrets,
    config: Config,
    /// The first thing that went wrong; `build` returns it.
    failure: Option<WorkerError>,
}

/// Makes the handlers that a worker has by itself. The path is that of the program `zerodb-hooks`, where it is known: some
/// handlers start it as a child.
pub type BuiltIn = fn(Option<&Path>) -> Registry;

impl WorkerBuilder {
    /// A worker of the database at this URL, with these handlers and the defaults of everything else.
    pub fn new(url: &str, built_in: BuiltIn) -> Self {
        Self {
            url: url.into(),
            settings: Settings::default(),
            built_in,
            own: Vec::new(),
            program: None,
            secrets: Secrets::new(std::env::vars()),
            config: Config::default(),
            failure: None,
        }
    }

    /// Adds an in-process handler: it runs the hooks of type `function` with this name, on threads of its own.
    #[must_use]
    pub fn handler(mut self, name: &str, handler: impl Handler) -> Self {
        match Threads::start(name) {
            Ok(threads) => self
                .own
                .push((name.into(), Registered::new(handler, Some(threads)))),
            Err(error) => {
                self.failure.get_or_insert(WorkerError::Threads {
                    handler: name.into(),
                    error,
                });
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
        self.program = Some(program);
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
        let mut registry = (self.built_in)(self.program.as_deref());
        for (name, handler) in self.own {
            registry.insert(&name, handler);
        }
        Ok(Worker {
            providers: Providers::new(&self.config, &http, &gate)?,
            store,
            http,
            settings: self.settings,
            registry,
            templates: Arc::new(Templates::new(self.program)),
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
    templates: Arc<Templates>,
    secrets: Secrets,
}

impl Worker {
    /// A worker that has no handlers but those it is given.
    pub fn builder(url: &str) -> WorkerBuilder {
        WorkerBuilder::new(url, |_| Registry::default())
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
