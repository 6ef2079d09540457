//! What the benchmark is to reach, figure by figure: the numbers that the project has set itself.

use crate::cases::handlers::{
    DEPTH_2, DEPTH_2_AS_OF, DEPTH_3, DEPTH_3_AS_OF, FULL_REQUESTS, OVER_IDEAL, STATUS, UPDATE_MAX,
    UPDATE_P99, VIEW,
};
use crate::cases::history::{
    ALONE_P99, ATTEMPTS_P99, AWAIT_P99, DELIVERIES_P99, DELIVERY_P99, DISCARD_P99, DURING_P99, EVENT_P99,
    EVENTS_BEFORE_P99, EVENTS_OF_TYPE_P99, EVENTS_OF_USER_P99, EVENTS_P99, HOOK_STATUS_P99, LOOK_UPS,
    NEWEST_BEFORE_P99, NEWEST_OF_HOOK_P99, NEWEST_OF_STATE_P99, NEWEST_OF_TENANT_P99, NEWEST_OF_USER_P99,
    NEWEST_P99, REDELIVER_P99, STATUS_P99, UPKEEP,
};
use crate::cases::idle::{CALL_P50, CALL_P99, COMMIT_P50, COMMIT_P99};
use crate::cases::metrics::{METRICS, OF_PROCESSOR, SCRAPE};
use crate::cases::tenants::{
    ALONE, CHANGES_ELSEWHERE, CREATE_P50, MANY, MANY_HOOKS, MILLION, MILLION_HOOKS, USED_BY_WRITER,
    WITH_CHANGES,
};
use crate::cases::{CONNECTIONS, DELIVERED, LATENCY_P99, MEMORY, RATE, RECEIVED_P99, TIME, WAL_OF_EVENT};
use crate::figures::{Figures, Metric};
use crate::ratios::{NODE_IDLE, PGMQ_IDLE, RUST_BURN_DOWN, RUST_IDLE};

#[derive(Clone, Copy)]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

impl Bound {
    pub fn is_reached(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Below(bound) => value < bound,
        }
    }

    pub fn says(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {bound}"),
            Self::AtMost(bound) => format!("≤ {bound}"),
            Self::Below(bound) => format!("< {bound}"),
        }
    }
}

use Bound::{AtLeast, AtMost, Below};

