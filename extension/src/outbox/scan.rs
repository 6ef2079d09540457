//! The rows of one partition of the log by its index, without the executor. Must not know which are wanted, but for the
//! bounds that it is given.

use std::ptr::null_mut;

use pgrx::pg_sys::{self, Datum};

use super::partition::KEY_COLUMNS;
use super::snapshot::Snapshot;
use crate::error::{Error, raise};
use crate::index_scan;

/// Conditions of a scan: from a transaction on, or of one, and after a number.
const CONDITIONS: usize = 2;

/// Keys of the log that follow each other: these transactions, and only numbers above `after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub first: u64,
    pub last: u64,
    pub after: i32,
}

/// What a scan has to do for a range, where the ranges rise.
#[derive(Debug, PartialEq, Eq)]
enum Move {
    /// It stands at the first row that may be in the range, or behind the range.
    Stay,
    Seek,
}

/// A scan that stands at `key` has nothing between the range that it was in and that.
fn next_move(key: Option<(u64, i32)>, range: &Range) -> Move {
    match key {
        Some(key) if key > (range.first, range.after) => Move::Stay,
        _ => Move::Seek,
    }
}

/// The rows of one partition in the order of the key.
pub struct Scan {
    heap: pg_sys::Relation,
    index: pg_sys::Relation,
    scan: pg_sys::IndexScanDesc,
    pub row: *mut pg_sys::TupleTableSlot,
    /// Of the row; `None` when there is none.
    pub key: Option<(u64, i32)>,
    /// It reads the rows of one transaction.
    of_one: bool,
    /// There is nothing behind it that the window's end sees.
    at_end: bool,
}

impl Scan {
    /// Raises when the partition has no index on the key that can be read.
    pub unsafe fn open(relid: pg_sys::Oid) -> Self {
        // SAFETY: inside a transaction with an active snapshot, as in every statement; what is opened is closed by
        // `close`, and after an error by the transaction's resource owner.
        unsafe {
            let heap = pg_sys::table_open(relid, pg_sys::AccessShareLock as i32);
            let index = key_index(heap).unwrap_or_else(|| raise(Error::NoKeyIndex));
            let scan = index_scan::begin(heap, index, pg_sys::GetActiveSnapshot(), CONDITIONS);
            // The key is looked at before the row is: most rows of an open transaction are not worth a visit.
            (*scan).xs_want_itup = true;
            Self {
                heap,
                index,
                scan,
                row: pg_sys::table_slot_create(heap, null_mut()),
                key: None,
                of_one: false,
                at_end: false,
            }
        }
    }

    /// Goes to the first row of a range, or to one behind it. Ranges rise, so a scan that has nothing left stays so.
    pub unsafe fn go_to(&mut self, range: &Range, upto: &Snapshot) {
        if self.at_end || next_move(self.key, range) == Move::Stay {
            return;
        }
        // Numbers are asked for within one transaction only: each has its own.
        self.of_one = range.after >= 0;
        // SAFETY: handed on from the caller.
        unsafe {
            self.seek(range.first, range.after);
            self.advance(upto);
        }
    }

