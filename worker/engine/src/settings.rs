//! The settings of a worker. Reads no environment: the command line does.

use std::time::Duration;

/// The settings of a worker. Every field has the default of the command line.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name in leases and in the ledger. Defaults to host name and process id.
    pub name: String,
    /// The most deliveries leased to this worker at once, running or next to run: a quarter of it, and more where
    /// more end. Defaults to 4000.
    pub in_flight: usize,
    /// Deliveries of one hook that run at once, where the hook's config names no `concurrency`. Defaults to 64.
    pub concurrency: usize,
    /// Longest wait between two looks at the log. Defaults to 1 s.
    pub poll: Duration,
    /// Time for which a dead worker's deliveries stay its own. Defaults to 30 s; the heartbeat comes three times in it.
    pub lease: Duration,
    /// Time for running deliveries to end after a stop. Defaults to 20 s.
    pub drain: Duration,
    /// Refuse webhooks without TLS. Defaults to false.
    pub production: bool,
    /// Let webhooks go to addresses of the machine itself and of private networks, beyond those that the worker's file
    /// names. Defaults to false.
    pub allow_private_addresses: bool,
    /// Time between two readings of the database's figures for the metrics; `None`, the default, for none.
    pub sample: Option<Duration>,
    /// Hooks whose names are in labels of metrics, at most. Defaults to 100.
    pub metrics_hooks: usize,
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
            allow_private_addresses: false,
            sample: None,
            metrics_hooks: 100,
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
