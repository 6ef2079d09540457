//! Collects the parts of a worker. Contacts nobody.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::WorkerError;
use crate::handler::{Context, Handler};
use crate::registry::{Registered, Registry};
use crate::runner::Worker;
use crate::settings::Settings;
use crate::threads::Threads;
use zerodb_hooks_delivery::secret::Secrets;
use zerodb_hooks_http::Client;
use zerodb_hooks_metrics::Meters;
use zerodb_hooks_providers::{Config, Gate, Providers};
use zerodb_hooks_rendering::Templates;
use zerodb_hooks_spans::Tracer;
use zerodb_hooks_store::{SharedGate, Store};

pub struct WorkerBuilder {
    url: String,
    settings: Settings,
    built_in: BuiltIn,
    own: Vec<(String, Registered)>,
    program: Option<PathBuf>,
    secrets: Secrets,
    config: Config,
    tracer: Option<Tracer>,
    /// The first thing that went wrong; `build` returns it.
    failure: Option<WorkerError>,
}

/// Makes the handlers that a worker has by itself. The path is that of the program `zerodb-hooks`, where it is known:
/// some handlers start it as a child.
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
            tracer: None,
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

    /// The worker's file: the providers that hooks may name, the rules for secrets, and how webhooks leave. Defaults to
    /// the built-in `local` provider alone, secrets for hooks without a tenant, and webhooks to public addresses.
    #[must_use]
    pub fn providers(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Who records attempts. By default nobody does.
    #[must_use]
    pub fn tracer(mut self, tracer: Option<Tracer>) -> Self {
        self.tracer = tracer;
        self
    }

    /// The program `zerodb-hooks`, which is started as a child to read files and to render templates. By default no
    /// file's bytes are read, and only templates that do no more than write fields are rendered; other deliveries
    /// wait.
    #[must_use]
    pub fn parser(mut self, program: PathBuf) -> Self {
        self.program = Some(program);
        self
    }

    /// # Errors
    /// When the URL does not parse, TLS cannot be set up, a provider cannot work or a handler got no threads. Neither
    /// the database nor a provider is contacted.
    pub fn build(mut self) -> Result<Worker, WorkerError> {
        let mut registry = (self.built_in)(self.program.as_deref());
        for (name, handler) in self.own.drain(..) {
            registry.insert(&name, handler);
        }
        let settings = self.settings.clone();
        Ok(Worker::new(self.context()?, registry, settings))
    }

    /// The means that this worker would give its handlers, for whoever calls one without a worker.
    ///
    /// # Errors
    /// As for `build`.
    pub fn context(self) -> Result<Context, WorkerError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let store = Store::new(&self.url)?;
        let mut access = self.config.webhooks.clone();
        access.https_only = self.settings.production;
        access.guard.allow_all |= self.settings.allow_private_addresses;
        let http = Client::new(access)?;
        let gate: Arc<dyn Gate> = Arc::new(SharedGate::new(store.clone()));
        Ok(Context {
            providers: Providers::new(&self.config, &http, &gate)?,
            http,
            secrets: self.secrets.under(self.config.secrets),
            store,
            gate,
            templates: Arc::new(Templates::new(self.program)),
            meters: Arc::new(Meters::new(
                env!("CARGO_PKG_VERSION"),
                self.settings.metrics_hooks,
            )),
            tracer: self.tracer,
        })
    }
}

impl Worker {
    /// A worker that has no handlers but those it is given.
    pub fn builder(url: &str) -> WorkerBuilder {
        WorkerBuilder::new(url, |_| Registry::default())
    }
}
