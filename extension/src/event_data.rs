//! The data of an event as jsonb, for what reads the events of many. The log holds it as json, which takes what jsonb does not:
//! `"\u0000"`, half of a surrogate pair, a number beyond the range of numeric. One such row must not make a query over all of
//! them fail. In C, because a handler of PL/pgSQL opens a subtransaction for each row and forbids parallel plans.

use std::ffi::CString;

use pgrx::PgSqlErrorCode::*;
use pgrx::PgTryBuilder;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;

#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_zerodb_event_data() -> &'static pg_sys::Pg_finfo_record {
    const V1: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
    &V1
}

/// `zerodb._event_data`: the data, or `{"_unreadable": "<reason>"}` where jsonb cannot hold it. Raises nothing but what has
/// nothing to do with the value, such as a cancellation.
///
/// # Safety
/// Called by Postgres with the one argument of its declaration, which is STRICT.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn zerodb_event_data(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the declaration has one argument, a json, which is a varlena and not null; its copy lives in the call's context.
    let text = unsafe {
        let argument = (*fcinfo).args.as_slice(1)[0].value;
        pg_sys::text_to_cstring(argument.cast_mut_ptr())
    };
    PgTryBuilder::new(|| read(text))
        .catch_others(|error| match reason(&error) {
            Some(reason) => unreadable(&reason),
            None => error.rethrow(),
        })
        .execute()
}

/// Why a value cannot be read; `None` for an error that is not the value's. Reading it allocates and calculates, and nothing else,
/// so that nothing of it needs the abort of a subtransaction.
fn reason(error: &CaughtError) -> Option<String> {
    let CaughtError::PostgresError(report) = error else {
        return None;
    };
    let of_the_value = matches!(
        report.sql_error_code(),
        ERRCODE_UNTRANSLATABLE_CHARACTER
            | ERRCODE_CHARACTER_NOT_IN_REPERTOIRE
            | ERRCODE_INVALID_TEXT_REPRESENTATION
            | ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE
            | ERRCODE_FEATURE_NOT_SUPPORTED
            | ERRCODE_PROGRAM_LIMIT_EXCEEDED
            | ERRCODE_STATEMENT_TOO_COMPLEX
    );
    of_the_value.then(|| report.message().to_owned())
}

fn unreadable(reason: &str) -> pg_sys::Datum {
    let report = serde_json::json!({ "_unreadable": reason }).to_string();
    let report = CString::new(report).unwrap_or_default();
    read(report.as_ptr())
}

/// Raises what jsonb raises.
fn read(text: *const std::ffi::c_char) -> pg_sys::Datum {
    // SAFETY: jsonb_in takes a C string, never returns null, and keeps no pointer to it.
    let value =
        unsafe { pgrx::direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(pg_sys::Datum::from(text))]) };
    value.unwrap_or(pg_sys::Datum::null())
}
