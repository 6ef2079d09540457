//! What every read of an index without the executor needs: whether the index is the one that is meant, and the
//! beginning of a scan for every version of Postgres. Must not know what is read.

use pgrx::pg_sys;

/// A scan with so many conditions, which its rescan gives it.
///
/// # Safety
/// The index is one of the heap's; both are open, and the snapshot is active or registered, until the scan has ended.
pub unsafe fn begin(
    heap: pg_sys::Relation,
    index: pg_sys::Relation,
    snapshot: pg_sys::Snapshot,
    conditions: usize,
) -> pg_sys::IndexScanDesc {
    // SAFETY: handed on from the caller. From 18 on there is one parameter more, for EXPLAIN.
    unsafe {
        #[cfg(not(feature = "pg18"))]
        return pg_sys::index_beginscan(heap, index, snapshot, conditions as i32, 0);
        #[cfg(feature = "pg18")]
        return pg_sys::index_beginscan(heap, index, snapshot, std::ptr::null_mut(), conditions as i32, 0);
    }
}

/// Whether an index is a B-tree whose key begins with these columns (attribute numbers), in this order. It may still be
/// one that is not valid, or of some rows only.
///
/// # Safety
/// The index is open.
pub unsafe fn is_btree_on(index: pg_sys::Relation, columns: &[i16]) -> bool {
    // SAFETY: handed on from the caller; indkey has at least as many numbers as indnkeyatts says.
    unsafe {
        let form = &*(*index).rd_index;
        let keys = usize::try_from(form.indnkeyatts).unwrap_or(0);
        (*(*index).rd_rel).relam == pg_sys::BTREE_AM_OID
            && keys >= columns.len()
            && form.indkey.values.as_slice(columns.len()) == columns
    }
}
