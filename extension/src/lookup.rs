//! Lets the planner find an event or a delivery by its id in the views, by the indexes that there are: from a
//! condition on an id it derives conditions on the columns below it. The condition itself stays, so that a wrong one
//! derived would hide rows but never show one. Must not change what a query means, nor look at anything but the
//! extension's own tables.
//!
//! - `_event_id(xid, ord) = x` on a table with these columns: they are equal to the parts of `x`.
//! - The same, or `id = x`, on the arrays of a completion: the bounds of the arrays hold it.
//! - Each of these with a list, `= ANY (…)` or `IN (…)`.
//!
//! A planner support function cannot do it: it is asked about a column of an index, and the ids are in none.

mod clause;
mod expression;
mod list;
mod relation;

use pgrx::PgList;
use pgrx::pg_sys;
use pgrx::prelude::*;

use clause::{Condition, Conditions};
use relation::Kind;

pub use relation::forget;

/// The hook that was there before.
static mut BEFORE: pg_sys::set_rel_pathlist_hook_type = None;

/// Called once, when the library is loaded. The views call functions whose support function is in this library, so
/// that it is loaded before the first of them is planned.
pub fn register() {
    // SAFETY: a backend has one thread, and _PG_init runs once.
    unsafe {
        BEFORE = pg_sys::set_rel_pathlist_hook;
        pg_sys::set_rel_pathlist_hook = Some(add_paths);
    }
}

entry!(pg_finfo_zerodb_load);

/// `zerodb._load(internal)`: a planner support function that supports nothing. Asking it loads the library.
///
/// # Safety
/// Called by the planner.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zerodb_load(_fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    pg_sys::Datum::null()
}

/// Called for each table of each query that is planned, once its usual paths are there.
#[pg_guard]
unsafe extern "C-unwind" fn add_paths(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    index: pg_sys::Index,
    entry: *mut pg_sys::RangeTblEntry,
) {
    // SAFETY: the planner's own structures, which live as long as the planning.
    unsafe {
        if let Some(before) = BEFORE {
            before(root, rel, index, entry);
        }
        if (*entry).rtekind != pg_sys::RTEKind::RTE_RELATION || (*rel).indexlist.is_null() {
            return;
        }
        let Some(kind) = relation::kind_of((*entry).relid) else {
            return;
        };
        let derived = match kind {
            Kind::Event { xid, ord } => clause::of_event(root, rel, xid, ord),
            Kind::Completion(columns) => clause::of_completion(root, rel, &columns),
        };
        if !derived.is_empty() {
            narrow(root, rel, &derived);
        }
    }
}

/// Adds the conditions to the table, and the paths that they allow.
unsafe fn narrow(root: *mut pg_sys::PlannerInfo, rel: *mut pg_sys::RelOptInfo, derived: &Conditions) {
    // SAFETY: as in `add_paths`. A table that is part of another has the latter's place in `append_rel_array`.
    unsafe {
        let before = (*rel).baserestrictinfo;
        let mut rows = (*rel).rows;
        for Condition {
            clause,
            level,
            rows: most,
        } in derived
        {
            rows = rows.min(*most);
            let info = restriction(root, *clause, *level);
            (*rel).baserestrictinfo = pg_sys::lappend((*rel).baserestrictinfo, info.cast());
        }
        // A whole index shares the table's list, which may have begun anew. A partial one has its own, without what
        // it implies.
        for index in PgList::<pg_sys::IndexOptInfo>::from_pg((*rel).indexlist).iter_ptr() {
            if (*index).indrestrictinfo == before {
                (*index).indrestrictinfo = (*rel).baserestrictinfo;
            }
        }
        (*rel).rows = rows;
        if !(*root).append_rel_array.is_null() {
            let part = *(*root).append_rel_array.add((*rel).relid as usize);
            if !part.is_null() {
                let whole = *(*root).simple_rel_array.add((*part).parent_relid as usize);
                (*whole).rows = (*whole).rows.min(relation::PARTITIONS * rows);
            }
        }
        pg_sys::create_index_paths(root, rel);
    }
}

/// A condition as the planner keeps it, with the rank among row-level security's that its origin has.
unsafe fn restriction(
    root: *mut pg_sys::PlannerInfo,
    clause: *mut pg_sys::Expr,
    level: pg_sys::Index,
) -> *mut pg_sys::RestrictInfo {
    use std::ptr::null_mut;
    // SAFETY: the clause is a boolean expression in the planner's memory.
    unsafe {
        #[cfg(feature = "pg15")]
        return pg_sys::make_restrictinfo(
            root,
            clause,
            true,
            false,
            false,
            level,
            null_mut(),
            null_mut(),
            null_mut(),
        );
        #[cfg(not(feature = "pg15"))]
        return pg_sys::make_restrictinfo(
            root,
            clause,
            true,
            false,
            false,
            false,
            level,
            null_mut(),
            null_mut(),
            null_mut(),
        );
    }
}
