//! Counts the rows that the UPDATE half of an upsert or a MERGE has stored, until the INSERT half of the same statement
//! is looked at: Postgres fires the triggers of both, one after the other, and the event of the batch counts all rows
//! of the statement. An UPDATE statement has no second half; what it noted goes with it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::c_void;

use pgrx::pg_sys::{self, MemoryContext, MemoryContextCallback};
use pgrx::prelude::*;

use super::mapping::Mapping;
use super::tenant::Tenant;

/// Rows that were stored, by whose they are.
pub type Stored = BTreeMap<Tenant, u64>;

struct Noted {
    /// The context of the statement that fires the triggers: no two statements that run have the same.
    statement: MemoryContext,
    root: pg_sys::Oid,
    event: Vec<u8>,
    stored: Stored,
}

thread_local! {
    static NOTED: RefCell<Vec<Noted>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what the UPDATE half stored until the statement ends.
///
/// # Safety
/// `statement` is the context that the trigger function's information lies in, which Postgres deletes with the
/// statement.
pub unsafe fn note(statement: MemoryContext, mapping: &Mapping, stored: Stored) {
    // SAFETY: the callback lies in the context that calls it, and is called once, before the context goes.
    unsafe {
        let callback = pg_sys::MemoryContextAlloc(statement, size_of::<MemoryContextCallback>())
            .cast::<MemoryContextCallback>();
        callback.write(MemoryContextCallback {
            func: Some(statement_ends),
            arg: statement.cast(),
            next: std::ptr::null_mut(),
        });
        pg_sys::MemoryContextRegisterResetCallback(statement, callback);
    }
    let noted = Noted {
        statement,
        root: mapping.root,
        event: mapping.event.clone(),
        stored,
    };
    NOTED.with_borrow_mut(|all| all.push(noted));
}

/// Takes the counts that the other half of the statement noted.
pub fn take(statement: MemoryContext, mapping: &Mapping) -> Stored {
    NOTED.with_borrow_mut(|all| {
        let is_half = |noted: &Noted| {
            noted.statement == statement && noted.root == mapping.root && noted.event == mapping.event
        };
        let found = all.iter().position(is_half);
        found.map_or_else(Stored::new, |at| all.swap_remove(at).stored)
    })
}

/// Called by Postgres when the context of a statement goes, also after an error. It raises nothing.
#[pg_guard]
unsafe extern "C-unwind" fn statement_ends(statement: *mut c_void) {
    NOTED.with_borrow_mut(|all| all.retain(|noted| noted.statement.cast::<c_void>() != statement));
}
