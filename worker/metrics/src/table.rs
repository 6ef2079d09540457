//! The table of metrics: each with its name as Prometheus has it, its kind, labels and meaning. The page
//! `docs/reference/metrics.md` is made from it, and what is registered takes its help from here. A metric that is not
//! in the table cannot be registered.

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    /// The word of the text format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Where the figures of a metric come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// This worker's own work: add them up over workers.
    Worker,
    /// The database, every 15 s, exported by one worker at a time.
    Database,
}

/// A metric as the reference describes it.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub source: Source,
    /// A sentence without its full stop.
    pub help: &'static str,
}

macro_rules! table {
    ($($source:ident $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        /// All metrics, in the order of the reference.
        pub const TABLE: &[Described] = &[$(Described {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            source: Source::$source,
            help: $help,
        }),*];
    };
}

table! {
    // Arrivals.
    Worker Counter "zerodb_hooks_events_dispatched_total" []
        "Events that this worker took from the log";
    Worker Counter "zerodb_hooks_deliveries_claimed_total" ["from"]
        "Deliveries leased to this worker: log, as they were dispatched; queue, when they were due";
    // Outcomes.
    Worker Counter "zerodb_hooks_attempts_total" ["handler", "outcome"]
        "Attempts that ended, by the outcomes of the ledger; deferred and released ones count as no attempt there";
    Worker Counter "zerodb_hooks_hook_attempts_total" ["hook", "scope", "outcome"]
        "The same by the hook's name; scope is global for hooks of every user, tenant for those of one";
    Worker Counter "zerodb_hooks_hook_attempt_seconds_total" ["hook", "scope"]
        "Time that attempts took, by the hook's name";
    Worker Counter "zerodb_hooks_given_up_total" ["reason"]
        "Deliveries discarded by this worker: permanent, an error that repetition does not mend; exhausted, at the last attempt; not_run, lost with its workers or its event gone";
    Worker Histogram "zerodb_hooks_attempt_duration_seconds" ["handler"]
        "Time from the begin of an attempt to its end";
    Worker Histogram "zerodb_hooks_delivery_lag_seconds" ["handler"]
        "Time from the write of the event to the begin of its delivery's first attempt";
    Worker Counter "zerodb_hooks_webhook_requests_total" ["result"]
        "Requests of webhooks by what came of them";
    // Models and cost.
    Worker Counter "zerodb_hooks_model_requests_total" ["provider", "handler"]
        "Requests to models, by the provider's name in the worker's file";
    Worker Counter "zerodb_hooks_model_inputs_total" ["provider", "handler"]
        "Texts that models were sent";
    Worker Counter "zerodb_hooks_model_tokens_total" ["provider", "handler", "kind"]
        "Tokens that models read (prompt) and wrote (completion), as they say or as estimated";
    // Workers.
    Worker Gauge "zerodb_hooks_build_info" ["version"]
        "Always 1; the version of this worker";
    Worker Gauge "zerodb_hooks_ready" []
        "1 while this worker takes work: its lease is renewed and it was not told to stop";
    Worker Gauge "zerodb_hooks_deliveries_in_flight" []
        "Deliveries leased to this worker whose outcome is not written";
    Worker Gauge "zerodb_hooks_deliveries_in_flight_limit" []
        "The most of them, --in-flight";
    Worker Gauge "zerodb_hooks_lease_renewed_timestamp_seconds" []
        "When the lease was last renewed, by the worker's clock";
    Worker Histogram "zerodb_hooks_database_call_duration_seconds" ["call"]
        "Time of the worker's calls of the database that succeeded: dispatch, claim, settle, renew";
    Worker Counter "zerodb_hooks_database_failures_total" ["call"]
        "Those calls that failed, each of which is tried again";
    Worker Counter "zerodb_hooks_runtime_busy_seconds_total" []
        "Time that the threads of the worker's runtime were busy, all together";
    Worker Gauge "zerodb_hooks_runtime_threads" []
        "Threads of the worker's runtime";
    Worker Gauge "zerodb_hooks_runtime_tasks" []
        "Tasks of the worker's runtime that have not ended";
    Worker Gauge "zerodb_hooks_runtime_queued_tasks" []
        "Tasks that wait in the queue that the runtime's threads share";
    Worker Counter "process_cpu_seconds_total" []
        "Processor time of the worker, user and system";
    Worker Gauge "process_resident_memory_bytes" []
        "Memory of the worker";
    Worker Gauge "process_open_fds" []
        "Open files and connections of the worker";
    Worker Gauge "process_max_fds" []
        "The most of them";
    Worker Gauge "process_start_time_seconds" []
        "When the worker was started";
    // Backlog and age, from the database.
    Database Gauge "zerodb_hooks_backlog" ["state"]
        "What is to be done, undispatched events, undecided candidates, deliveries that are due, that are not_due because they wait for another attempt, that are running, that are blocked by their order. Counted to 10000 each; due and not_due to 100000 together, or 1000 of each hook";
    Database Gauge "zerodb_hooks_backlog_oldest_age_seconds" ["state"]
        "Age of the oldest of it: of undispatched since the write, of due since it was due, of running since it was dispatched; 0 where there is none";
    Database Gauge "zerodb_hooks_hook_backlog" ["hook", "scope"]
        "Deliveries of active hooks that are due, by the hook's name, of those that are counted in the backlog";
    Database Gauge "zerodb_hooks_active_hooks" []
        "Hooks that are active, counted to 100000";
    Database Gauge "zerodb_hooks_switched_off_hooks" []
        "Hooks that the worker switched off, counted to 10000";
    Database Gauge "zerodb_hooks_workers" ["state"]
        "Workers by their leases: alive, expired";
    Database Gauge "zerodb_hooks_table_bytes" ["table"]
        "Disk that the log and the queue take, with their indexes";
    Database Gauge "zerodb_hooks_model_endpoint_paused" ["provider"]
        "1 while the model endpoint is paused, after failures or for its rate";
    Database Gauge "zerodb_hooks_budgets" ["state"]
        "Budgets of models, counted to 1000: set, all; exhausted, those with nothing left of the day's tokens";
    Database Gauge "zerodb_hooks_sampled_timestamp_seconds" []
        "When the figures of the database were last read, by the worker's clock";
    Database Gauge "zerodb_hooks_sample_duration_seconds" []
        "Time that reading them took";
}

/// The entry of a name.
pub(crate) fn described(name: &str) -> Option<&'static Described> {
    TABLE.iter().find(|one| one.name == name)
}
