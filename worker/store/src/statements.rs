//! Every statement that the worker runs, by the name of its file in `sql/worker`.

macro_rules! statements {
    ($($name:ident = $file:literal;)*) => {
        $(pub const $name: &str = include_str!(concat!("../../../sql/worker/", $file));)*
        /// All of them with their files, for the test that prepares each one against a fresh extension.
        pub const ALL: &[(&str, &str)] = &[$(($file, $name)),*];
    };
}

statements! {
    ADVANCE_BACKFILL = "advance_backfill.sql";
    AS_OWNER = "as_owner.sql";
    CALL_FUNCTION = "call_function.sql";
    CANCEL_ORPHANS = "cancel_orphans.sql";
    CHECK_BUDGETS = "check_budgets.sql";
    CLAIM_BACKFILL = "claim_backfill.sql";
    CLAIM_DELIVERIES = "claim_deliveries.sql";
    CLAIM_SUSPECT = "claim_suspect.sql";
    COMPLETE_DELIVERIES = "complete_deliveries.sql";
    DISABLE_HOOK = "disable_hook.sql";
    DISPATCH_EVENTS = "dispatch_events.sql";
    DROP_CANDIDATES = "drop_candidates.sql";
    DUE_COVERAGE = "due_coverage.sql";
    ENTER_ENDPOINT = "enter_endpoint.sql";
    FINISH_DELIVERIES = "finish_deliveries.sql";
    HAS_SUSPECTS = "has_suspects.sql";
    KEEP_SUMMARY_CHUNK = "keep_summary_chunk.sql";
    JUDGE_CANDIDATES = "judge_candidates.sql";
    LEAD = "lead.sql";
    LIST_CANDIDATES = "list_candidates.sql";
    LEARN_ENDPOINT = "learn_endpoint.sql";
    LOAD_CHANNELS = "load_channels.sql";
    KEEP_COVERAGE = "keep_coverage.sql";
    LEAVE_BACKFILL = "leave_backfill.sql";
    LOAD_EMBEDDINGS = "load_embeddings.sql";
    LOAD_ENDPOINT = "load_endpoint.sql";
    LOAD_HOOK = "load_hook.sql";
    LOAD_PARTIES = "load_parties.sql";
    LOAD_SETTINGS = "load_settings.sql";
    LOAD_SUMMARY_CHUNKS = "load_summary_chunks.sql";
    LOCK_DEAD_LEASES = "lock_dead_leases.sql";
    LOCK_DISPATCH = "lock_dispatch.sql";
    LOCK_RELEASE = "lock_release.sql";
    NEXT_DUE = "next_due.sql";
    PARK = "park.sql";
    PAUSE_ENDPOINT = "pause_endpoint.sql";
    PRUNE_ADMISSIONS = "prune_admissions.sql";
    PRUNE_CURSOR = "prune_cursor.sql";
    PRUNE_DELIVERIES = "prune_deliveries.sql";
    PRUNE_SUMMARY_CHUNKS = "prune_summary_chunks.sql";
    READ_CHUNKS = "read_chunks.sql";
    READ_CURSOR = "read_cursor.sql";
    READ_SUMMARY = "read_summary.sql";
    REAP_LEASES = "reap_leases.sql";
    RECORD_USAGE = "record_usage.sql";
    RELEASE_ORDERED = "release_ordered.sql";
    RENEW_LEASE = "renew_lease.sql";
    ROLL_UP_USAGE = "roll_up_usage.sql";
    ROTATE_LOG = "rotate_log.sql";
    SETTLE_ENDPOINT = "settle_endpoint.sql";
    SPILL_DELIVERIES = "spill_deliveries.sql";
    TAKE_LEASE = "take_lease.sql";
    TELL_ENDPOINT = "tell_endpoint.sql";
    TERMINATE_SESSION = "terminate_session.sql";
    TIDY_BUDGETS = "tidy_budgets.sql";
    UNPARK = "unpark.sql";
    WAKE_PEERS = "wake_peers.sql";
    WRITE_CHUNKS = "write_chunks.sql";
    WRITE_EMBEDDINGS = "write_embeddings.sql";
    WRITE_SUMMARY = "write_summary.sql";
}

/// The channel on which a parked worker is woken.
pub const CHANNEL: &str = "zerodb_hooks";
