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

/// The longest key that is kept as it is, in bytes.
const LONGEST_KEY: usize = 200;

/// Whether the predicate is true of the data. False for JSON that jsonb does not take, such as `\u0000` or a number
/// beyond all bounds, and whatever the condition fails on. Raises nothing but what stops the statement.
///
/// # Safety
/// A json and a jsonpath that are not null.
pub unsafe fn is_true(data: Datum, predicate: Datum) -> bool {
    // SAFETY: handed on from the caller; the function takes what it is given, and returns a boolean or null.
    unsafe {
        let (text, predicate) = (text_of(data), whole(predicate));
        caught(move || {
            let arguments = path_arguments(text, predicate);
            pgrx::direct_function_call::<bool>(pg_sys::jsonb_path_match, &arguments)
        })
        .unwrap_or(false)
    }
}

/// The key by which a hook keeps the order, a `text`: that of what the path finds, `null` when it finds nothing, or
/// the data cannot be read. Long ones are hashed; should two keys ever collide, they share one order.
///
/// # Safety
/// A json and a jsonpath, where there are some.
pub unsafe fn order_key(data: Option<Datum>, path: Option<Datum>) -> Datum {
    let (Some(data), Some(path)) = (data, path) else {
        return text(b"null");
    };
    // SAFETY: handed on from the caller; jsonb_out makes a C string of what the path finds.
    let key = unsafe {
        let (json, path) = (text_of(data), whole(path));
        caught(move || {
            let arguments = path_arguments(json, path);
            let found = pgrx::direct_function_call_as_datum(pg_sys::jsonb_path_query_first, &arguments)?;
            let written = pgrx::direct_function_call_as_datum(pg_sys::jsonb_out, &[Some(found)])?;
            Some(std::ffi::CStr::from_ptr(written.cast_mut_ptr()).to_bytes())
        })
        .unwrap_or(b"null")
    };
    if key.len() <= LONGEST_KEY {
        return text(key);
    }
    text(format!("hash {} {}", hash(key, 0), hash(key, 1)).as_bytes())
}

/// # Safety
/// A C string, and a jsonpath that is whole.
unsafe fn path_arguments(json: *mut std::ffi::c_char, path: Datum) -> [Option<Datum>; 4] {
    // SAFETY: both take a C string and return a jsonb, or raise.
    let jsonb = |json: *const std::ffi::c_char| unsafe {
        pgrx::direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(Datum::from(json))])
    };
    [
        jsonb(json),
        Some(path),
        jsonb(c"{}".as_ptr()),
        Some(Datum::from(true)),
    ]
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

/// The JSON as a C string in the current context. Reads what is stored outside of the row here, where an error passes
/// through.
///
/// # Safety
/// A json that is not null.
unsafe fn text_of(data: Datum) -> *mut std::ffi::c_char {
    // SAFETY: a json has the form of a text.
    unsafe { pg_sys::text_to_cstring(data.cast_mut_ptr()) }
}

/// # Safety
/// A value of a type that is stored as a varlena.
unsafe fn whole(value: Datum) -> Datum {
    // SAFETY: handed on from the caller.
    unsafe { Datum::from(pg_sys::pg_detoast_datum(value.cast_mut_ptr())) }
}

fn text(bytes: &[u8]) -> Datum {
    // SAFETY: copies the bytes into the current context.
    unsafe {
        Datum::from(pg_sys::cstring_to_text_with_len(
            bytes.as_ptr().cast(),
            bytes.len() as i32,
        ))
    }
}

fn hash(key: &[u8], seed: i64) -> i64 {
    // SAFETY: the function takes a varlena and a bigint, and never returns null. It is what `hashtextextended` is.
    let hashed = unsafe {
        pgrx::direct_function_call::<i64>(pg_sys::hashvarlenaextended, &[Some(text(key)), seed.into_datum()])
    };
    hashed.unwrap_or_default()
}