pub struct Target {
    /// The number of the figure that it belongs to.
    pub figure: u8,
    pub says: &'static str,
    of: (&'static str, Metric),
    /// A ratio where there is one, taken within each round.
    to: Option<(&'static str, Metric)>,
    pub bound: Bound,
}

impl Target {
    /// The value in each round; `None` when it was not measured.
    pub fn rounds(&self, figures: &Figures) -> Option<Vec<f64>> {
        match &self.to {
            Some(to) => figures.ratio((self.of.0, &self.of.1), (to.0, &to.1)),
            None => figures.rounds(self.of.0, &self.of.1).map(<[f64]>::to_vec),
        }
    }

    pub fn unit(&self) -> &'static str {
        if self.to.is_some() { "×" } else { self.of.1.unit }
    }
}

const fn ratio(
    figure: u8,
    says: &'static str,
    of: (&'static str, Metric),
    to: (&'static str, Metric),
    bound: Bound,
) -> Target {
    Target {
        figure,
        says,
        of,
        to: Some(to),
        bound,
    }
}

const fn value(figure: u8, says: &'static str, of: (&'static str, Metric), bound: Bound) -> Target {
    Target {
        figure,
        says,
        of,
        to: None,
        bound,
    }
}

#[rustfmt::skip]
pub const ALL: &[Target] = &[
    ratio(1, "single rows, hook: rate of the untouched table's", ("single/hook", RATE), ("single/untouched", RATE), AtLeast(0.80)),
    ratio(1, "single rows, hook: rate of the floor's", ("single/hook", RATE), ("single/floor", RATE), AtLeast(0.95)),
    ratio(1, "single rows, hook: rate of the naive trigger's", ("single/hook", RATE), ("single/naive", RATE), AtLeast(3.5)),
    ratio(2, "single rows, no active hook: rate of the untouched table's", ("single/no-hook", RATE), ("single/untouched", RATE), AtLeast(0.97)),
    ratio(3, "bulk insert, hook: time of the floor's", ("bulk/hook", TIME), ("bulk/floor", TIME), AtMost(1.15)),
    ratio(4, "burn-down, failures in the ledger: rate of graphile_worker's (Rust)", ("burn-down/failures", RATE), (RUST_BURN_DOWN, RATE), AtLeast(2.0)),
    ratio(4, "burn-down, all in the ledger: rate of graphile_worker's (Rust)", ("burn-down/all", RATE), (RUST_BURN_DOWN, RATE), AtLeast(1.3)),
    ratio(5, "unmatched events: rate of the burn-down's (failures)", ("dispatch/unmatched", RATE), ("burn-down/failures", RATE), AtLeast(4.0)),
    value(6, "idle, commit to handler, p50", ("idle/latency", COMMIT_P50), AtMost(1.5)),
    value(6, "idle, commit to handler, p99", ("idle/latency", COMMIT_P99), AtMost(8.0)),
    ratio(6, "idle, start of the write to handler, p50 over graphile_worker's (Rust)", ("idle/latency", CALL_P50), (RUST_IDLE, CALL_P50), Below(1.0)),
    ratio(6, "idle, start of the write to handler, p99 over graphile_worker's (Rust)", ("idle/latency", CALL_P99), (RUST_IDLE, CALL_P99), Below(1.0)),
    ratio(6, "idle, start of the write to handler, p50 over graphile-worker's (Node)", ("idle/latency", CALL_P50), (NODE_IDLE, CALL_P50), Below(1.0)),
    ratio(6, "idle, start of the write to handler, p99 over graphile-worker's (Node)", ("idle/latency", CALL_P99), (NODE_IDLE, CALL_P99), Below(1.0)),
    ratio(6, "idle, start of the write to handler, p50 over pgmq's with LISTEN", ("idle/latency", CALL_P50), (PGMQ_IDLE, CALL_P50), Below(1.0)),
    ratio(6, "idle, start of the write to handler, p99 over pgmq's with LISTEN", ("idle/latency", CALL_P99), (PGMQ_IDLE, CALL_P99), Below(1.0)),
    ratio(7, "snapshot held open: delivered while writing over the free run's", ("held/snapshot", DELIVERED), ("held/free", DELIVERED), AtLeast(0.98)),
    ratio(7, "snapshot held open: p99 latency over the free run's", ("held/snapshot", LATENCY_P99), ("held/free", LATENCY_P99), AtMost(2.0)),
    value(8, "WAL of an event's life, all in the ledger", ("wal/all", WAL_OF_EVENT), AtMost(1024.0)),
    value(8, "WAL of an event's life, failures in the ledger", ("wal/failures", WAL_OF_EVENT), AtMost(1024.0)),
    value(9, "peak memory of the worker, burn-down, all in the ledger", ("burn-down/all", MEMORY), AtMost(64.0)),
    value(9, "peak memory of the worker, burn-down, failures in the ledger", ("burn-down/failures", MEMORY), AtMost(64.0)),
    value(9, "connections of a worker, 1,000 deliveries under way", ("connections/slow-endpoint", CONNECTIONS), AtMost(6.0)),
    ratio(10, "one of 100 endpoints hangs: p99 of the other 99 over the same without", ("endpoints/one-hangs", RECEIVED_P99), ("endpoints/all-answer", RECEIVED_P99), AtMost(1.1)),
    value(11, "backlog embedded, 50 ms a request, no index on the vectors", ("embed/backlog", RATE), AtLeast(5000.0)),
    value(11, "backlog embedded, requests at least 95 % full", ("embed/backlog", FULL_REQUESTS), AtLeast(95.0)),
    value(12, "endpoint of 100 requests a minute: time over the ideal", ("embed/limited", OVER_IDEAL), AtMost(1.2)),
    value(13, "neighbours in a million relations, depth 2, p95", ("graph/neighbours", DEPTH_2), Below(20.0)),
    value(13, "neighbours in a million relations, depth 3, p95", ("graph/neighbours", DEPTH_3), Below(100.0)),
    value(13, "the same as of a day, depth 2, p95", ("graph/neighbours", DEPTH_2_AS_OF), Below(20.0)),
    value(13, "the same as of a day, depth 3, p95", ("graph/neighbours", DEPTH_3_AS_OF), Below(100.0)),
    value(14, "status of hooks at 10 million rows, hook_status, p95", ("status/ten-million", VIEW), Below(50.0)),
    value(14, "status of hooks at 10 million rows, status(), p95", ("status/ten-million", STATUS), Below(50.0)),
    value(15, "UPDATE of a row that is being embedded, p99", ("embed/writer", UPDATE_P99), Below(20.0)),
    value(15, "UPDATE of a row that is being embedded, slowest", ("embed/writer", UPDATE_MAX), Below(20.0)),
    value(16, "history: an event by its id, p99", (LOOK_UPS, EVENT_P99), AtMost(5.0)),
    value(16, "history: the deliveries of an event, p99", (LOOK_UPS, DELIVERIES_P99), AtMost(5.0)),
    value(16, "history: a delivery by its id, p99", (LOOK_UPS, DELIVERY_P99), AtMost(5.0)),
    value(16, "history: the attempts of a delivery, p99", (LOOK_UPS, ATTEMPTS_P99), AtMost(5.0)),
    value(16, "history: the newest 20 events, p99", (LOOK_UPS, EVENTS_P99), AtMost(10.0)),
    value(16, "history: the newest 20 events of a type, p99", (LOOK_UPS, EVENTS_OF_TYPE_P99), AtMost(10.0)),
    value(16, "history: the newest 20 events of a user, p99", (LOOK_UPS, EVENTS_OF_USER_P99), AtMost(10.0)),
    value(16, "history: the 20 events before a moment, p99", (LOOK_UPS, EVENTS_BEFORE_P99), AtMost(10.0)),
    value(16, "history: the newest 20 deliveries, p99", (LOOK_UPS, NEWEST_P99), AtMost(10.0)),
    value(16, "history: the newest 20 deliveries of a hook, p99", (LOOK_UPS, NEWEST_OF_HOOK_P99), AtMost(10.0)),
    value(16, "history: the newest 20 discarded deliveries, p99", (LOOK_UPS, NEWEST_OF_STATE_P99), AtMost(10.0)),
    value(16, "history: the newest 20 deliveries of a tenant, p99", (LOOK_UPS, NEWEST_OF_TENANT_P99), AtMost(10.0)),
    value(16, "history: the newest 20 deliveries of a user, p99", (LOOK_UPS, NEWEST_OF_USER_P99), AtMost(10.0)),
    value(16, "history: the 20 deliveries before a moment, p99", (LOOK_UPS, NEWEST_BEFORE_P99), AtMost(10.0)),
    value(16, "history: redeliver, p99", (LOOK_UPS, REDELIVER_P99), AtMost(10.0)),
    value(16, "history: discard, p99", (LOOK_UPS, DISCARD_P99), AtMost(10.0)),
    value(16, "history: await_event, p99", (LOOK_UPS, AWAIT_P99), AtMost(10.0)),
    value(16, "history: status(), p99", (LOOK_UPS, STATUS_P99), AtMost(50.0)),
    value(16, "history: hook_status, p99", (LOOK_UPS, HOOK_STATUS_P99), AtMost(50.0)),
    ratio(17, "a user's events beside 100,000 hooks of others: rate alone", (MANY, RATE), (ALONE, RATE), AtLeast(0.9)),
    ratio(17, "a user's events beside 100,000 hooks of others: commit to handler, p50, alone", (MANY, COMMIT_P50), (ALONE, COMMIT_P50), AtMost(1.11)),
    ratio(17, "a user's events beside 1,000,000 hooks of others: rate alone", (MILLION, RATE), (ALONE, RATE), AtLeast(0.8)),
    ratio(17, "a user's events beside 1,000,000 hooks of others: commit to handler, p50, alone", (MILLION, COMMIT_P50), (ALONE, COMMIT_P50), AtMost(1.25)),
    value(18, "create_hook beside 100,000 hooks, p50", (MANY_HOOKS, CREATE_P50), AtMost(2.0)),
    value(18, "create_hook beside 1,000,000 hooks, p50", (MILLION_HOOKS, CREATE_P50), AtMost(2.0)),
    ratio(19, "writers while hooks change: processor time while those of another database do", (WITH_CHANGES, USED_BY_WRITER), (CHANGES_ELSEWHERE, USED_BY_WRITER), AtMost(1.05)),
    ratio(20, "a day's history is removed: p99 from write to handler alone", (UPKEEP, DURING_P99), (UPKEEP, ALONE_P99), AtMost(2.0)),
    value(21, "metrics: counting 2,000 deliveries a second, part of a processor", (METRICS, OF_PROCESSOR), AtMost(1.0)),
    value(21, "metrics: a scrape with 1,000 hooks", (METRICS, SCRAPE), AtMost(5.0)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_reached_on_its_own_side() {
        assert!(AtLeast(2.0).is_reached(2.0) && !AtLeast(2.0).is_reached(1.99));
        assert!(AtMost(6.0).is_reached(6.0) && !AtMost(6.0).is_reached(6.01));
        assert!(Below(1.0).is_reached(0.99) && !Below(1.0).is_reached(1.0));
        assert!(!AtLeast(2.0).is_reached(f64::NAN) && !AtMost(2.0).is_reached(f64::NAN));
    }
}
