//! The data of an event as jsonb, for what reads the events of many. The log holds it as json, which takes what jsonb
//! does not: `"\u0000"`, half of a surrogate pair, a number beyond the range of numeric. One such row must not make a
//! query over all of them fail. In C, because a handler of PL/pgSQL opens a subtransaction for each row and forbids
//! parallel plans.

use std::ffi::CStr;

use pgrx::PgSqlErrorCode::*;
use pgrx::PgTryBuilder;
use pgrx::StringInfo;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;

/// The largest JSON, in bytes, that a report quotes.
const LARGEST_TEXT: usize = 16 << 20;

entry!(pg_finfo_zerodb_event_data);

/// `zerodb._event_data`: the data, or `{"_unreadable": "<reason>", "_text": "<the JSON>"}` where jsonb cannot hold it.
/// Raises nothing but what has nothing to do with the value, such as a cancellation.
///
/// # Safety
/// Called by Postgres with the one argument of its declaration, which is STRICT.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn zerodb_event_data(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the declaration has one argument, a json, which is a varlena and not null; its copy lives in the call's
    // context.
    let text = unsafe {
        let argument = (*fcinfo).args.as_slice(1)[0].value;
        pg_sys::text_to_cstring(argument.cast_mut_ptr())
    };
    PgTryBuilder::new(|| read(text))
        .catch_others(move |error| match reason(&error) {
            // SAFETY: the copy lives in the call's context, and the end of its error has freed nothing of that.
            Some(reason) => unreadable(&reason, unsafe { CStr::from_ptr(text) }),
            None => error.rethrow(),
        })
        .execute()
}

/// Why a value cannot be read; `None` for an error that is not the value's. Reading it allocates and calculates, and
/// nothing else, so that nothing of it needs the abort of a subtransaction.
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

/// `{"_unreadable": "<reason>", "_text": "<the JSON>"}`, without the text where that is large.
fn unreadable(reason: &str, text: &CStr) -> pg_sys::Datum {
    let mut report = StringInfo::new();
    report.push_str("{\"_unreadable\": \"");
    push_quoted(&mut report, reason.as_bytes());
    if text.count_bytes() <= LARGEST_TEXT {
        report.push_str("\", \"_text\": \"");
        push_quoted(&mut report, text.to_bytes());
    }
    report.push_str("\"}");
    // It ends in a zero, as every StringInfo does.
    read(report.as_ptr())
}

/// A text of the server's encoding, whatever that is: no encoding of a server has these signs within others.
fn push_quoted(out: &mut StringInfo, text: &[u8]) {
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.push_bytes(&[b'\\', byte]),
            0..=0x1f => out.push_str(&format!("\\u{byte:04x}")),
            _ => out.push_bytes(&[byte]),
        }
    }
}

/// Raises what jsonb raises.
fn read(text: *const std::ffi::c_char) -> pg_sys::Datum {
    // SAFETY: jsonb_in takes a C string, never returns null, and keeps no pointer to it.
    let value =
        unsafe { pgrx::direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(pg_sys::Datum::from(text))]) };
    value.unwrap_or(pg_sys::Datum::null())
}
