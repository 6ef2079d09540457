//! Runs one statement of this extension's on a user's table. Its own names are those of pg_catalog, whatever lies in
//! other schemas: it is analysed under that path alone. Planned and run it is under the path that the acting role's
//! sessions have by default, because from there on the names are those of users: in triggers, in the functions of
//! defaults, policies and indexes. Must be called within the fence, and must not know what the statements do.

use std::ffi::{CStr, c_void};
use std::panic::AssertUnwindSafe;
use std::ptr::null_mut;

use pgrx::PgTryBuilder;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::pg_sys::{self, AsPgCStr, Datum};
use pgrx::prelude::*;

use crate::error::{Error, raise};
use crate::fence;
use crate::retell::retell;

/// The types of the two parameters that each statement has.
const PARAMETERS: [pg_sys::Oid; 2] = [pg_sys::JSONBOID, pg_sys::FLOAT4ARRAYOID];

/// Runs it. The first column of its first row, of a type by reference, in the caller's memory; `None` where there is no
/// row, or null. Raises what it raises; what users' code raises with the place where it did.
///
/// # Safety
/// Within the fence, and the arguments are of the types of the parameters.
pub unsafe fn run(text: &str, arguments: &[pg_sys::NullableDatum; 2]) -> Option<Datum> {
    // SAFETY: handed on from the caller. The text is a C string in the caller's memory, which outlives the statement;
    // so do the trees that are made of it there. The snapshot is popped where it was pushed, or by the abort.
    unsafe {
        fence::set(c"search_path", fence::CATALOG);
        let source: *const std::ffi::c_char = text.as_pg_cstr();
        pg_sys::CommandCounterIncrement();
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        let query = analyse(source);
        fence::set(c"search_path", fence::OF_USER);
        let parameters = parameters(arguments);
        let plan = pg_sys::pg_plan_query(query, source, 0, parameters);
        let answer = execute(plan, source, parameters);
        pg_sys::PopActiveSnapshot();
        pg_sys::CommandCounterIncrement();
        fence::set(c"search_path", fence::CATALOG);
        answer
    }
}

/// # Safety
/// The source is a C string that lives as long as the tree.
unsafe fn analyse(source: *const std::ffi::c_char) -> *mut pg_sys::Query {
    // SAFETY: the parser gives a list of raw statements, the analysis a list of queries.
    unsafe {
        let statements = pgrx::PgList::<pg_sys::RawStmt>::from_pg(pg_sys::pg_parse_query(source));
        let Some(statement) = statements.get_ptr(0).filter(|_| statements.len() == 1) else {
            raise(Error::NotInstalled);
        };
        let types = PARAMETERS.as_ptr();
        let count = PARAMETERS.len() as i32;
        let queries = pg_sys::pg_analyze_and_rewrite_fixedparams(statement, source, types, count, null_mut());
        let queries = pgrx::PgList::<pg_sys::Query>::from_pg(queries);
        let query = queries.get_ptr(0).filter(|_| queries.len() == 1);
        query.unwrap_or_else(|| raise(Error::RuleOnTable))
    }
}

/// # Safety
/// The arguments are of the parameters' types, and live as long as the list.
unsafe fn parameters(arguments: &[pg_sys::NullableDatum; 2]) -> pg_sys::ParamListInfo {
    // SAFETY: the list has room for as many entries as it is made for.
    unsafe {
        let list = pg_sys::makeParamList(PARAMETERS.len() as i32);
        let entries = (*list).params.as_mut_slice(PARAMETERS.len());
        for ((entry, argument), ptype) in entries.iter_mut().zip(arguments).zip(PARAMETERS) {
            *entry = pg_sys::ParamExternData {
                value: argument.value,
                isnull: argument.isnull,
                pflags: pg_sys::PARAM_FLAG_CONST as u16,
                ptype,
            };
        }
        list
    }
}

/// # Safety
/// The plan was made of the source with the parameters, and a snapshot is active.
unsafe fn execute(
    plan: *mut pg_sys::PlannedStmt,
    source: *const std::ffi::c_char,
    parameters: pg_sys::ParamListInfo,
) -> Option<Datum> {
    let mut answer = Answer::new();
    // SAFETY: the receiver lives until the executor has ended. An error frees all with the context.
    unsafe {
        let snapshot = pg_sys::GetActiveSnapshot();
        let receiver = (&raw mut answer).cast::<pg_sys::DestReceiver>();
        let query = pg_sys::CreateQueryDesc(
            plan,
            source,
            snapshot,
            null_mut(),
            receiver,
            parameters,
            null_mut(),
            0,
        );
        // Here it is asked whether the role may; that is no fault of the table's code.
        pg_sys::ExecutorStart(query, 0);
        told(|| {
            let forward = pg_sys::ScanDirection::ForwardScanDirection;
            #[cfg(feature = "pg18")]
            pg_sys::ExecutorRun(query, forward, 0);
            #[cfg(not(feature = "pg18"))]
            pg_sys::ExecutorRun(query, forward, 0, true);
            pg_sys::ExecutorFinish(query);
        });
        pg_sys::ExecutorEnd(query);
        pg_sys::FreeQueryDesc(query);
    }
    answer.value
}

