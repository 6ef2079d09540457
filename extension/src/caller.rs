//! Who called the API function that is open, for what is written about the call further in: there the current user is
//! the extension's owner already. It must not decide anything: the inner functions are told the caller as an argument.

use std::cell::RefCell;
use std::ffi::c_void;

use pgrx::pg_sys;
use pgrx::prelude::*;

/// A call that has not returned, and how deep in subtransactions it began.
struct Open {
    role: pg_sys::Oid,
    depth: i32,
}

thread_local! {
    /// The innermost is the last. One that ended with an error goes with its subtransaction.
    static CALLS: RefCell<Vec<Open>> = const { RefCell::new(Vec::new()) };
}

/// Registers the callbacks; called once, when the library is loaded.
pub fn register() {
    // SAFETY: both callbacks are static functions and need no argument.
    unsafe {
        pg_sys::RegisterXactCallback(Some(at_transaction_end), std::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(at_subtransaction_end), std::ptr::null_mut());
    }
}

/// Notes that `role` has called; `leave` takes it back.
pub fn enter(role: pg_sys::Oid) {
    // SAFETY: only reads the transaction's state.
    let depth = unsafe { pg_sys::GetCurrentTransactionNestLevel() };
    change(|calls| calls.push(Open { role, depth }));
}

/// Never fails: its caller has nothing that would be dropped.
pub fn leave() {
    change(|calls| {
        calls.pop();
    });
}

fn change(by: impl FnOnce(&mut Vec<Open>)) {
    // Neither can fail: nothing that is done with the list comes here again, and a backend has one thread.
    let _ = CALLS.try_with(|calls| calls.try_borrow_mut().map(|mut calls| by(&mut calls)));
}

/// What began in a subtransaction that is undone has been jumped out of.
#[pg_guard]
unsafe extern "C-unwind" fn at_subtransaction_end(
    event: pg_sys::SubXactEvent::Type,
    _id: pg_sys::SubTransactionId,
    _parent: pg_sys::SubTransactionId,
    _argument: *mut c_void,
) {
    if event == pg_sys::SubXactEvent::SUBXACT_EVENT_ABORT_SUB {
        // SAFETY: only reads the transaction's state; the subtransaction is still the current one.
        let depth = unsafe { pg_sys::GetCurrentTransactionNestLevel() };
        change(|calls| calls.retain(|call| call.depth < depth));
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn at_transaction_end(event: pg_sys::XactEvent::Type, _argument: *mut c_void) {
    if event == pg_sys::XactEvent::XACT_EVENT_ABORT {
        change(Vec::clear);
    }
}

/// `zerodb._caller`: the role that has called the API function which is open; outside of one the session's, whatever
/// role a function has taken on.
#[pg_extern(name = "_caller", stable)]
fn caller() -> pg_sys::Oid {
    let open = CALLS.with_borrow(|calls| calls.last().map(|call| call.role));
    // SAFETY: only reads the session's state.
    open.unwrap_or_else(|| unsafe { pg_sys::GetOuterUserId() })
}
