//! Which figures are set against which: the statements that the benchmark makes.

use crate::cases::{RATE, TIME};
use crate::figures::Metric;

/// One figure set against another.
pub struct Ratio {
    pub says: &'static str,
    pub of: (&'static str, Metric),
    pub to: (&'static str, Metric),
}

const fn ratio(says: &'static str, of: &'static str, to: &'static str, metric: Metric) -> Ratio {
    Ratio {
        says,
        of: (of, metric),
        to: (to, metric),
    }
}

pub const ALL: &[Ratio] = &[
    ratio(
        "single rows with a hook: rate of the untouched table's",
        "single/hook",
        "single/untouched",
        RATE,
    ),
    ratio(
        "single rows with a hook: rate of the floor's",
        "single/hook",
        "single/floor",
        RATE,
    ),
    ratio(
        "single rows with a hook: rate of the naive trigger's",
        "single/hook",
        "single/naive",
        RATE,
    ),
    ratio(
        "… worker stopped: rate of the untouched table's",
        "single/hook-no-worker",
        "single/untouched",
        RATE,
    ),
    ratio(
        "… worker stopped: rate of the floor's",
        "single/hook-no-worker",
        "single/floor",
        RATE,
    ),
    ratio(
        "single rows without active hook: rate of the untouched table's",
        "single/no-hook",
        "single/untouched",
        RATE,
    ),
    ratio(
        "the floor: rate of the untouched table's",
        "single/floor",
        "single/untouched",
        RATE,
    ),
    ratio(
        "the naive trigger: rate of the untouched table's",
        "single/naive",
        "single/untouched",
        RATE,
    ),
    ratio(
        "bulk insert with a hook: time of the bare table's",
        "bulk/hook",
        "bulk/bare",
        TIME,
    ),
    ratio(
        "bulk insert with a hook: time of the floor's",
        "bulk/hook",
        "bulk/floor",
        TIME,
    ),
    ratio(
        "burn-down with only failures in the ledger: rate of all's",
        "burn-down/failures",
        "burn-down/all",
        RATE,
    ),
];
