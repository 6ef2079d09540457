//! Reads the log in the order of its key, straight from the heap by the index of each partition, without the
//! executor: the first thing that the dispatcher asks in each of its looks. Must not decide what becomes of an event.
//!
//! In SQL these were two scans of eight partitions, of which nearly all find nothing. A look for one event costs a
//! tenth less without them (2.06 against 1.85 million instructions with a debug build, by callgrind on a stand-alone
//! backend), and it does not depend on the statistics of a log that was empty a minute ago.

use std::ptr::null_mut;

use pgrx::pg_sys::{self, Datum};
use pgrx::prelude::*;

use super::partition::KEY;
use super::partitions;
use super::snapshot::Snapshot;
use crate::error::{Error, raise};

/// Conditions of a scan: from a transaction, to a transaction, after a number.
const CONDITIONS: usize = 3;

entry!(pg_finfo_zerodb_read_log);

/// `zerodb._read_log(done, upto, xid, ord, most)`: the first `most` events after (`xid`, `ord`) that `done` did not
/// see and `upto` does, in the order of their keys. Takes AccessShareLock on each partition of the log and its index
/// until the transaction ends.
///
/// # Safety
/// Called by Postgres with the five arguments of its declaration, which is STRICT and returns rows of the log.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn zerodb_read_log(fcinfo: pg_sys::FunctionCallInfo) -> Datum {
    // SAFETY: five arguments, none null. InitMaterializedSRF raises where the caller takes no set, and else has made
    // the store, for rows of the log, in memory that outlives this call.
    unsafe {
        let arguments = (*fcinfo).args.as_slice(5);
        let read = |at: usize| {
            Snapshot::read(arguments[at].value).unwrap_or_else(|| raise(Error::LogOfOtherVersion))
        };
        let (done, upto) = (read(0), read(1));
        let (xid, ord) = (
            arguments[2].value.value() as u64,
            arguments[3].value.value() as i32,
        );
        let most = usize::try_from(arguments[4].value.value() as i32).unwrap_or(0);
        pg_sys::InitMaterializedSRF(fcinfo, 0);
        let rows = (*(*fcinfo).resultinfo.cast::<pg_sys::ReturnSetInfo>()).setResult;
        let mut scans = partitions().map(|relid| Scan::open(relid));
        let mut left = most;
        for range in ranges(&done, &upto, xid, ord) {
            left = merge(&mut scans, &range, &upto, left, rows);
            if left == 0 {
                break;
            }
        }
        scans.into_iter().for_each(|scan| scan.close());
        (*fcinfo).isnull = true;
        Datum::null()
    }
}

/// Keys of the log that follow each other: these transactions, and only numbers above `after`.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    first: u64,
    last: u64,
    after: i32,
}

/// Everything that a look has to read, in the order of the keys: each transaction that ran at the last look, then
/// what has begun since.
fn ranges(done: &Snapshot, upto: &Snapshot, xid: u64, ord: i32) -> Vec<Range> {
    let after = |one: u64| if one == xid { ord } else { -1 };
    let one = |one: u64| Range {
        first: one,
        last: one,
        after: after(one),
    };
    let mut ranges: Vec<Range> = done
        .running
        .iter()
        .filter(|run| **run >= xid)
        .map(|run| one(*run))
        .collect();
    let mut first = done.xmax;
    if xid >= first {
        ranges.push(one(xid));
        first = xid + 1;
    }
    if first < upto.xmax {
        ranges.push(Range {
            first,
            last: upto.xmax - 1,
            after: -1,
        });
    }
    ranges
}

/// Stores the rows of a range that `upto` sees, at most `left`; returns how many more there may be.
unsafe fn merge(
    scans: &mut [Scan],
    range: &Range,
    upto: &Snapshot,
    mut left: usize,
    rows: *mut pg_sys::Tuplestorestate,
) -> usize {
    // SAFETY: the scans are open, and a slot holds a row as long as its key is there.
    unsafe {
        scans.iter_mut().for_each(|scan| scan.begin(range));
        while left > 0 {
            let next = scans
                .iter_mut()
                .filter(|scan| scan.key.is_some())
                .min_by_key(|scan| scan.key);
            let Some(scan) = next else { break };
            pgrx::check_for_interrupts!();
            if scan.key.is_some_and(|(xid, _)| upto.sees(xid)) {
                pg_sys::tuplestore_puttupleslot(rows, scan.slot);
                left -= 1;
            }
            scan.advance();
        }
    }
    left
}

/// The rows of one partition in the order of the key.
struct Scan {
    heap: pg_sys::Relation,
    index: pg_sys::Relation,
    scan: pg_sys::IndexScanDesc,
    slot: *mut pg_sys::TupleTableSlot,
    /// Of the row in the slot; `None` when there is none.
    key: Option<(u64, i32)>,
}

impl Scan {
    /// Raises when the partition has no index on the key that can be read.
    unsafe fn open(relid: pg_sys::Oid) -> Self {
        // SAFETY: inside a transaction with an active snapshot, as in every statement; what is opened is closed by
        // `close`, and after an error by the transaction's resource owner.
        unsafe {
            let heap = pg_sys::table_open(relid, pg_sys::AccessShareLock as i32);
            let index = key_index(heap).unwrap_or_else(|| raise(Error::NoKeyIndex));
            Self {
                heap,
                index,
                scan: begin_scan(heap, index),
                slot: pg_sys::table_slot_create(heap, null_mut()),
                key: None,
            }
        }
    }

