//! Reads the log in the order of its key, straight from the heap by the index of each partition, without the
//! executor: the first thing that the dispatcher does in each of its looks. Must not decide what becomes of an event.
//!
//! It does not depend on the statistics of a log that was empty a minute ago.

use std::ptr::null_mut;
use std::vec::IntoIter;

use pgrx::pg_sys::{self, Datum};

use super::partition::KEY;
use super::snapshot::Snapshot;
use super::{LOG_PARTITIONS, partitions};
use crate::error::{Error, raise};

/// Conditions of a scan: from a transaction, to a transaction, after a number.
const CONDITIONS: usize = 3;

/// Where a look begins and ends.
pub struct Window {
    /// Whose events are dispatched, all of them.
    pub done: Snapshot,
    /// Whose events are to be read.
    pub upto: Snapshot,
    /// The key up to which those have been read.
    pub after: (u64, i32),
}

/// The events of a window, in the order of their keys.
pub struct Reader {
    scans: [Scan; LOG_PARTITIONS],
    upto: Snapshot,
    ranges: IntoIter<Range>,
    /// The scans are within a range.
    within: bool,
    /// The scan whose row was handed out last.
    last: Option<usize>,
}

impl Reader {
    /// Takes AccessShareLock on each partition of the log and its index until the transaction ends. Raises when one has
    /// no index on the key.
    ///
    /// # Safety
    /// Inside a transaction, with an active snapshot that sees all that the window's end does, until it is closed.
    pub unsafe fn open(window: Window) -> Self {
        let ranges = ranges(&window.done, &window.upto, window.after.0, window.after.1);
        // SAFETY: handed on from the caller.
        unsafe {
            Self {
                scans: partitions().map(|relid| Scan::open(relid)),
                upto: window.upto,
                ranges: ranges.into_iter(),
                within: false,
                last: None,
            }
        }
    }

    /// The next event's row, which is there until the next call; `None` when all are read.
    ///
    /// # Safety
    /// As for `open`.
    pub unsafe fn next(&mut self) -> Option<*mut pg_sys::TupleTableSlot> {
        // SAFETY: the scans are open, and a slot holds a row as long as its key is there.
        unsafe {
            if let Some(last) = self.last.take() {
                self.scans[last].advance();
            }
            loop {
                pgrx::check_for_interrupts!();
                if !self.within {
                    let range = self.ranges.next()?;
                    self.scans.iter_mut().for_each(|scan| scan.begin(&range));
                    self.within = true;
                }
                let Some((at, (xid, _))) = self.least() else {
                    self.within = false;
                    continue;
                };
                if self.upto.sees(xid) {
                    self.last = Some(at);
                    return Some(self.scans[at].row);
                }
                self.scans[at].advance();
            }
        }
    }

    fn least(&self) -> Option<(usize, (u64, i32))> {
        let keys = self.scans.iter().enumerate();
        keys.filter_map(|(at, scan)| Some((at, scan.key?)))
            .min_by_key(|(_, key)| *key)
    }

    /// The locks stay until the transaction ends.
    ///
    /// # Safety
    /// As for `open`.
    pub unsafe fn close(self) {
        // SAFETY: each was opened by `open`.
        self.scans.into_iter().for_each(|scan| unsafe { scan.close() });
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

/// The rows of one partition in the order of the key.
struct Scan {
    heap: pg_sys::Relation,
    index: pg_sys::Relation,
    scan: pg_sys::IndexScanDesc,
    row: *mut pg_sys::TupleTableSlot,
    /// Of the row; `None` when there is none.
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
                row: pg_sys::table_slot_create(heap, null_mut()),
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
                pg_sys::index_getnext_slot(self.scan, pg_sys::ScanDirection::ForwardScanDirection, self.row);
            self.key = found.then(|| {
                pg_sys::slot_getsomeattrs(self.row, KEY[1] as i32 + 1);
                let column = |at: usize| (*(*self.row).tts_values.add(at)).value();
                (column(KEY[0]) as u64, column(KEY[1]) as i32)
            });
        }
    }

    /// The locks stay until the transaction ends.
    unsafe fn close(self) {
        // SAFETY: each was opened by `open`.
        unsafe {
            pg_sys::index_endscan(self.scan);
            pg_sys::ExecDropSingleTupleTableSlot(self.row);
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
