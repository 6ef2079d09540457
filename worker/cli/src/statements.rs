//! The statements of the operator's commands. All of them read, but those of `bench`, which write to a schema of its own and
//! its one hook.

zerodb_hooks_store::statements! {
    /// The document of zerodb.status().
    STATUS = "queries/status.sql";
    /// Hooks by event type and project.
    HOOKS = "queries/hooks.sql";
    /// Backfills with their progress.
    BACKFILLS = "queries/backfills.sql";
    /// The vectors that a query is compared with.
    RECALL_SPACE = "queries/vector_space.sql";
    /// What fits a query best.
    RECALL = "queries/recall.sql";
    /// Whether a hook has this id or name.
    HOOK_EXISTS = "queries/hook_exists.sql";
    /// The length of each partition of the ledger.
    TAIL_COMPLETIONS = "queries/attempts/completions.sql";
    TAIL_ENDS = "queries/attempts/ledger_ends.sql";
    /// The attempts behind a place of one partition.
    TAIL_ATTEMPTS = "queries/attempts/attempts.sql";
    /// Version, role and clock of the server.
    DOCTOR_SERVER = "queries/server/server.sql";
    /// Installed and available version of the extension.
    DOCTOR_EXTENSION = "queries/extension/versions.sql";
    /// Calls into the extension's library.
    DOCTOR_LIBRARY = "queries/extension/library.sql";
    DOCTOR_SCHEMA = "queries/extension/schema_access.sql";
    /// Privileges of a worker that the role lacks.
    DOCTOR_GRANTS = "queries/extension/missing_privileges.sql";
    /// The backend that answers, and whether it listens.
    DOCTOR_BACKEND = "queries/server/backend.sql";
    /// Old transactions, prepared transactions and slots.
    DOCTOR_HORIZON = "queries/server/vacuum_holders.sql";
    /// Where zerodb.notify is off.
    DOCTOR_NOTIFY = "queries/extension/notify_off.sql";
    /// Connections and the notification queue.
    DOCTOR_LIMITS = "queries/server/limits.sql";
    /// Deliveries that are due, per hook.
    DOCTOR_OVERDUE = "queries/work/overdue.sql";
    /// Workers' leases and the work that waits for them.
    DOCTOR_LEASES = "queries/work/workers.sql";
    /// Hooks that cannot run or cannot match.
    DOCTOR_HOOKS = "queries/definitions/hook_faults.sql";
    /// Hooks that could not be made today.
    DOCTOR_UNWORKABLE = "queries/definitions/unworkable_hooks.sql";
    /// Watches that name columns which are gone.
    DOCTOR_WATCHES = "queries/definitions/lost_columns.sql";
    /// Writes to watched tables that leave no event.
    DOCTOR_MISSED = "queries/definitions/missed_writes.sql";
    /// Indexes that are not valid.
    DOCTOR_INDEXES = "queries/extension/invalid_indexes.sql";
    /// Triggers of the function of watches that no watch made.
    DOCTOR_MAPPINGS = "queries/definitions/foreign_triggers.sql";
    /// Triggers that do not fire as they should.
    DOCTOR_TRIGGERS = "queries/definitions/silent_triggers.sql";
    /// Makes a session act for every user and wait for the disk.
    BENCH_SESSION = "bench/session.sql";
    /// The server, and whether it can be written to.
    BENCH_SERVER = "bench/server.sql";
    /// Grants that the role lacks, as statements.
    BENCH_RIGHTS = "bench/rights.sql";
    /// Keeps a second bench out.
    BENCH_LOCK = "bench/lock.sql";
    /// The schema of the bench, if there is one.
    BENCH_SCHEMA = "bench/schema.sql";
    /// Workers, hooks and work that the bench and they would disturb.
    BENCH_OTHERS = "bench/others.sql";
    /// The leases of benches.
    BENCH_LEASES = "bench/leases.sql";
    /// Makes the schema and its tables.
    BENCH_CREATE_SCHEMA = "bench/create_schema.sql";
    /// Says whose the schema is.
    BENCH_MARK_SCHEMA = "bench/mark_schema.sql";
    /// Registers the event type.
    BENCH_REGISTER = "bench/register.sql";
    /// Watches one of the tables.
    BENCH_WATCH = "bench/watch.sql";
    /// Makes the hook.
    BENCH_CREATE_HOOK = "bench/create_hook.sql";
    /// Deletes the hook, if there is one.
    BENCH_DELETE_HOOK = "bench/delete_hook.sql";
    /// Ends the watch, if there is one.
    BENCH_UNWATCH = "bench/unwatch.sql";
    /// Drops the tables.
    BENCH_DROP_TABLES = "bench/drop_tables.sql";
    /// Drops the schema.
    BENCH_DROP_SCHEMA = "bench/drop_schema.sql";
    /// A row that nobody watches.
    BENCH_INSERT_PLAIN = "bench/insert_plain.sql";
    /// A row with its event.
    BENCH_INSERT_WATCHED = "bench/insert_watched.sql";
    /// Many rows with their events.
    BENCH_FILL = "bench/fill.sql";
    /// Whether a worker has its lease.
    BENCH_RUNS = "bench/runs.sql";
    /// What is still to be done for the hook.
    BENCH_LEFT = "bench/left.sql";
    /// The server's clock.
    BENCH_CLOCK = "bench/clock.sql";
    /// What was completed since a point in time.
    BENCH_COMPLETED = "bench/completed.sql";
}