    /// Goes to the rows from a transaction on, or to those of it alone.
    unsafe fn seek(&mut self, first: u64, after: i32) {
        use pg_sys::{
            BTEqualStrategyNumber, BTGreaterEqualStrategyNumber, BTGreaterStrategyNumber, F_INT4GT, F_XID8EQ,
            F_XID8GE,
        };
        // With an equal transaction the index is entered at the number, and not at the transaction's first.
        let (strategy, function) = match self.of_one {
            true => (BTEqualStrategyNumber, F_XID8EQ),
            false => (BTGreaterEqualStrategyNumber, F_XID8GE),
        };
        // SAFETY: the scan was begun for as many conditions, each on a column of the index; they are copied by the
        // rescan.
        unsafe {
            let mut conditions: [pg_sys::ScanKeyData; CONDITIONS] = std::mem::zeroed();
            let wanted = [
                (1, strategy, function, Datum::from(first)),
                (2, BTGreaterStrategyNumber, F_INT4GT, Datum::from(after)),
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
        }
    }

    /// The next row that the window's end sees. Rows of a transaction that it does not see are passed over at once,
    /// however many they are.
    pub unsafe fn advance(&mut self, upto: &Snapshot) {
        self.key = None;
        // SAFETY: the scan gives the tuple of its index with each place, until it is asked for the next; a row of the
        // log has the two columns of its key, and neither is null.
        unsafe {
            loop {
                pgrx::check_for_interrupts!();
                let forward = pg_sys::ScanDirection::ForwardScanDirection;
                if pg_sys::index_getnext_tid(self.scan, forward).is_null() {
                    self.at_end = !self.of_one;
                    return;
                }
                let key = key_of(self.scan);
                if key.0 >= upto.xmax {
                    self.at_end = true;
                    return;
                }
                if !upto.sees(key.0) {
                    self.of_one = false;
                    self.seek(key.0 + 1, -1);
                } else if pg_sys::index_fetch_heap(self.scan, self.row) {
                    self.key = Some(key);
                    return;
                }
            }
        }
    }

    /// The locks stay until the transaction ends.
    pub unsafe fn close(self) {
        // SAFETY: each was opened by `open`.
        unsafe {
            pg_sys::index_endscan(self.scan);
            pg_sys::ExecDropSingleTupleTableSlot(self.row);
            pg_sys::index_close(self.index, pg_sys::NoLock as i32);
            pg_sys::table_close(self.heap, pg_sys::NoLock as i32);
        }
    }
}

/// The key in the tuple of the index at which the scan stands.
unsafe fn key_of(scan: pg_sys::IndexScanDesc) -> (u64, i32) {
    // SAFETY: handed on from the caller: the index begins with the two columns of the key, and has at most as many
    // columns as Postgres allows.
    unsafe {
        let mut values = [Datum::null(); pg_sys::INDEX_MAX_KEYS as usize];
        let mut nulls = [false; pg_sys::INDEX_MAX_KEYS as usize];
        pg_sys::index_deform_tuple(
            (*scan).xs_itup,
            (*scan).xs_itupdesc,
            values.as_mut_ptr(),
            nulls.as_mut_ptr(),
        );
        (values[0].value() as u64, values[1].value() as i32)
    }
}

/// A valid index whose first columns are the key, opened. Rows of the log are never updated, so it does not matter
/// when it was built.
unsafe fn key_index(heap: pg_sys::Relation) -> Option<pg_sys::Relation> {
    // SAFETY: the heap is open; an index cannot be dropped while its table is locked.
    unsafe {
        let indexes = pgrx::PgList::<pg_sys::Oid>::from_pg(pg_sys::RelationGetIndexList(heap));
        for relid in indexes.iter_oid() {
            let index = pg_sys::index_open(relid, pg_sys::AccessShareLock as i32);
            if (*(*index).rd_index).indisvalid
                && index_scan::is_btree_on(index, &KEY_COLUMNS)
                && pg_sys::RelationGetIndexPredicate(index).is_null()
            {
                return Some(index);
            }
            pg_sys::index_close(index, pg_sys::NoLock as i32);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u64, last: u64, after: i32) -> Range {
        Range { first, last, after }
    }

    #[test]
    fn a_scan_is_moved_only_where_something_may_lie_between() {
        let one = range(20, 29, -1);
        assert_eq!(next_move(Some((22, 0)), &one), Move::Stay);
        assert_eq!(next_move(Some((40, 0)), &one), Move::Stay, "behind the range");
        assert_eq!(next_move(Some((12, 3)), &one), Move::Seek);
        assert_eq!(next_move(None, &one), Move::Seek);
        assert_eq!(
            next_move(Some((15, 7)), &range(15, 15, 7)),
            Move::Seek,
            "it was taken"
        );
        assert_eq!(next_move(Some((15, 8)), &range(15, 15, 7)), Move::Stay);
    }
}
