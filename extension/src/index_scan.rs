//! Beginning a scan of an index without the executor, for every version of Postgres. Must not know what is read.

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
