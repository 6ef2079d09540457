//! The statements of the bench. What they write lies in a schema of its own and in its one hook.

zerodb_hooks_store::statements! {
    CLOCK = "bench/clock.sql";
    COMPLETED = "bench/completed.sql";
    CREATE_HOOK = "bench/create_hook.sql";
    CREATE_SCHEMA = "bench/create_schema.sql";
    DELETE_HOOK = "bench/delete_hook.sql";
    DROP_SCHEMA = "bench/drop_schema.sql";
    DROP_TABLES = "bench/drop_tables.sql";
    FILL = "bench/fill.sql";
    INSERT_PLAIN = "bench/insert_plain.sql";
    INSERT_WATCHED = "bench/insert_watched.sql";
    LEASES = "bench/leases.sql";
    LEFT = "bench/left.sql";
    LOCK = "bench/lock.sql";
    MARK_SCHEMA = "bench/mark_schema.sql";
    OTHERS = "bench/others.sql";
    REGISTER = "bench/register.sql";
    RIGHTS = "bench/rights.sql";
    RUNS = "bench/runs.sql";
    SCHEMA = "bench/schema.sql";
    SERVER = "bench/server.sql";
    SESSION = "bench/session.sql";
    UNWATCH = "bench/unwatch.sql";
    WATCH = "bench/watch.sql";
}
