//! The statements of the reads. None of them writes but those of `signing`, and `replay`.

zerodb_hooks_store::statements! {
    ACT_FOR = "queries/act_for.sql";
    BACKFILLS = "queries/backfills.sql";
    HOOKS = "queries/hooks.sql";
    HOOKS_NAMED = "queries/hooks_named.sql";
    HOOK_EXISTS = "queries/hook_exists.sql";
    NEW_EVENTS = "queries/new_events.sql";
    RECALL = "queries/recall.sql";
    REPLAY = "queries/replay.sql";
    STATUS = "queries/status.sql";
    VECTOR_SPACE = "queries/vector_space.sql";

    ATTEMPTS = "queries/attempts/attempts.sql";
    COMPLETIONS = "queries/attempts/completions.sql";
    LEDGER_ENDS = "queries/attempts/ledger_ends.sql";
    LEDGER_TIME = "queries/attempts/ledger_time.sql";

    FOREIGN_TRIGGERS = "queries/definitions/foreign_triggers.sql";
    HOOK_FAULTS = "queries/definitions/hook_faults.sql";
    LOST_COLUMNS = "queries/definitions/lost_columns.sql";
    MISSED_WRITES = "queries/definitions/missed_writes.sql";
    SILENT_TRIGGERS = "queries/definitions/silent_triggers.sql";
    UNWORKABLE_HOOKS = "queries/definitions/unworkable_hooks.sql";

    INVALID_INDEXES = "queries/extension/invalid_indexes.sql";
    LIBRARY = "queries/extension/library.sql";
    MISSING_PRIVILEGES = "queries/extension/missing_privileges.sql";
    NOTIFY_OFF = "queries/extension/notify_off.sql";
    SCHEMA_ACCESS = "queries/extension/schema_access.sql";
    VERSIONS = "queries/extension/versions.sql";

    KEEP_SECRET = "queries/signing/keep_secret.sql";
    NEWEST_SECRET = "queries/signing/newest_secret.sql";
    SHOW_SECRET = "queries/signing/show_secret.sql";

    BACKEND = "queries/server/backend.sql";
    LIMITS = "queries/server/limits.sql";
    SERVER = "queries/server/server.sql";
    VACUUM_HOLDERS = "queries/server/vacuum_holders.sql";

    LATELY_ATTEMPTED = "queries/work/lately_attempted.sql";
    LATELY_COMPLETED = "queries/work/lately_completed.sql";
    OVERDUE = "queries/work/overdue.sql";
    RUNNING_HOOKS = "queries/work/running_hooks.sql";
    WORKERS = "queries/work/workers.sql";
    WRITTEN = "queries/work/written.sql";
}
