//! The wake-up of a parked worker, at commit. A writer that recorded events tries, just before its commit, to share the
//! lock that a parking worker holds alone (`lock.rs`). It fails exactly when a worker is parked or parking, and only
//! then is NOTIFY worth its cluster-wide lock. The shared lock is held until the commit is visible, so that a worker
//! that parks afterwards sees the events in its last poll. Doing this at commit and not in the trigger keeps the lock
//! out of long transactions, and NOTIFY out of PREPARE TRANSACTION, which refuses it.

use std::cell::Cell;
use std::ffi::c_void;

use pgrx::pg_sys;
use pgrx::prelude::*;
use zerodb_hooks_contract::event_log::CHANNEL;

use crate::lock::{self, Lock};
use crate::{reserve, settings};

/// Above this share of the notification queue a commit stays silent: a full queue would make the commit fail.
const QUEUE_SHARE: f64 = 0.5;

thread_local! {
    static REQUESTED: Cell<bool> = const { Cell::new(false) };
}

/// Registers the commit callback; called once, when the library is loaded.
pub fn register() {
    // SAFETY: the callback is a static function and needs no argument.
    unsafe { pg_sys::RegisterXactCallback(Some(at_transaction_end), std::ptr::null_mut()) }
}

/// Asks that this transaction's commit wakes a parked worker.
pub fn request() {
    REQUESTED.set(true);
}

/// `zerodb._wake()`: for functions written in SQL that make work.
#[pg_extern(name = "_wake")]
fn wake_at_commit() {
    request();
}

#[pg_guard]
unsafe extern "C-unwind" fn at_transaction_end(event: pg_sys::XactEvent::Type, _argument: *mut c_void) {
    if event == pg_sys::XactEvent::XACT_EVENT_PRE_COMMIT {
        if REQUESTED.get() && settings::notify() && !lock::try_share(Lock::Park) && queue_has_room() {
            notify_channel();
        }
    } else {
        REQUESTED.set(false);
        reserve::refill();
    }
}

fn notify_channel() {
    // SAFETY: pg_notify takes two texts.
    unsafe {
        pgrx::direct_function_call_as_datum(pg_sys::pg_notify, &[CHANNEL.into_datum(), "".into_datum()]);
    }
}

fn queue_has_room() -> bool {
    // SAFETY: the function takes no argument.
    let usage = unsafe { pgrx::direct_function_call::<f64>(pg_sys::pg_notification_queue_usage, &[]) };
    usage.unwrap_or(0.0) < QUEUE_SHARE
}