    /// Goes to the first row of a range.
    unsafe fn begin(&mut self, range: &Range) {
        use pg_sys::{
            BTGreaterEqualStrategyNumber, BTGreaterStrategyNumber, BTLessEqualStrategyNumber, F_INT4GT,
            F_XID8GE, F_XID8LE,
        };
        // SAFETY: the scan was begun for as many conditions, each on a column of the index; they are copied by the
        // rescan.
        unsafe {
            let mut conditions: [pg_sys::ScanKeyData; CONDITIONS] = std::mem::zeroed();
            let wanted = [
                (
                    1,
                    BTGreaterEqualStrategyNumber,
                    F_XID8GE,
                    Datum::from(range.first),
                ),
                (1, BTLessEqualStrategyNumber, F_XID8LE, Datum::from(range.last)),
                (2, BTGreaterStrategyNumber, F_INT4GT, Datum::from(range.after)),
            ];
            for (condition, (column, strategy, function, value)) in conditions.iter_mut().zip(wanted) {
                pg_sys::ScanKeyInit(condition, column, strategy as u16, function.into(), value);
            }
            pg_sys::index_rescan(
                self.scan,
                conditions.as_mut_ptr(),
                CONDITIONS as i32,
                null_mut(),
                0,
            );
            self.advance();
        }
    }

    unsafe fn advance(&mut self) {
        // SAFETY: a row of the log has the two columns of its key, and neither is null.
        unsafe {
            let found =
                pg_sys::index_getnext_slot(self.scan, pg_sys::ScanDirection::ForwardScanDirection, self.slot);
            self.key = found.then(|| {
                pg_sys::slot_getsomeattrs(self.slot, KEY[1] as i32 + 1);
                let column = |at: usize| (*(*self.slot).tts_values.add(at)).value();
                (column(KEY[0]) as u64, column(KEY[1]) as i32)
            });
        }
    }

    /// The locks stay until the transaction ends.
    unsafe fn close(self) {
        // SAFETY: each was opened by `open`.
        unsafe {
            pg_sys::index_endscan(self.scan);
            pg_sys::ExecDropSingleTupleTableSlot(self.slot);
            pg_sys::index_close(self.index, pg_sys::NoLock as i32);
            pg_sys::table_close(self.heap, pg_sys::NoLock as i32);
        }
    }
}

/// A valid index whose first columns are the key, opened. Rows of the log are never updated, so it does not matter
/// when it was built.
unsafe fn key_index(heap: pg_sys::Relation) -> Option<pg_sys::Relation> {
    // SAFETY: the heap is open; an index cannot be dropped while its table is locked. Its key has as many numbers as
    // indnatts says.
    unsafe {
        let indexes = pgrx::PgList::<pg_sys::Oid>::from_pg(pg_sys::RelationGetIndexList(heap));
        for relid in indexes.iter_oid() {
            let index = pg_sys::index_open(relid, pg_sys::AccessShareLock as i32);
            let form = &*(*index).rd_index;
            let columns = usize::try_from(form.indnkeyatts).unwrap_or(0);
            if form.indisvalid
                && columns >= KEY.len()
                && form.indkey.values.as_slice(KEY.len()) == KEY.map(|at| at as i16 + 1)
                && (*(*index).rd_rel).relam == pg_sys::BTREE_AM_OID
                && pg_sys::RelationGetIndexPredicate(index).is_null()
            {
                return Some(index);
            }
            pg_sys::index_close(index, pg_sys::NoLock as i32);
        }
        None
    }
}

/// # Safety
/// The index is one of the heap's; both are open, and a snapshot is active.
unsafe fn begin_scan(heap: pg_sys::Relation, index: pg_sys::Relation) -> pg_sys::IndexScanDesc {
    // SAFETY: handed on from the caller. From 18 on there is one parameter more, for EXPLAIN.
    unsafe {
        let snapshot = pg_sys::GetActiveSnapshot();
        #[cfg(not(feature = "pg18"))]
        return pg_sys::index_beginscan(heap, index, snapshot, CONDITIONS as i32, 0);
        #[cfg(feature = "pg18")]
        return pg_sys::index_beginscan(heap, index, snapshot, null_mut(), CONDITIONS as i32, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(xmin: u64, xmax: u64, running: &[u64]) -> Snapshot {
        Snapshot::of(xmin, xmax, running.to_vec())
    }

    fn range(first: u64, last: u64, after: i32) -> Range {
        Range { first, last, after }
    }

    #[test]
    fn a_look_reads_what_ran_before_and_then_what_is_new() {
        let (done, upto) = (snapshot(10, 20, &[10, 15]), snapshot(15, 30, &[15]));
        let all = ranges(&done, &upto, 0, 0);
        assert_eq!(all, [range(10, 10, -1), range(15, 15, -1), range(20, 29, -1)]);
    }

    #[test]
    fn it_goes_on_in_the_middle_of_a_transaction() {
        let (done, upto) = (snapshot(10, 20, &[10, 15]), snapshot(15, 30, &[15]));
        assert_eq!(ranges(&done, &upto, 15, 7), [range(15, 15, 7), range(20, 29, -1)]);
        assert_eq!(ranges(&done, &upto, 22, 7), [range(22, 22, 7), range(23, 29, -1)]);
        assert_eq!(ranges(&done, &upto, 29, 7), [range(29, 29, 7)]);
    }
}
