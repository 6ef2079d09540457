//! Every statement that the worker runs, by the name of its file in `sql/worker`.

macro_rules! statements {
    ($($name:ident = $file:literal;)*) => {
        $(pub const $name: &str = include_str!(concat!("../../../sql/worker/", $file));)*
        /// All of them with their files, for the test that prepares each one against a fresh extension.
        pub const ALL: &[(&str, &str)] = &[$(($file, $name)),*];
    };
}

statements! {
    AS_OWNER = "as_owner.sql";
    CALL_FUNCTION = "call_function.sql";
    CANCEL_ORPHANS = "cancel_orphans.sql";
    CLAIM_DELIVERIES = "claim_deliveries.sql";
    CLAIM_SUSPECT = "claim_suspect.sql";
    COMPLETE_DELIVERIES = "complete_deliveries.sql";
    DISPATCH_EVENTS = "dispatch_events.sql";
    FINISH_DELIVERIES = "finish_deliveries.sql";
    HAS_SUSPECTS = "has_suspects.sql";
    LEAD = "lead.sql";
    LOAD_CHANNELS = "load_channels.sql";
    LOAD_HOOK = "load_hook.sql";
    LOAD_SETTINGS = "load_settings.sql";
    LOCK_DEAD_LEASES = "lock_dead_leases.sql";
    LOCK_DISPATCH = "lock_dispatch.sql";
    LOCK_RELEASE = "lock_release.sql";
    NEXT_DUE = "next_due.sql";
    PARK = "park.sql";
    PRUNE_CURSOR = "prune_cursor.sql";
    PRUNE_DELIVERIES = "prune_deliveries.sql";
    REAP_LEASES = "reap_leases.sql";
    RELEASE_ORDERED = "release_ordered.sql";
    RENEW_LEASE = "renew_lease.sql";
    ROTATE_LOG = "rotate_log.sql";
    SPILL_DELIVERIES = "spill_deliveries.sql";
    TAKE_LEASE = "take_lease.sql";
    UNPARK = "unpark.sql";
    WAKE_PEERS = "wake_peers.sql";
}

/// The channel on which a parked worker is woken.
pub const CHANNEL: &str = "zerodb_hooks";
