//! What must run inside Postgres: the trigger's hot path, the check of a hook's config, the wake-up at commit and the
//! settings. Everything that SQL says well is in `sql/schema`, loaded from here in the order below. This crate never
//! imports the worker; the schema is the only thing they share.

mod api;
mod call_function;
mod capture;
mod config_check;
mod error;
mod event_data;
mod fence;
mod invoke;
mod lexical;
mod lock;
mod nearest;
mod outbox;
mod owner;
mod pattern;
mod reserve;
mod settings;
mod statement;
mod template;
mod wake;

use pgrx::prelude::*;

::pgrx::pg_module_magic!(name, version);

extension_sql_file!("../../sql/schema/types.sql", name = "types", bootstrap);
extension_sql_file!(
    "../../sql/schema/event_types.sql",
    name = "event_types",
    requires = ["types"]
);
extension_sql_file!(
    "../../sql/schema/tenancy.sql",
    name = "tenancy",
    requires = ["event_types"]
);
extension_sql_file!(
    "../../sql/schema/hooks.sql",
    name = "hooks",
    requires = ["tenancy", "native"]
);
extension_sql_file!(
    "../../sql/schema/outbox.sql",
    name = "outbox",
    requires = ["hooks"]
);
extension_sql_file!(
    "../../sql/schema/deliveries.sql",
    name = "deliveries",
    requires = ["outbox"]
);
extension_sql_file!(
    "../../sql/schema/candidates.sql",
    name = "candidates",
    requires = ["deliveries"]
);
extension_sql_file!(
    "../../sql/schema/order.sql",
    name = "order",
    requires = ["candidates"]
);
extension_sql_file!(
    "../../sql/schema/batches.sql",
    name = "batches",
    requires = ["order"]
);
extension_sql_file!(
    "../../sql/schema/hook_api.sql",
    name = "hook_api",
    requires = ["batches"]
);
extension_sql_file!(
    "../../sql/schema/mappings.sql",
    name = "mappings",
    requires = ["hook_api"]
);
extension_sql_file!(
    "../../sql/schema/watch_triggers.sql",
    name = "watch_triggers",
    requires = ["mappings"]
);
extension_sql_file!(
    "../../sql/schema/watch.sql",
    name = "watch",
    requires = ["watch_triggers"]
);
extension_sql_file!(
    "../../sql/schema/event_api.sql",
    name = "event_api",
    requires = ["watch"]
);
extension_sql_file!(
    "../../sql/schema/payloads.sql",
    name = "payloads",
    requires = ["event_api"]
);
extension_sql_file!(
    "../../sql/schema/delivery_api.sql",
    name = "delivery_api",
    requires = ["payloads", pattern::patterns]
);
extension_sql_file!(
    "../../sql/schema/store_trust.sql",
    name = "store_trust",
    requires = ["delivery_api"]
);
extension_sql_file!(
    "../../sql/schema/store.sql",
    name = "store",
    requires = ["store_trust"]
);
extension_sql_file!(
    "../../sql/schema/memory.sql",
    name = "memory",
    requires = ["store"]
);
extension_sql_file!(
    "../../sql/schema/graph_tables.sql",
    name = "graph_tables",
    requires = ["memory"]
);
extension_sql_file!(
    "../../sql/schema/graph.sql",
    name = "graph",
    requires = ["graph_tables"]
);
extension_sql_file!(
    "../../sql/schema/graph_read.sql",
    name = "graph_read",
    requires = ["graph"]
);
extension_sql_file!(
    "../../sql/schema/graph_facts.sql",
    name = "graph_facts",
    requires = ["graph_read"]
);
extension_sql_file!(
    "../../sql/schema/graph_write.sql",
    name = "graph_write",
    requires = ["graph_facts"]
);
extension_sql_file!(
    "../../sql/schema/graph_merge.sql",
    name = "graph_merge",
    requires = ["graph_write"]
);
extension_sql_file!("../../sql/schema/embed.sql", name = "embed", requires = ["graph"]);
extension_sql_file!(
    "../../sql/schema/recall.sql",
    name = "recall",
    requires = ["embed"]
);
extension_sql_file!(
    "../../sql/schema/backfill.sql",
    name = "backfill",
    requires = ["recall"]
);
extension_sql_file!(
    "../../sql/schema/providers.sql",
    name = "providers",
    requires = ["memory"]
);
extension_sql_file!(
    "../../sql/schema/usage.sql",
    name = "usage",
    requires = ["providers"]
);
extension_sql_file!(
    "../../sql/schema/budgets.sql",
    name = "budgets",
    requires = ["usage"]
);
extension_sql_file!(
    "../../sql/schema/hook_status.sql",
    name = "hook_status",
    requires = ["budgets", "backfill"]
);
extension_sql_file!(
    "../../sql/schema/summarize.sql",
    name = "summarize",
    requires = ["backfill"]
);
extension_sql_file!(
    "../../sql/schema/chunks.sql",
    name = "chunks",
    requires = ["summarize"]
);
extension_sql_file!(
    "../../sql/schema/hook_targets.sql",
    name = "hook_targets",
    requires = ["chunks"]
);
extension_sql_file!(
    "../../sql/schema/owner.sql",
    name = "owner",
    requires = ["hook_targets"]
);
extension_sql_file!(
    "../../sql/schema/maintenance.sql",
    name = "maintenance",
    requires = ["owner"]
);
extension_sql_file!(
    "../../sql/schema/privileges.sql",
    name = "privileges",
    requires = ["maintenance"],
    finalize
);

// The trigger functions are declared by hand: they read TriggerData directly.
extension_sql!(
    r"
CREATE FUNCTION zerodb._capture() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_capture';
COMMENT ON FUNCTION zerodb._capture() IS 'Records the events of one statement; its argument is the mapping that zerodb.watch made';
CREATE FUNCTION zerodb._as_owner(hook_id uuid, relid oid, action text, args jsonb, vectors real[]) RETURNS jsonb
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_as_owner';
COMMENT ON FUNCTION zerodb._as_owner(uuid, oid, text, jsonb, real[]) IS 'Runs an action of a hook''s handler on a table, as a role that may';
CREATE FUNCTION zerodb._forget_wanted() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_forget_wanted';
CREATE FUNCTION zerodb._event_data(data json) RETURNS jsonb LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'zerodb_event_data';
",
    name = "native",
    requires = ["types"]
);

#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    settings::define();
    capture::register_invalidation();
    wake::register();
    reserve::refill();
}

#[cfg(any(test, feature = "pg_test"))]
#[path = "../../pgrx-tests/pg_test/hook_config.rs"]
mod hook_config_tests;
#[cfg(any(test, feature = "pg_test"))]
#[path = "../../pgrx-tests/pg_test/json.rs"]
mod json_tests;
#[cfg(any(test, feature = "pg_test"))]
#[path = "../../pgrx-tests/pg_test/outbox.rs"]
mod outbox_tests;

/// What `cargo pgrx test` asks for.
#[cfg(test)]
pub mod pg_test {
    pub fn setup(_options: Vec<&str>) {}

    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        Vec::new()
    }
}
