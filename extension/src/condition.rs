//! What a hook asks of an event's data: its "when" and its "order_by". Never an error of the data or of the path: one
//! event must not stop the others. Must not know which hook asks.
//!
//! For the dispatcher, and for simple paths: without a subtransaction, which `zerodb._is_true` and
//! `zerodb._order_key` open for each event. Reading JSON and following such a path allocate and calculate, and
//! nothing else, so that nothing of what is caught needs the abort of one. The judge takes those two functions, for
//! a path that does not end is cancelled: what Rust raises again carries a backtrace, which takes longer than the
//! judge's patience.

use pgrx::PgSqlErrorCode::*;
use pgrx::PgTryBuilder;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::pg_sys::{self, Datum};
use pgrx::prelude::*;

use crate::outbox::text_datum;

/// The longest key that is kept as it is, in bytes.
const LONGEST_KEY: usize = 200;

/// The data as jsonb; `None` for JSON that jsonb does not take, such as `\u0000` or a number beyond all bounds. Raises
/// nothing but what stops the statement.
///
/// # Safety
/// A json that is not null.
pub unsafe fn read(data: Datum) -> Option<Datum> {
    // SAFETY: a json has the form of a text. What is stored outside of the row is read here, where an error passes
    // through.
    let text = unsafe { pg_sys::text_to_cstring(data.cast_mut_ptr()) };
    caught(move || jsonb(text))
}

/// Whether the predicate is true of the data. False for data that could not be read, and whatever the condition fails
/// on. Raises as `read` does.
///
/// # Safety
/// A jsonb and a jsonpath, where there are some.
pub unsafe fn is_true(data: Option<Datum>, predicate: Option<Datum>) -> bool {
    let (Some(data), Some(predicate)) = (data, predicate) else {
        return false;
    };
    // SAFETY: handed on from the caller; the function returns a boolean or null.
    unsafe {
        let predicate = whole(predicate);
        caught(move || {
            pgrx::direct_function_call::<bool>(pg_sys::jsonb_path_match, &path_arguments(data, predicate))
        })
        .unwrap_or(false)
    }
}

/// The key by which a hook keeps the order, a `text`: that of what the path finds, `null` when it finds nothing, or
/// the data could not be read. Long ones are hashed; should two keys ever collide, they share one order.
///
/// # Safety
/// A jsonb and a jsonpath, where there are some.
pub unsafe fn order_key(data: Option<Datum>, path: Option<Datum>) -> Datum {
    let (Some(data), Some(path)) = (data, path) else {
        return text_datum(b"null");
    };
    // SAFETY: handed on from the caller; jsonb_out makes a C string of what the path finds.
    let key = unsafe {
        let path = whole(path);
        caught(move || {
            let arguments = path_arguments(data, path);
            let found = pgrx::direct_function_call_as_datum(pg_sys::jsonb_path_query_first, &arguments)?;
            let written = pgrx::direct_function_call_as_datum(pg_sys::jsonb_out, &[Some(found)])?;
            Some(std::ffi::CStr::from_ptr(written.cast_mut_ptr()).to_bytes())
        })
        .unwrap_or(b"null")
    };
    if key.len() <= LONGEST_KEY {
        return text_datum(key);
    }
    text_datum(format!("hash {} {}", hash(key, 0), hash(key, 1)).as_bytes())
}

/// What the functions of paths take: the data, the path, no variables, and that they are to be silent.
fn path_arguments(data: Datum, path: Datum) -> [Option<Datum>; 4] {
    [
        Some(data),
        Some(path),
        jsonb(c"{}".as_ptr()),
        Some(Datum::from(true)),
    ]
}

/// Raises what jsonb raises.
fn jsonb(json: *const std::ffi::c_char) -> Option<Datum> {
    // SAFETY: the function takes a C string, and keeps no pointer to it.
    unsafe { pgrx::direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(Datum::from(json))]) }
}

/// What `work` makes; `None` where it raises anything but what stops the statement.
fn caught<T>(work: impl FnOnce() -> Option<T> + std::panic::UnwindSafe) -> Option<T> {
    PgTryBuilder::new(work)
        .catch_others(|error| if stops(&error) { error.rethrow() } else { None })
        .execute()
}

/// Whether the error is not one of the data or the path: a cancellation, the end of the session, or of memory.
fn stops(error: &CaughtError) -> bool {
    let CaughtError::PostgresError(report) = error else {
        return true;
    };
    matches!(
        report.sql_error_code(),
        ERRCODE_QUERY_CANCELED
            | ERRCODE_ADMIN_SHUTDOWN
            | ERRCODE_CRASH_SHUTDOWN
            | ERRCODE_DATABASE_DROPPED
            | ERRCODE_OUT_OF_MEMORY
    )
}

/// # Safety
/// A value of a type that is stored as a varlena.
unsafe fn whole(value: Datum) -> Datum {
    // SAFETY: handed on from the caller.
    unsafe { Datum::from(pg_sys::pg_detoast_datum(value.cast_mut_ptr())) }
}

fn hash(key: &[u8], seed: i64) -> i64 {
    // SAFETY: the function takes a varlena and a bigint, and never returns null. It is what `hashtextextended` is.
    let hashed = unsafe {
        pgrx::direct_function_call::<i64>(
            pg_sys::hashvarlenaextended,
            &[Some(text_datum(key)), seed.into_datum()],
        )
    };
    hashed.unwrap_or_default()
}
