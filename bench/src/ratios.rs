//! Figures set against each other without a target: they say how far it is to a floor, and what the parts cost.

use crate::cases::history::{
    ATTEMPTS_P50, DELIVERIES_P50, DELIVERY_P50, EVENT_P50, FLOOR_P50, LOOK_UPS, NEWEST_P50,
};
use crate::cases::idle::{COMMIT_P50, COMMIT_P99};
use crate::cases::tenants::{ALONE, CHANGES_ELSEWHERE, USED_BY_WRITER, WITHOUT_CHANGES};
use crate::cases::{RATE, TIME, USED};
use crate::figures::{Figures, Metric};
use crate::host::USED_EACH;
use crate::rivals::FINISHED_P50;

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
    /// Of `to`, where it is another one.
    pub to_metric: Option<Metric>,
}

impl Ratio {
    /// In each round; `None` when one of the two was not measured.
    pub fn rounds(&self, figures: &Figures) -> Option<Vec<f64>> {
        let to = self.to_metric.as_ref().unwrap_or(&self.metric);
        figures.ratio((self.of, &self.metric), (self.to, to))
    }
}

const fn ratio(says: &'static str, of: &'static str, to: &'static str, metric: Metric) -> Ratio {
    Ratio {
        says,
        of,
        to,
        metric,
        to_metric: None,
    }
}

/// A look-up in the history against the primary key of a plain table.
const fn over_floor(says: &'static str, metric: Metric) -> Ratio {
    Ratio {
        says,
        of: LOOK_UPS,
        to: LOOK_UPS,
        metric,
        to_metric: Some(FLOOR_P50),
    }
}

/// The same against a rival's own history, in its own database of the same server.
const fn over_rival(says: &'static str, to: &'static str) -> Ratio {
    Ratio {
        says,
        of: LOOK_UPS,
        to,
        metric: DELIVERY_P50,
        to_metric: Some(FINISHED_P50),
    }
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
    ratio("signed webhooks: rate of reqwest's, one at a time", "webhook/signed", "webhook/one-at-a-time", RATE),
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
    ratio("a user's events beside 1,000 hooks of others: rate alone", "tenants/thousand-others", ALONE, RATE),
    ratio("a user's events beside 1,000 hooks of others: commit to handler, p50, alone", "tenants/thousand-others", ALONE, COMMIT_P50),
    ratio("writers while hooks of another database change: processor time without", CHANGES_ELSEWHERE, WITHOUT_CHANGES, USED_BY_WRITER),
    over_floor("an event by its id: time of the floor", EVENT_P50),
    over_floor("the deliveries of an event: time of the floor", DELIVERIES_P50),
    over_floor("a delivery by its id: time of the floor", DELIVERY_P50),
    over_floor("the attempts of a delivery: time of the floor", ATTEMPTS_P50),
    over_floor("the newest 20 deliveries: time of the floor", NEWEST_P50),
    over_rival("a finished delivery by its id: time of pgmq's archived message", "rival/pgmq/history"),
    over_rival("a finished delivery by its id: time of graphile-worker's failed job (Node)", "rival/graphile-worker-node/history"),
    ratio("backlog embedded: rate of the endpoint's with a bare client (ceiling)", "embed/backlog", "embed/endpoint", RATE),
];
