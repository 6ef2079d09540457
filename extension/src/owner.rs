//! Reading and writing a user's table for a first-party handler. SQL cannot do it: SET ROLE is refused to a function that
//! runs with other rights. The worker passes a hook, a table, an action and values; as whom, by which statement and whether at all is
//! found out by `zerodb._admit_action`, with the rights of the extension's owner. It must know nothing of what the actions do.

use pgrx::prelude::*;
use pgrx::{JsonB, pg_sys};

use crate::error::{Error, raise};
use crate::fence;
use crate::invoke::{RawJson, given, invoke};

const HOOK_ID: usize = 0;
const RELID: usize = 1;
const ACTION: usize = 2;
const ARGS: usize = 3;
const VECTORS: usize = 4;

#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_zerodb_as_owner() -> &'static pg_sys::Pg_finfo_record {
    const V1: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
    &V1
}

/// What an action is to be: the role to act as, the function to call, and what it is to know of hook and table.
struct Admitted {
    role: pg_sys::Oid,
    function: pg_sys::Oid,
    plan: JsonB,
}

/// `zerodb._as_owner`: runs an action of a hook on a table, fenced, with the rights of the table's owner where the hook's owner may act
/// for him, and with those of the hook's owner otherwise. Raises 42501 for a table that is not watched for the hook, an action
/// that is not its handler's, a role that may not; 42P01 when the table is gone, 42704 when the hook's owner is, and whatever
/// the action raises. Locks the table in ACCESS SHARE before it looks whose it is.
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
        // So that its owner stays who he is until the end of the transaction.
        pg_sys::LockRelationOid(relid, pg_sys::AccessShareLock.cast_signed());
        let admitted = fence::as_extension(|| admit(arguments));
        let plan = admitted.plan.into_datum().unwrap_or(pg_sys::Datum::null());
        let forwarded = [given(plan), arguments[RELID], arguments[ARGS], arguments[VECTORS]];
        let act = || invoke(admitted.function, &forwarded);
        let (value, is_null) = fence::within(admitted.role, fence::CATALOG, act);
        (*fcinfo).isnull = is_null;
        value
    }
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
    let Ok((Some(role), Some(function), Some(plan))) = found else {
        raise(Error::NotInstalled);
    };
    Admitted { role, function, plan }
}
