//! Figures set against each other without a target: they say how far it is to a floor, and what the parts cost.

use crate::cases::idle::{COMMIT_P50, COMMIT_P99};
use crate::cases::{RATE, TIME, USED};
use crate::figures::Metric;
use crate::host::USED_EACH;

pub const RUST_BURN_DOWN: &str = "rival/graphile_worker-rust/burn-down";
pub const RUST_IDLE: &str = "rival/graphile_worker-rust/idle";
pub const NODE_BURN_DOWN: &str = "rival/graphile-worker-node/burn-down";
pub const NODE_IDLE: &str = "rival/graphile-worker-node/idle";
pub const PGMQ_DELETE: &str = "rival/pgmq/burn-down-delete";
pub const PGMQ_ARCHIVE: &str = "rival/pgmq/burn-down-archive";
pub const PGMQ_IDLE: &str = "rival/pgmq/idle";

/// One figure set against another.
pub struct Ratio {
    pub says: &'static str,
    pub of: &'static str,
    pub to: &'static str,
    pub metric: Metric,
}

const fn ratio(says: &'static str, of: &'static str, to: &'static str, metric: Metric) -> Ratio {
    Ratio { says, of, to, metric }
}

#[rustfmt::skip]
pub const ALL: &[Ratio] = &[
    ratio("single rows, hook, worker stopped: rate of the untouched table's", "single/hook-no-worker", "single/untouched", RATE),
    ratio("single rows, hook, worker stopped: rate of the floor's", "single/hook-no-worker", "single/floor", RATE),
    ratio("single rows, the floor: rate of the untouched table's", "single/floor", "single/untouched", RATE),
    ratio("single rows, the naive trigger: rate of the untouched table's", "single/naive", "single/untouched", RATE),
    ratio("single rows, hook: processor time of the untouched table's", "single/hook", "single/untouched", USED_EACH),
    ratio("single rows, hook: processor time of the floor's", "single/hook", "single/floor", USED_EACH),
    ratio("single rows, hook, worker stopped: processor time of the floor's", "single/hook-no-worker", "single/floor", USED_EACH),
    ratio("single rows, no active hook: processor time of the untouched table's", "single/no-hook", "single/untouched", USED_EACH),
    ratio("single rows, the naive trigger: processor time of the untouched table's", "single/naive", "single/untouched", USED_EACH),
    ratio("in the server, hook: processor time of the floor's", "in-server/hook", "in-server/floor", USED),
    ratio("in the server, hook: processor time of the untouched table's", "in-server/hook", "in-server/untouched", USED),
    ratio("in the server, no active hook: processor time of the untouched table's", "in-server/no-hook", "in-server/untouched", USED),
    ratio("in the server, the naive trigger: processor time of the untouched table's", "in-server/naive", "in-server/untouched", USED),
    ratio("bulk insert, hook: time of the bare table's", "bulk/hook", "bulk/bare", TIME),
    ratio("burn-down, failures in the ledger: rate of the plain rows' (floor)", "burn-down/failures", "burn-down/floor", RATE),
    ratio("burn-down, all in the ledger: rate of the plain rows' (floor)", "burn-down/all", "burn-down/floor", RATE),
    ratio("burn-down, failures in the ledger: rate of all's", "burn-down/failures", "burn-down/all", RATE),
    ratio("burn-down, failures in the ledger: rate of graphile-worker's (Node)", "burn-down/failures", NODE_BURN_DOWN, RATE),
    ratio("burn-down, failures in the ledger: rate of pgmq's with delete", "burn-down/failures", PGMQ_DELETE, RATE),
    ratio("burn-down, all in the ledger: rate of pgmq's with archive", "burn-down/all", PGMQ_ARCHIVE, RATE),
    ratio("pgmq with delete: rate of graphile_worker's (Rust)", PGMQ_DELETE, RUST_BURN_DOWN, RATE),
    ratio("pgmq with archive: rate of graphile_worker's (Rust)", PGMQ_ARCHIVE, RUST_BURN_DOWN, RATE),
    ratio("unmatched events: rate of the burn-down's (all)", "dispatch/unmatched", "burn-down/all", RATE),
    ratio("idle, commit to handler, p50 over graphile_worker's (Rust)", "idle/latency", RUST_IDLE, COMMIT_P50),
    ratio("idle, commit to handler, p99 over graphile_worker's (Rust)", "idle/latency", RUST_IDLE, COMMIT_P99),
    ratio("snapshot held open: rate of the writer's over the free run's", "held/snapshot", "held/free", RATE),
    ratio("backlog embedded: rate of the plain UPDATEs' (floor)", "embed/backlog", "embed/floor", RATE),
    ratio("backlog embedded: rate of the endpoint's with a bare client (ceiling)", "embed/backlog", "embed/endpoint", RATE),
];