/// Takes the first value of the first row.
#[repr(C)]
struct Answer {
    receiver: pg_sys::DestReceiver,
    context: pg_sys::MemoryContext,
    value: Option<Datum>,
}

impl Answer {
    fn new() -> Self {
        Self {
            receiver: pg_sys::DestReceiver {
                receiveSlot: Some(take),
                rStartup: Some(begin),
                rShutdown: Some(end),
                rDestroy: Some(end),
                mydest: pg_sys::CommandDest::DestNone,
            },
            // SAFETY: only reads which context is current; it is the caller's.
            context: unsafe { pg_sys::CurrentMemoryContext },
            value: None,
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn take(
    tuple_slot: *mut pg_sys::TupleTableSlot,
    receiver: *mut pg_sys::DestReceiver,
) -> bool {
    // SAFETY: the receiver is the first part of an Answer, and the TupleTableSlot holds a row of at least one column.
    unsafe {
        let answer = &mut *receiver.cast::<Answer>();
        pg_sys::slot_getsomeattrs(tuple_slot, 1);
        if answer.value.is_none() && !*(*tuple_slot).tts_isnull {
            let before = pg_sys::MemoryContextSwitchTo(answer.context);
            let value = pg_sys::pg_detoast_datum_copy((*(*tuple_slot).tts_values).cast_mut_ptr());
            answer.value = Some(Datum::from(value));
            pg_sys::MemoryContextSwitchTo(before);
        }
        true
    }
}

unsafe extern "C-unwind" fn begin(
    _receiver: *mut pg_sys::DestReceiver,
    _operation: i32,
    _row: pg_sys::TupleDesc,
) {
}

unsafe extern "C-unwind" fn end(_receiver: *mut pg_sys::DestReceiver) {}

/// The place where an error was raised: the lines of its CONTEXT, in memory that outlives the statement.
struct Place {
    context: pg_sys::MemoryContext,
    lines: *const std::ffi::c_char,
}

/// Runs what may call users' code. An error of it says where it was raised, which is lost once it has passed through
/// Rust.
fn told(work: impl FnOnce()) {
    // SAFETY: the callback lies in this frame and leaves the server's list before the frame ends, also after an error;
    // so does the place that it points to, and nothing else touches either meanwhile.
    unsafe {
        let mut place = Place {
            context: pg_sys::CurrentMemoryContext,
            lines: null_mut(),
        };
        let place = &raw mut place;
        let previous = pg_sys::error_context_stack;
        let mut callback = pg_sys::ErrorContextCallback {
            previous,
            callback: Some(note_place),
            arg: place.cast(),
        };
        pg_sys::error_context_stack = &raw mut callback;
        PgTryBuilder::new(AssertUnwindSafe(work))
            .catch_others(|caught| {
                pg_sys::error_context_stack = previous;
                match caught {
                    CaughtError::PostgresError(report) => retell(&report, lines_of(&*place).as_deref()),
                    other => other.rethrow(),
                }
            })
            .finally(|| pg_sys::error_context_stack = previous)
            .execute();
    }
}

/// Called by the server while it reports an error, after all that are further in.
#[pg_guard]
unsafe extern "C-unwind" fn note_place(place: *mut c_void) {
    // SAFETY: the place lives as long as the callback is listed. The copy is made of the report at hand, outside of the
    // memory for errors, as the server asks.
    unsafe {
        let place = &mut *place.cast::<Place>();
        let before = pg_sys::MemoryContextSwitchTo(place.context);
        let report = pg_sys::CopyErrorData();
        if (*report).elevel >= PgLogLevel::ERROR as i32 {
            place.lines = (*report).context;
        }
        pg_sys::MemoryContextSwitchTo(before);
    }
}

fn lines_of(place: &Place) -> Option<String> {
    if place.lines.is_null() {
        return None;
    }
    // SAFETY: a C string in memory that has not been freed.
    let lines = unsafe { CStr::from_ptr(place.lines) };
    Some(lines.to_string_lossy().into_owned())
}
