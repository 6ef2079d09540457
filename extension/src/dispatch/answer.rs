//! What the worker is told of a step: the rows of `zerodb._dispatch`. Must not decide what it is told of.

use pgrx::pg_sys::{self, Datum};
use pgrx::prelude::*;

use super::hooks::Hooks;
use super::writes::{Batch, Decided, uuid};

/// Columns of the answer: five of counts, six of a batch, ten of an event.
const COUNTS: usize = 5;
const OF_BATCH: usize = 6;
const OF_EVENT: usize = 10;
const COLUMNS: usize = COUNTS + OF_BATCH + OF_EVENT;

/// The counts, which are in all rows.
pub struct Counts {
    pub events: usize,
    pub matched: usize,
    pub fresh: bool,
    pub ordered: bool,
    pub undecided: bool,
}

impl Counts {
    fn told(&self) -> [Option<Datum>; COUNTS] {
        [
            (self.events as i64).into_datum(),
            (self.matched as i64).into_datum(),
            self.fresh.into_datum(),
            self.ordered.into_datum(),
            self.undecided.into_datum(),
        ]
    }
}

/// Where rows are put.
pub struct Answer {
    rows: *mut pg_sys::Tuplestorestate,
    columns: pg_sys::TupleDesc,
}

impl Answer {
    /// # Safety
    /// The store is made for rows with the columns of `zerodb._dispatch`, and outlives this.
    pub unsafe fn new(rows: *mut pg_sys::Tuplestorestate, columns: pg_sys::TupleDesc) -> Self {
        Self { rows, columns }
    }

    /// A row for each batch, and one for each event of a batch; one without either where there is no batch.
    ///
    /// # Safety
    /// Within a function that Postgres called; the events' values are still there.
    pub unsafe fn tell(&self, counts: &Counts, decided: &Decided<'_>, batches: &[Batch<'_>]) {
        // SAFETY: handed on from the caller.
        unsafe {
            if batches.is_empty() {
                self.put(counts, [None; OF_BATCH], [None; OF_EVENT]);
            }
            for batch in batches {
                self.put(counts, of_batch(batch, decided), [None; OF_EVENT]);
            }
            let mut last = None;
            for pair in decided.pairs.all.iter().filter(|pair| pair.leased) {
                // The pairs of an event follow each other.
                if last != Some(pair.event) {
                    self.put(counts, [None; OF_BATCH], decided.events[pair.event].told());
                    last = Some(pair.event);
                }
            }
        }
    }

    unsafe fn put(
        &self,
        counts: &Counts,
        batch: [Option<Datum>; OF_BATCH],
        event: [Option<Datum>; OF_EVENT],
    ) {
        let (mut values, mut nulls) = ([Datum::null(); COLUMNS], [true; COLUMNS]);
        let all = counts.told().into_iter().chain(batch).chain(event);
        for (at, value) in all.enumerate() {
            nulls[at] = value.is_none();
            values[at] = value.unwrap_or(Datum::null());
        }
        // SAFETY: handed on from the caller: the arrays have an entry for each column.
        unsafe {
            pg_sys::tuplestore_putvalues(self.rows, self.columns, values.as_mut_ptr(), nulls.as_mut_ptr())
        };
    }
}

/// # Safety
/// As for `Answer::tell`.
unsafe fn of_batch(batch: &Batch<'_>, decided: &Decided<'_>) -> [Option<Datum>; OF_BATCH] {
    let hooks: &Hooks = decided.hooks;
    let hook = hooks.get(batch.hook);
    // SAFETY: handed on from the caller.
    let [ids, xids, ords] = unsafe { batch.arrays(decided.events) };
    [
        batch.id().into_datum(),
        Some(uuid(&hook.id)),
        hook.version.into_datum(),
        ids,
        xids,
        ords,
    ]
}
