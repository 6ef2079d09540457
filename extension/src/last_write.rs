//! Remembers which transaction of this session was the last that committed events, for those who then wait for its
//! hooks. Forgets it where somebody else goes on in the session: behind a pooler that may be another client.

use std::cell::Cell;
use std::ffi::c_void;

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::settings::{self, Id};

/// A transaction, and for whom it wrote.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Write {
    xid: u64,
    role: pg_sys::Oid,
    user_id: Option<Id>,
}

thread_local! {
    /// What the transaction that is open has written.
    static OPEN: Cell<Option<Write>> = const { Cell::new(None) };
    static LAST: Cell<Option<Write>> = const { Cell::new(None) };
}

/// Registers the callback; called once, when the library is loaded.
pub fn register() {
    // SAFETY: the callback is a static function and needs no argument.
    unsafe { pg_sys::RegisterXactCallback(Some(at_transaction_end), std::ptr::null_mut()) }
}

/// Notes that the transaction `xid` has written events.
pub fn note(xid: u64) {
    if OPEN.get().is_none_or(|open| open.xid != xid) {
        OPEN.set(Some(of_now(xid)));
    }
}

/// The session's role, whatever role a function has taken on, and its tenant.
fn of_now(xid: u64) -> Write {
    Write {
        xid,
        // SAFETY: only reads the session's state.
        role: unsafe { pg_sys::GetOuterUserId() },
        user_id: settings::user_id(),
    }
}

/// Runs where nothing may fail. A transaction that is prepared commits later, if at all, and in any session.
#[pg_guard]
unsafe extern "C-unwind" fn at_transaction_end(event: pg_sys::XactEvent::Type, _argument: *mut c_void) {
    match event {
        pg_sys::XactEvent::XACT_EVENT_COMMIT => {
            if let Some(written) = OPEN.take() {
                LAST.set(Some(written));
            }
        }
        pg_sys::XactEvent::XACT_EVENT_ABORT | pg_sys::XactEvent::XACT_EVENT_PREPARE => OPEN.set(None),
        _ => {}
    }
}

/// `zerodb._last_write`: the last transaction of this session that committed events, for the role and the tenant that
/// ask; null where there is none. Its number, as a bigint.
#[pg_extern(name = "_last_write", volatile)]
fn last_write() -> Option<i64> {
    let last = LAST.get()?;
    (last == of_now(last.xid)).then(|| i64::try_from(last.xid).ok())?
}

/// `zerodb._is_writing`: whether the transaction that is open has written events.
#[pg_extern(name = "_is_writing", volatile)]
fn is_writing() -> bool {
    // SAFETY: only reads the transaction's state.
    let xid = unsafe { pg_sys::GetTopFullTransactionIdIfAny().value };
    OPEN.get().is_some_and(|open| open.xid == xid)
}
