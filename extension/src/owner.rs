//! Reading and writing a user's table for a handler. SQL cannot do it: SET ROLE is refused to a function
//! that runs with other rights. The worker passes a hook, a table, an action and values; as whom, by which statement
//! and whether at all is found out by `zerodb._admit_action`, with the rights of the extension's owner. It must know
//! nothing of what the actions do.

use std::ffi::CString;

use pgrx::prelude::*;
use pgrx::{JsonB, pg_sys};
use serde_json::Value;

use crate::error::{Error, raise};
use crate::fence;
use crate::invoke::{RawJson, given, invoke};
use crate::statement;

const HOOK_ID: usize = 0;
const RELID: usize = 1;
const ACTION: usize = 2;
const ARGS: usize = 3;
const VECTORS: usize = 4;

entry!(pg_finfo_zerodb_as_owner);

/// An action as it was admitted: the role to act as, the plan of its statements for this hook and table, and the
/// function to call, where it is no statement of the plan.
struct Admitted {
    role: pg_sys::Oid,
    function: Option<pg_sys::Oid>,
    plan: JsonB,
}

/// `zerodb._as_owner`: runs an action of a hook on a table, fenced, with the rights of the table's owner where the
/// hook's owner may act for it, and with those of the hook's owner otherwise. Raises 42501 for a table that is not
/// watched for the hook, an action that is not its handler's, a role that may not; 42P01 when the table is gone, 42704
/// when the hook's owner is, and whatever the action raises. Locks the table in ACCESS SHARE before it looks whose it
/// is.
///
/// # Safety
/// Called by Postgres with the five arguments of its declaration.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn zerodb_as_owner(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the declaration has five arguments; the first four are tested for null here.
    unsafe {
        let arguments = (*fcinfo).args.as_slice(5);
        if arguments[..VECTORS].iter().any(|argument| argument.isnull) {
            raise(Error::NullArgument);
        }
        let relid = pg_sys::Oid::from_datum(arguments[RELID].value, false).unwrap_or(pg_sys::InvalidOid);
        // So that its owner stays the same until the end of the transaction.
        pg_sys::LockRelationOid(relid, pg_sys::AccessShareLock.cast_signed());
        let Admitted { role, function, plan } = fence::as_extension(|| admit(arguments));
        let answer = fence::within(role, fence::CATALOG, || match function {
            Some(function) => {
                let plan = plan.into_datum().unwrap_or(pg_sys::Datum::null());
                invoke(
                    function,
                    &[given(plan), arguments[RELID], arguments[ARGS], arguments[VECTORS]],
                )
            }
            None => {
                let value = act(&plan.0, &[arguments[ARGS], arguments[VECTORS]]);
                pg_sys::NullableDatum {
                    value: value.unwrap_or(pg_sys::Datum::null()),
                    isnull: value.is_none(),
                }
            }
        });
        (*fcinfo).isnull = answer.isnull;
        answer.value
    }
}

/// Runs the statements of a plan for its tenant. One gives the answer. Of several the first must find its row, or the
/// answer is false; 40001 where a later one answers false; else the answer is true.
///
/// # Safety
/// Within the fence, and the arguments are of the types of the statements' parameters.
unsafe fn act(plan: &Value, arguments: &[pg_sys::NullableDatum; 2]) -> Option<pg_sys::Datum> {
    let tenant = plan["acts_for"].as_str().unwrap_or_default();
    // SAFETY: handed on from the caller. Statements answer with jsonb, in memory that lives through the call.
    unsafe {
        let tenant = CString::new(tenant).unwrap_or_default();
        fence::set(c"zerodb.user_id", &tenant);
        if let Some(statement) = plan["statements"].as_str() {
            return statement::run(statement, arguments);
        }
        let steps = plan["statements"].as_array().map_or(&[][..], Vec::as_slice);
        for (at, step) in steps.iter().filter_map(Value::as_str).enumerate() {
            let answer = statement::run(step, arguments);
            if at == 0 && answer.is_none() {
                return JsonB(Value::Bool(false)).into_datum();
            }
            let is_false = answer.is_some_and(|answer| is_false(answer));
            if is_false {
                raise(Error::ChunksChanged);
            }
        }
        JsonB(Value::Bool(true)).into_datum()
    }
}

/// # Safety
/// A value of jsonb.
unsafe fn is_false(answer: pg_sys::Datum) -> bool {
    // SAFETY: handed on from the caller.
    unsafe { JsonB::from_datum(answer, false) }.is_some_and(|answer| answer.0 == Value::Bool(false))
}

/// # Safety
/// The first four arguments are those of the declaration, and not null.
unsafe fn admit(arguments: &[pg_sys::NullableDatum]) -> Admitted {
    // SAFETY: each is read as the type that it is declared with.
    let (hook_id, relid, action) = unsafe {
        (
            pgrx::Uuid::from_datum(arguments[HOOK_ID].value, false),
            pg_sys::Oid::from_datum(arguments[RELID].value, false),
            String::from_datum(arguments[ACTION].value, false),
        )
    };
    let found = Spi::get_three_with_args::<pg_sys::Oid, pg_sys::Oid, JsonB>(
        "SELECT a.role, a.function, a.plan FROM zerodb._admit_action($1, $2, $3, $4) AS a",
        &[
            hook_id.into(),
            relid.into(),
            action.into(),
            RawJson(arguments[ARGS].value).into(),
        ],
    );
    let Ok((Some(role), function, Some(plan))) = found else {
        raise(Error::NotInstalled);
    };
    Admitted { role, function, plan }
}
