//! The event log: its partitions, and the channel on which its writers wake a worker.

/// Partitions of the log, and of the ledger of attempts: `zerodb.outbox_0` to `zerodb.outbox_7`. The worker moves on
/// from one to the next and empties the oldest.
pub const SLOTS: u16 = 8;

/// The ids of one completion's deliveries lie less than this apart, and so do the transactions of their events. So the
/// completions around an id are found by one of their bounds. `zerodb.completion` refuses others.
pub const COMPLETION_SPAN: u64 = 2048;

/// The channel of NOTIFY on which a commit wakes a parked worker.
pub const CHANNEL: &str = "zerodb_hooks";
