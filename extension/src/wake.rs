//! The wake-up of a parked worker, at commit. A writer that recorded events tries, just before its commit, to share the
//! advisory lock that a parking worker holds exclusively. It fails exactly when a worker is parked or parking, and only
//! then is NOTIFY worth its cluster-wide lock. The shared lock is held until the commit is visible, so that a worker
//! that parks afterwards sees the events in its last poll. Doing this at commit and not in the trigger keeps the lock
//! out of long transactions, and NOTIFY out of PREPARE TRANSACTION, which refuses it.

use std::cell::Cell;
use std::ffi::c_void;

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::settings;

/// Channel the worker listens on. The worker's constant is compared with this one by a contract test.
const CHANNEL: &str = "zerodb_hooks";

/// Advisory lock of the parked worker, in the two-key space: "zero" in ASCII, and 1. Also in `sql/worker`.
const LOCK_CLASS: u32 = 0x7a65_726f;
const PARK_LOCK: u32 = 1;

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
        if REQUESTED.get() && settings::notify() && !share_park_lock() && queue_has_room() {
            notify_channel();
        }
    } else {
        REQUESTED.set(false);
        crate::capture::forget_moves();
    }
}

/// True when no worker is parked; the lock then stays until the end of the transaction.
fn share_park_lock() -> bool {
    // SAFETY: MyDatabaseId is set in every backend; the tag is that of pg_advisory_lock(int, int).
    unsafe {
        let tag = pg_sys::LOCKTAG {
            locktag_field1: pg_sys::MyDatabaseId.to_u32(),
            locktag_field2: LOCK_CLASS,
            locktag_field3: PARK_LOCK,
            locktag_field4: 2,
            locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
            locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
        };
        pg_sys::LockAcquire(&raw const tag, pg_sys::ShareLock as i32, false, true)
            != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
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
