//! The order in which `CREATE EXTENSION` runs the files of `sql/schema`: one list, and nothing else. A file may use
//! what the files above it make. The functions that Rust declares may come anywhere between: nothing here is checked
//! against them before it is called.

use pgrx::prelude::*;

/// Makes each file require the one before it. The first runs before everything else of the extension, the last after
/// it.
macro_rules! in_order {
    ($name:tt => $path:tt, $($rest:tt)*) => {
        extension_sql_file!($path, name = $name, bootstrap);
        in_order!(after $name: $($rest)*);
    };
    (after $before:tt: $name:tt => $path:tt,) => {
        extension_sql_file!($path, name = $name, requires = [$before], finalize);
    };
    (after $before:tt: $name:tt => $path:tt, $($rest:tt)*) => {
        extension_sql_file!($path, name = $name, requires = [$before]);
        in_order!(after $name: $($rest)*);
    };
}

in_order! {
    "install_check" => "../../sql/schema/install/check.sql",
    "install_instance" => "../../sql/schema/install/instance.sql",
    "install_native" => "../../sql/schema/install/native.sql",

    "tenants_tenancy" => "../../sql/schema/tenants/tenancy.sql",

    "log_outbox" => "../../sql/schema/log/outbox.sql",
    "log_cursor" => "../../sql/schema/log/cursor.sql",
    "log_times" => "../../sql/schema/log/times.sql",
    "log_ids" => "../../sql/schema/log/ids.sql",
    "log_rotate" => "../../sql/schema/log/rotate.sql",
    "log_prune" => "../../sql/schema/log/prune.sql",

    "events_registry" => "../../sql/schema/events/registry.sql",
    "events_patterns" => "../../sql/schema/events/patterns.sql",
    "events_emit" => "../../sql/schema/events/emit.sql",
    "events_payloads" => "../../sql/schema/events/payloads.sql",
    "events_read" => "../../sql/schema/events/read.sql",

    "hooks_tables" => "../../sql/schema/hooks/tables.sql",
    "hooks_rows" => "../../sql/schema/hooks/rows.sql",
    "hooks_wanted" => "../../sql/schema/hooks/wanted.sql",
    "hooks_faults" => "../../sql/schema/hooks/faults.sql",
    "hooks_health" => "../../sql/schema/hooks/health.sql",
    "hooks_rights" => "../../sql/schema/hooks/rights.sql",
    "hooks_functions" => "../../sql/schema/hooks/functions.sql",
    "hooks_create" => "../../sql/schema/hooks/create.sql",
    "hooks_read" => "../../sql/schema/hooks/read.sql",
    "hooks_change" => "../../sql/schema/hooks/change.sql",
    "hooks_secrets" => "../../sql/schema/hooks/secrets.sql",
    "hooks_targets" => "../../sql/schema/hooks/targets.sql",
    "hooks_owner" => "../../sql/schema/hooks/owner.sql",
    "hooks_actions" => "../../sql/schema/hooks/actions.sql",
    "hooks_call" => "../../sql/schema/hooks/call.sql",

    "queue_states" => "../../sql/schema/queue/states.sql",
    "queue_deliveries" => "../../sql/schema/queue/deliveries.sql",
    "queue_candidates" => "../../sql/schema/queue/candidates.sql",
    "queue_order" => "../../sql/schema/queue/order.sql",
    "queue_batches" => "../../sql/schema/queue/batches.sql",
    "queue_dispatch" => "../../sql/schema/queue/dispatch.sql",
    "queue_read" => "../../sql/schema/queue/read.sql",
    "queue_match" => "../../sql/schema/queue/match.sql",
    "queue_await" => "../../sql/schema/queue/await.sql",
    "queue_redeliver" => "../../sql/schema/queue/redeliver.sql",
    "queue_discard" => "../../sql/schema/queue/discard.sql",
    "queue_replay" => "../../sql/schema/queue/replay.sql",

    "audit_trail" => "../../sql/schema/audit/trail.sql",
    "audit_hooks" => "../../sql/schema/audit/hooks.sql",

    "history_page" => "../../sql/schema/history/page.sql",
    "history_events" => "../../sql/schema/history/events.sql",
    "history_deliveries" => "../../sql/schema/history/deliveries.sql",
    "history_delivery_steps" => "../../sql/schema/history/delivery_steps.sql",
    "history_attempts" => "../../sql/schema/history/attempts.sql",
    "history_recent" => "../../sql/schema/history/recent.sql",
    "history_status_hooks" => "../../sql/schema/history/status_hooks.sql",
    "history_status" => "../../sql/schema/history/status.sql",

    "watch_mappings" => "../../sql/schema/watch/mappings.sql",
    "watch_triggers" => "../../sql/schema/watch/triggers.sql",
    "watch_columns" => "../../sql/schema/watch/columns.sql",
    "watch_argument" => "../../sql/schema/watch/argument.sql",
    "watch_watch" => "../../sql/schema/watch/watch.sql",
    "watch_watches" => "../../sql/schema/watch/watches.sql",

    "audit_watches" => "../../sql/schema/audit/watches.sql",
    "audit_read" => "../../sql/schema/audit/read.sql",
    "audit_prune" => "../../sql/schema/audit/prune.sql",

    "store_trust" => "../../sql/schema/store/trust.sql",
    "store_tables" => "../../sql/schema/store/tables.sql",
    "store_data" => "../../sql/schema/store/data.sql",
    "store_create" => "../../sql/schema/store/create.sql",
    "store_memory" => "../../sql/schema/store/memory.sql",
    "store_recall" => "../../sql/schema/store/recall.sql",

    "graph_columns" => "../../sql/schema/graph/columns.sql",
    "graph_tables" => "../../sql/schema/graph/tables.sql",
    "graph_search" => "../../sql/schema/graph/search.sql",
    "graph_neighbors" => "../../sql/schema/graph/neighbors.sql",
    "graph_memory" => "../../sql/schema/graph/memory.sql",
    "graph_resolve" => "../../sql/schema/graph/resolve.sql",
    "graph_read" => "../../sql/schema/graph/read.sql",
    "graph_entities" => "../../sql/schema/graph/entities.sql",
    "graph_mentions" => "../../sql/schema/graph/mentions.sql",
    "graph_facts" => "../../sql/schema/graph/facts.sql",
    "graph_settle" => "../../sql/schema/graph/settle.sql",
    "graph_write" => "../../sql/schema/graph/write.sql",
    "graph_merge" => "../../sql/schema/graph/merge.sql",
    "graph_unmerge" => "../../sql/schema/graph/unmerge.sql",

    "embed_sources" => "../../sql/schema/embed/sources.sql",
    "embed_keys" => "../../sql/schema/embed/keys.sql",
    "embed_embed" => "../../sql/schema/embed/embed.sql",
    "embed_chunks" => "../../sql/schema/embed/chunks.sql",
    "embed_write_chunks" => "../../sql/schema/embed/write_chunks.sql",
    "embed_chunk_table" => "../../sql/schema/embed/chunk_table.sql",
    "embed_backfill" => "../../sql/schema/embed/backfill.sql",

    "summarize_summarize" => "../../sql/schema/summarize/summarize.sql",

    "models_endpoints" => "../../sql/schema/models/endpoints.sql",
    "models_admission" => "../../sql/schema/models/admission.sql",
    "models_circuits" => "../../sql/schema/models/circuits.sql",
    "models_usage" => "../../sql/schema/models/usage.sql",
    "models_budgets" => "../../sql/schema/models/budgets.sql",
    "models_charge" => "../../sql/schema/models/charge.sql",
    "models_set_budget" => "../../sql/schema/models/set_budget.sql",

    // Here, because they use what the folders above them make.
    "hooks_content" => "../../sql/schema/hooks/content.sql",
    "hooks_status" => "../../sql/schema/hooks/status.sql",

    "privileges_policies" => "../../sql/schema/privileges/policies.sql",
    "privileges_grants" => "../../sql/schema/privileges/grants.sql",
}
