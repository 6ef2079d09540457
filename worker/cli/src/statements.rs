//! The statements of the operator's commands, each a file of `sql/worker`. All of them read, but those of `bench`, which
//! write to a schema of its own and its one hook. `ALL` is for the contract test.

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        $($(#[$doc])* pub(super) const $name: &str = include_str!(concat!("../../../sql/worker/", $file));)*

        /// Every statement with the name of its file.
        pub const ALL: &[(&str, &str)] = &[$(($file, $name)),*];
    };
}

statements! {
    /// The document of zerodb.status().
    STATUS = "cli_status.sql";
    /// Hooks by event type and project.
    HOOKS = "cli_hooks.sql";
    /// Backfills with their progress.
    BACKFILLS = "cli_backfills.sql";
    /// The vectors that a query is compared with.
    RECALL_SPACE = "cli_recall_space.sql";
    /// What fits a query best.
    RECALL = "cli_recall.sql";
    /// Whether a hook has this id or name.
    HOOK_EXISTS = "cli_hook_exists.sql";
    /// The length of each partition of the ledger.
    TAIL_COMPLETIONS = "cli_tail_completions.sql";
    TAIL_ENDS = "cli_tail_ends.sql";
    /// The attempts behind a place of one partition.
    TAIL_ATTEMPTS = "cli_tail_attempts.sql";
    /// Version, role and clock of the server.
    DOCTOR_SERVER = "cli_doctor_server.sql";
    /// Installed and available version of the extension.
    DOCTOR_EXTENSION = "cli_doctor_extension.sql";
    /// Calls into the extension's library.
    DOCTOR_LIBRARY = "cli_doctor_library.sql";
    DOCTOR_SCHEMA = "cli_doctor_schema.sql";
    /// Privileges of a worker that the role lacks.
    DOCTOR_GRANTS = "cli_doctor_grants.sql";
    /// The backend that answers, and whether it listens.
    DOCTOR_BACKEND = "cli_doctor_backend.sql";
    /// Old transactions, prepared transactions and slots.
    DOCTOR_HORIZON = "cli_doctor_horizon.sql";
    /// Where zerodb.notify is off.
    DOCTOR_NOTIFY = "cli_doctor_notify.sql";
    /// Connections and the notification queue.
    DOCTOR_LIMITS = "cli_doctor_limits.sql";
    /// Deliveries that are due, per hook.
    DOCTOR_OVERDUE = "cli_doctor_overdue.sql";
    /// Workers' leases and the work that waits for them.
    DOCTOR_LEASES = "cli_doctor_leases.sql";
    /// Hooks that cannot run or cannot match.
    DOCTOR_HOOKS = "cli_doctor_hooks.sql";
    /// Hooks that could not be made today.
    DOCTOR_UNWORKABLE = "cli_doctor_unworkable.sql";
    /// Watches that name columns which are gone.
    DOCTOR_WATCHES = "cli_doctor_watches.sql";
    /// Writes to watched tables that leave no event.
    DOCTOR_MISSED = "cli_doctor_missed.sql";
    /// Indexes that are not valid.
    DOCTOR_INDEXES = "cli_doctor_indexes.sql";
    /// Triggers of the function of watches that no watch made.
    DOCTOR_MAPPINGS = "cli_doctor_mappings.sql";
    /// Triggers that do not fire as they should.
    DOCTOR_TRIGGERS = "cli_doctor_triggers.sql";
    /// Makes a session act for every user and wait for the disk.
    BENCH_SESSION = "cli_bench_session.sql";
    /// The server, and whether it can be written to.
    BENCH_SERVER = "cli_bench_server.sql";
    /// Grants that the role lacks, as statements.
    BENCH_RIGHTS = "cli_bench_rights.sql";
    /// Keeps a second bench out.
    BENCH_LOCK = "cli_bench_lock.sql";
    /// The schema of the bench, if there is one.
    BENCH_SCHEMA = "cli_bench_schema.sql";
    /// Workers, hooks and work that the bench and they would disturb.
    BENCH_OTHERS = "cli_bench_others.sql";
    /// The leases of benches.
    BENCH_LEASES = "cli_bench_leases.sql";
    /// Makes the schema and its tables.
    BENCH_CREATE_SCHEMA = "cli_bench_create_schema.sql";
    /// Says whose the schema is.
    BENCH_MARK_SCHEMA = "cli_bench_mark_schema.sql";
    /// Registers the event type.
    BENCH_REGISTER = "cli_bench_register.sql";
    /// Watches one of the tables.
    BENCH_WATCH = "cli_bench_watch.sql";
    /// Makes the hook.
    BENCH_CREATE_HOOK = "cli_bench_create_hook.sql";
    /// Deletes the hook, if there is one.
    BENCH_DELETE_HOOK = "cli_bench_delete_hook.sql";
    /// Ends the watch, if there is one.
    BENCH_UNWATCH = "cli_bench_unwatch.sql";
    /// Drops the tables.
    BENCH_DROP_TABLES = "cli_bench_drop_tables.sql";
    /// Drops the schema.
    BENCH_DROP_SCHEMA = "cli_bench_drop_schema.sql";
    /// A row that nobody watches.
    BENCH_INSERT_PLAIN = "cli_bench_insert_plain.sql";
    /// A row with its event.
    BENCH_INSERT_WATCHED = "cli_bench_insert_watched.sql";
    /// Many rows with their events.
    BENCH_FILL = "cli_bench_fill.sql";
    /// Whether a worker has its lease.
    BENCH_RUNS = "cli_bench_runs.sql";
    /// What is still to be done for the hook.
    BENCH_LEFT = "cli_bench_left.sql";
    /// The server's clock.
    BENCH_CLOCK = "cli_bench_clock.sql";
    /// What was completed since a point in time.
    BENCH_COMPLETED = "cli_bench_completed.sql";
}
