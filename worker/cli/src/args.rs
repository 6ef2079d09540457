//! Options that several commands share, and those of the worker. Only names, defaults and meanings; what is done with
//! them is elsewhere.

use std::path::PathBuf;

use clap::{Args, ValueEnum, builder::BoolishValueParser, value_parser};

use super::failure::{self, CommandFailure};
use zerodb_hooks_http_server::HttpAddress;
use zerodb_hooks_queries::{Client, Notices, connect_and_hear};

/// Which database a command talks to. Not `Debug`: the URL may hold a password.
#[derive(Args, Clone)]
pub struct Database {
    /// The database: a postgres:// URL (several hosts, sslmode and target_session_attrs as in libpq)
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

impl Database {
    /// The URL, or a usage error that names both ways to give it.
    pub fn url(&self) -> Result<&str, CommandFailure> {
        self.database_url
            .as_deref()
            .filter(|url| !url.is_empty())
            .ok_or_else(|| {
                CommandFailure::usage(
                    "no database is named",
                    "give --database-url postgres://user@host:5432/database, or set DATABASE_URL to the same",
                )
            })
    }

    /// A connection for `command`, which Postgres shows as its application name.
    pub(super) async fn client(&self, command: &str) -> Result<Client, CommandFailure> {
        let (client, _unheard) = self.client_and_notices(command).await?;
        Ok(client)
    }

    /// The same, and what the server says beside its answers.
    pub(super) async fn client_and_notices(
        &self,
        command: &str,
    ) -> Result<(Client, Notices), CommandFailure> {
        let connected = connect_and_hear(self.url()?, &format!("zerodb-hooks {command}")).await;
        connected.map_err(|error| failure::connecting(&error))
    }
}

/// The form of the worker's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Options of `zerodb-hooks worker`.
#[derive(Args, Clone)]
pub struct WorkerArgs {
    /// Where the events and hooks are.
    #[command(flatten)]
    pub database: Database,

    /// The worker's file (YAML): its hooks, which are applied at the start and when the file changes, the model
    /// endpoints and which of them is the default [default: the built-in `local`], and where secrets may go
    #[arg(long, value_name = "FILE", env = "ZERODB_HOOKS_CONFIG")]
    pub config: Option<PathBuf>,

    /// Serve /metrics, /healthz and /readyz at this port of the loopback, or this IP address and port; without it,
    /// nothing is served. It asks for no password: let only your network of monitoring reach another address
    #[arg(long, value_name = "ADDRESS", env = "ZERODB_HOOKS_HTTP")]
    pub http: Option<HttpAddress>,

    /// Hooks that metrics count by name, the first that the worker meets; the rest counts as "other"
    #[arg(long, value_name = "N", env = "ZERODB_HOOKS_METRICS_HOOKS", default_value_t = 100,
          value_parser = value_parser!(u32).range(0..=1000))]
    pub metrics_hooks: u32,

    /// Seconds between two readings of the database's figures for metrics, by one worker at a time
    #[arg(long, value_name = "S", env = "ZERODB_HOOKS_METRICS_SAMPLE_S", default_value_t = 15,
          value_parser = value_parser!(u64).range(1..=3600))]
    pub metrics_sample_s: u64,

    /// The most deliveries that this worker holds at once; of those next to run a quarter of it, and more where more
    /// end
    #[arg(long, value_name = "N", env = "ZERODB_HOOKS_IN_FLIGHT", default_value_t = 4000,
          value_parser = value_parser!(u32).range(1..=100_000))]
    pub in_flight: u32,

    /// Deliveries of one hook that run at once, where the hook's config names no "concurrency"
    #[arg(long, value_name = "N", env = "ZERODB_HOOKS_CONCURRENCY", default_value_t = 64,
          value_parser = value_parser!(u32).range(1..=10_000))]
    pub concurrency: u32,

    /// Delete hooks that the worker's file has made and no longer has
    #[arg(long, env = "ZERODB_HOOKS_PRUNE_HOOKS", value_parser = BoolishValueParser::new())]
    pub prune_hooks: bool,

    /// Milliseconds between looks at the event log while no notification comes
    #[arg(long, value_name = "MS", env = "ZERODB_HOOKS_POLL_MS", default_value_t = 1000,
          value_parser = value_parser!(u64).range(1..=3_600_000))]
    pub poll_ms: u64,

    /// Seconds that a delivery stays with a worker that no longer answers, before another takes it
    #[arg(long, value_name = "S", env = "ZERODB_HOOKS_LEASE_S", default_value_t = 30,
          value_parser = value_parser!(u64).range(1..=3600))]
    pub lease_s: u64,

    /// Seconds that running deliveries get to end after SIGTERM; then they are given back
    #[arg(long, value_name = "S", env = "ZERODB_HOOKS_DRAIN_S", default_value_t = 20,
          value_parser = value_parser!(u64).range(0..=3600))]
    pub drain_s: u64,

    /// Form of the log, which goes to stderr
    #[arg(
        long,
        value_name = "FORMAT",
        env = "ZERODB_HOOKS_LOG_FORMAT",
        value_enum,
        default_value = "text"
    )]
    pub log_format: LogFormat,

    /// What is logged: error, warn, info, debug, trace, or a tracing filter such as info,zerodb_hooks_worker=debug
    #[arg(long, value_name = "FILTER", env = "ZERODB_HOOKS_LOG", default_value = "info")]
    pub log: String,

    /// Send traces of deliveries to this OpenTelemetry collector, by OTLP over HTTP, such as http://localhost:4318;
    /// only in a build with the feature `otlp`
    #[arg(
        long,
        value_name = "URL",
        env = "ZERODB_HOOKS_OTLP_ENDPOINT",
        hide_env_values = true
    )]
    pub otlp_endpoint: Option<String>,

    /// Of the traces that begin here, how many in a hundred are sent; of others their beginning says so, and failures
    /// are sent always
    #[arg(long, value_name = "PERCENT", env = "ZERODB_HOOKS_TRACE_PERCENT", default_value_t = 1.0, value_parser = percent)]
    pub trace_percent: f64,

    /// Refuse webhooks that are not https [values of the variable: true, false; default: false]
    #[arg(long, env = "ZERODB_HOOKS_PRODUCTION", value_parser = BoolishValueParser::new())]
    pub production: bool,

    /// Let webhooks go to addresses of this machine and of private networks, for receivers of one's own; the worker's
    /// file names single ones [values of the variable: true, false; default: false]
    #[arg(long, env = "ZERODB_HOOKS_ALLOW_PRIVATE_ADDRESSES", value_parser = BoolishValueParser::new())]
    pub allow_private_addresses: bool,

    /// Name of this worker in leases, attempts and `status` [default: hostname:pid]
    #[arg(long, value_name = "NAME", env = "ZERODB_HOOKS_NAME")]
    pub name: Option<String>,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=100.0).contains(&number) {
        Ok(number)
    } else {
        Err("not between 0 and 100".to_owned())
    }
}

/// What the parent of `zerodb-hooks parse` and `render` allows it; read by the child itself.
#[derive(Args, Clone)]
pub struct ChildArgs {
    /// The limits
    #[arg(
        value_name = "LIMIT",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        hide = true
    )]
    pub limits: Vec<String>,
}
