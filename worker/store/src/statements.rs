//! The statements that a worker runs for itself, and the macro by which a crate lists its statements.

/// Lists statements: for each a constant with the text of its file below `sql/worker`, and `ALL`. The contract tests
/// prepare what `ALL` holds against a fresh extension, and find the files that no list names.
#[macro_export]
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        $($(#[$doc])* pub const $name: &str =
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/worker/", $file));)*

        /// Every statement of this crate with the path of its file below `sql/worker`.
        pub const ALL: &[(&str, &str)] = &[$(($file, $name)),*];
    };
}

statements! {
    DISPATCH_EVENTS = "dispatch/dispatch_events.sql";
    DROP_CANDIDATES = "dispatch/drop_candidates.sql";
    JUDGE_CANDIDATES = "dispatch/judge_candidates.sql";
    LIST_CANDIDATES = "dispatch/list_candidates.sql";
    PRUNE_CURSOR = "dispatch/prune_cursor.sql";
    READ_CURSOR = "dispatch/read_cursor.sql";

    CLAIM_DELIVERIES = "deliveries/claim_deliveries.sql";
    CLAIM_SUSPECT = "deliveries/claim_suspect.sql";
    COMPLETE_DELIVERIES = "deliveries/complete_deliveries.sql";
    FINISH_DELIVERIES = "deliveries/finish_deliveries.sql";
    HAS_SUSPECTS = "deliveries/has_suspects.sql";
    NEXT_DUE = "deliveries/next_due.sql";
    SPILL_DELIVERIES = "deliveries/spill_deliveries.sql";

    LOCK_DEAD_LEASES = "leases/lock_dead_leases.sql";
    REAP_LEASES = "leases/reap_leases.sql";
    RENEW_LEASE = "leases/renew_lease.sql";
    TAKE_LEASE = "leases/take_lease.sql";

    LOCK_RELEASE = "order/lock_release.sql";
    RELEASE_ORDERED = "order/release_ordered.sql";

    LEAD = "parking/lead.sql";
    PARK = "parking/park.sql";
    UNPARK = "parking/unpark.sql";
    WAKE_PEERS = "parking/wake_peers.sql";

    DISABLE_HOOK = "hooks/disable_hook.sql";
    LOAD_EVENT = "hooks/load_event.sql";
    LOAD_CHANNELS = "hooks/load_channels.sql";
    LOAD_HOOK = "hooks/load_hook.sql";
    LOAD_PARTIES = "hooks/load_parties.sql";
    LOAD_SETTINGS = "hooks/load_settings.sql";
    NOTE_FAILING = "hooks/note_failing.sql";
    NOTE_RECOVERED = "hooks/note_recovered.sql";
    SEAL_SECRET = "hooks/seal_secret.sql";

    AS_OWNER = "rows/as_owner.sql";
    CALL_FUNCTION = "rows/call_function.sql";
    KEEP_SUMMARY_CHUNK = "rows/keep_summary_chunk.sql";
    LOAD_EMBEDDINGS = "rows/load_embeddings.sql";
    LOAD_SUMMARY_CHUNKS = "rows/load_summary_chunks.sql";
    PRUNE_SUMMARY_CHUNKS = "rows/prune_summary_chunks.sql";
    READ_CHUNKS = "rows/read_chunks.sql";
    READ_SUMMARY = "rows/read_summary.sql";
    TERMINATE_SESSION = "rows/terminate_session.sql";
    WRITE_CHUNKS = "rows/write_chunks.sql";
    WRITE_EMBEDDINGS = "rows/write_embeddings.sql";
    WRITE_SUMMARY = "rows/write_summary.sql";

    ADVANCE_BACKFILL = "backfills/advance_backfill.sql";
    CLAIM_BACKFILL = "backfills/claim_backfill.sql";
    DUE_COVERAGE = "backfills/due_coverage.sql";
    KEEP_COVERAGE = "backfills/keep_coverage.sql";
    LEAVE_BACKFILL = "backfills/leave_backfill.sql";

    CHECK_BUDGETS = "models/check_budgets.sql";
    CLOSE_CIRCUIT = "models/close_circuit.sql";
    ENTER_ENDPOINT = "models/enter_endpoint.sql";
    LEARN_ENDPOINT = "models/learn_endpoint.sql";
    LIST_HELD_ENDPOINTS = "models/list_held_endpoints.sql";
    LOAD_ENDPOINT = "models/load_endpoint.sql";
    OPEN_CIRCUIT = "models/open_circuit.sql";
    PAUSE_ENDPOINT = "models/pause_endpoint.sql";
    PRUNE_ADMISSIONS = "models/prune_admissions.sql";
    PRUNE_ENDPOINTS = "models/prune_endpoints.sql";
    RECORD_USAGE = "models/record_usage.sql";
    ROLL_UP_USAGE = "models/roll_up_usage.sql";
    SETTLE_ENDPOINT = "models/settle_endpoint.sql";
    THROTTLE_ENDPOINT = "models/throttle_endpoint.sql";
    TIDY_BUDGETS = "models/tidy_budgets.sql";

    LEAD_SAMPLING = "metrics/lead_sampling.sql";
    SAMPLE = "metrics/sample.sql";
    SAMPLE_ENDPOINTS = "metrics/sample_endpoints.sql";
    SAMPLE_HOOKS = "metrics/sample_hooks.sql";
    SAMPLE_TABLES = "metrics/sample_tables.sql";

    CANCEL_ORPHANS = "maintenance/cancel_orphans.sql";
    NOTE_SETTINGS = "maintenance/note_settings.sql";
    PRUNE_AUDIT = "maintenance/prune_audit.sql";
    PRUNE_DELIVERIES = "maintenance/prune_deliveries.sql";
    PRUNE_HEALTH = "maintenance/prune_health.sql";
    ROTATE_LOG = "maintenance/rotate_log.sql";
}

/// The channel on which a parked worker is woken.
pub use zerodb_hooks_contract::event_log::CHANNEL;
