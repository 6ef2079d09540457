//! Asks from within a writer whether one of the extension's own tables has a row with a text, through an index whose
//! first column it is: without SPI, without its rights, without waiting for a lock, and however large the table is.
//! Must not remember anything.

use std::ffi::CStr;
use std::ptr::null_mut;

use pgrx::pg_sys::{self, Datum};

use super::tables::Unread;
use crate::index_scan;

/// Whether `zerodb.<index>` of `zerodb.<table>`, whose first column is `column`, has an entry with one of the texts,
/// and the table. Reads with the newest snapshot, not the transaction's: a REPEATABLE READ writer must not remember
/// an older answer than the one it was told to forget. `Missing` where the index cannot be read: it is not there, or
/// being built.
pub fn any(
    table: &CStr,
    index: &CStr,
    column: &CStr,
    texts: impl Iterator<Item = Vec<u8>>,
) -> Result<(pg_sys::Oid, bool), Unread> {
    // SAFETY: catalog look-ups by C strings; each lock is given back after the last use of what it guards. On an error
    // the transaction's end closes all of it.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"zerodb".as_ptr(), true);
        let find = |name: &CStr| pg_sys::get_relname_relid(name.as_ptr(), schema);
        let (table, index) = (find(table), find(index));
        if table == pg_sys::InvalidOid || index == pg_sys::InvalidOid {
            return Err(Unread::Missing);
        }
        let lock = pg_sys::AccessShareLock as i32;
        if !pg_sys::ConditionalLockRelationOid(table, lock) {
            return Err(Unread::Locked);
        }
        if !pg_sys::ConditionalLockRelationOid(index, lock) {
            pg_sys::UnlockRelationOid(table, lock);
            return Err(Unread::Locked);
        }
        let found = any_in_index(table, index, column, texts);
        pg_sys::UnlockRelationOid(index, lock);
        pg_sys::UnlockRelationOid(table, lock);
        found.map(|found| (table, found)).ok_or(Unread::Missing)
    }
}

/// `None` when the index cannot be read.
///
/// # Safety
/// Both are locked.
unsafe fn any_in_index(
    table: pg_sys::Oid,
    index: pg_sys::Oid,
    column: &CStr,
    mut texts: impl Iterator<Item = Vec<u8>>,
) -> Option<bool> {
    const UNLOCKED: i32 = pg_sys::NoLock as i32;
    // SAFETY: the relations stay open, and the snapshot registered, until the scan has ended. All is opened before the
    // snapshot is taken, so that no news can be heard between it and the answer.
    unsafe {
        let heap = pg_sys::try_table_open(table, UNLOCKED);
        if heap.is_null() {
            return None;
        }
        let index = pg_sys::index_open(index, UNLOCKED);
        let form = &*(*index).rd_index;
        let is_usable = form.indrelid == table
            && form.indisvalid
            && index_scan::is_btree_on(index, &[pg_sys::get_attnum(table, column.as_ptr())]);
        let found = is_usable.then(|| {
            let slot = pg_sys::table_slot_create(heap, null_mut());
            let snapshot = pg_sys::RegisterSnapshot(pg_sys::GetLatestSnapshot());
            let scan = index_scan::begin(heap, index, snapshot, 1);
            let found = texts.any(|text| {
                let mut key = equal_to(index, &text);
                pg_sys::index_rescan(scan, &raw mut key, 1, null_mut(), 0);
                pg_sys::index_getnext_slot(scan, pg_sys::ScanDirection::ForwardScanDirection, slot)
            });
            pg_sys::index_endscan(scan);
            pg_sys::UnregisterSnapshot(snapshot);
            pg_sys::ExecDropSingleTupleTableSlot(slot);
            found
        });
        pg_sys::index_close(index, UNLOCKED);
        pg_sys::table_close(heap, UNLOCKED);
        found
    }
}

/// The condition that the first column of the index has this value.
///
/// # Safety
/// The index is open, and its first column is of a text type.
unsafe fn equal_to(index: pg_sys::Relation, value: &[u8]) -> pg_sys::ScanKeyData {
    // SAFETY: a key is plain data, and filled here; the text is palloc'd and lives as long as the firing.
    unsafe {
        let mut key: pg_sys::ScanKeyData = std::mem::zeroed();
        let length = i32::try_from(value.len()).unwrap_or(i32::MAX);
        let text = pg_sys::cstring_to_text_with_len(value.as_ptr().cast(), length);
        pg_sys::ScanKeyEntryInitialize(
            &raw mut key,
            0,
            1,
            pg_sys::BTEqualStrategyNumber as u16,
            pg_sys::InvalidOid,
            *(*index).rd_indcollation,
            pg_sys::F_TEXTEQ.into(),
            Datum::from(text),
        );
        key
    }
}
