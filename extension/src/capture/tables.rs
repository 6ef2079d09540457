//! Reads the extension's own small tables from within a writer: without SPI, without its rights, and without waiting
//! for a lock. Must not be used for tables that grow with the number of events.

use std::ffi::CStr;

use pgrx::pg_sys::{self, Datum};

use crate::reserve;

/// Why a table was not read.
#[derive(Debug, PartialEq, Eq)]
pub enum Unread {
    /// Somebody holds a lock against readers.
    Locked,
    /// The schema is of another version of the extension.
    Missing,
}

/// Hands the named columns of every row of `zerodb.<table>` to `each` and returns the table. Reads with the newest
/// snapshot, not the transaction's: a REPEATABLE READ writer must not remember an older answer than the one it was told
/// to forget. Takes AccessShareLock and gives it back. The values live until `each` returns.
pub fn read<const N: usize>(
    table: &CStr,
    columns: [&CStr; N],
    mut each: impl FnMut([Option<Datum>; N]),
) -> Result<pg_sys::Oid, Unread> {
    // SAFETY: runs inside a transaction; the relation is open and locked during the scan, and the snapshot registered.
    // The TupleTableSlot is made for this relation, so that its rows are read with the descriptor that they were formed
    // with, and its arrays have as many entries as the descriptor has columns, which the numbers come from. On an error
    // the transaction's end closes all of it.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"zerodb".as_ptr(), true);
        let relid = pg_sys::get_relname_relid(table.as_ptr(), schema);
        let lock = pg_sys::AccessShareLock as i32;
        if relid == pg_sys::InvalidOid {
            return Err(Unread::Missing);
        }
        if !pg_sys::ConditionalLockRelationOid(relid, lock) {
            return Err(Unread::Locked);
        }
        let numbers = columns.map(|name| pg_sys::get_attnum(relid, name.as_ptr()));
        let relation = pg_sys::try_table_open(relid, pg_sys::NoLock as i32);
        if relation.is_null() || numbers.iter().any(|number| *number <= 0) {
            if !relation.is_null() {
                pg_sys::table_close(relation, pg_sys::NoLock as i32);
            }
            pg_sys::UnlockRelationOid(relid, lock);
            return Err(Unread::Missing);
        }
        let snapshot = pg_sys::RegisterSnapshot(pg_sys::GetLatestSnapshot());
        let tuple_slot = pg_sys::table_slot_create(relation, std::ptr::null_mut());
        let scan = pg_sys::table_beginscan(relation, snapshot, 0, std::ptr::null_mut());
        while pg_sys::table_scan_getnextslot(scan, pg_sys::ScanDirection::ForwardScanDirection, tuple_slot) {
            pgrx::check_for_interrupts!();
            reserve::check();
            pg_sys::slot_getallattrs(tuple_slot);
            each(numbers.map(|number| {
                let at = number as usize - 1;
                (!*(*tuple_slot).tts_isnull.add(at)).then(|| *(*tuple_slot).tts_values.add(at))
            }));
        }
        pg_sys::table_endscan(scan);
        pg_sys::ExecDropSingleTupleTableSlot(tuple_slot);
        pg_sys::UnregisterSnapshot(snapshot);
        pg_sys::table_close(relation, lock);
        Ok(relid)
    }
}
