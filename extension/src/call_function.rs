//! Running a `sql` hook's function as the hook's owner. SQL cannot do it: SET ROLE is refused to a function that runs
//! with other rights. The worker passes only a hook and an event, so it can choose neither what is run, nor as whom,
//! nor with what.

use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;
use pgrx::{PgTryBuilder, Uuid, pg_sys};

use crate::error::{Error, raise};
use crate::fence;
use crate::invoke::{given, invoke};

/// `zerodb._call_hook_function`: calls the function of a `sql` hook with the envelope of an event of the log, fenced.
/// Raises 42883 when the function is gone, 42704 when the owner is, P0002 when the event is, 42501 when the event is
/// none of the hook's, when the owner may not execute the function or it belongs to a role that it may not act for, and
/// whatever the function raises.
#[pg_extern(
    name = "_call_hook_function",
    sql = "
CREATE FUNCTION zerodb._call_hook_function(hook_id uuid, event_id text) RETURNS void
LANGUAGE c STRICT AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
"
)]
fn call_hook_function(hook_id: Uuid, event_id: &str) {
    let Call {
        owner,
        function,
        envelope,
    } = PgTryBuilder::new(|| fence::as_extension(|| prepare(hook_id, event_id)))
        .catch_others(|error| mark(error))
        .execute();
    fence::within(owner, fence::OF_USER, || {
        // Looked up as the owner: the worker's role need not see the schema.
        let found = resolve(owner, &function).unwrap_or_else(|error| raise(error));
        if !fence::as_extension(|| may_run(found, owner)) {
            raise(Error::FunctionOfAnother { function });
        }
        // SAFETY: the function was found by its one argument of type jsonb, which the envelope is.
        unsafe { invoke(found, &[given(envelope)]) };
    });
}

/// Raises an error of the preparation again, under the name by which the worker knows that the function was not called.
/// The transaction ends either way, so nothing has to be undone here.
fn mark(error: CaughtError) -> ! {
    const OF_THE_HOOK: [PgSqlErrorCode; 4] = [
        PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
        PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
        PgSqlErrorCode::ERRCODE_UNDEFINED_FUNCTION,
        PgSqlErrorCode::ERRCODE_UNTRANSLATABLE_CHARACTER,
    ];
    if let CaughtError::PostgresError(report) = &error
        && OF_THE_HOOK.contains(&report.sql_error_code())
    {
        raise(Error::Uncallable {
            sqlstate: report.sql_error_code(),
            message: report.message().to_owned(),
            detail: report.detail().map(str::to_owned),
        });
    }
    error.rethrow()
}

/// A call of a hook's function, before the function is looked up.
struct Call {
    owner: pg_sys::Oid,
    /// Its name, as the hook has it.
    function: String,
    /// The event, as jsonb.
    envelope: pg_sys::Datum,
}

fn prepare(hook_id: Uuid, event_id: &str) -> Call {
    let found = Spi::get_three_with_args::<pg_sys::Oid, String, pg_sys::Oid>(
        "SELECT f.owner, f.function, 'zerodb._hook_envelope(pg_catalog.uuid, pg_catalog.text)'::pg_catalog.regprocedure::pg_catalog.oid
         FROM zerodb._hook_function($1) AS f",
        &[hook_id.into()],
    );
    let Ok((Some(owner), Some(function), Some(maker))) = found else {
        raise(Error::NoHookFunction {
            function: "the hook's".into(),
        });
    };
    let arguments = [hook_id.into_datum(), event_id.into_datum()]
        .map(|argument| given(argument.unwrap_or(pg_sys::Datum::null())));
    // SAFETY: the arguments are of the types that the function was found by. By a call and not by a query, so that
    // every digit of a number stays.
    let envelope = unsafe { invoke(maker, &arguments) }.value;
    Call {
        owner,
        function,
        envelope,
    }
}

fn may_run(function: pg_sys::Oid, owner: pg_sys::Oid) -> bool {
    let may =
        Spi::get_one_with_args::<bool>("SELECT zerodb._may_run($1, $2)", &[function.into(), owner.into()]);
    matches!(may, Ok(Some(true)))
}

/// The function as the current role sees it, if that role may execute it.
fn resolve(owner: pg_sys::Oid, function: &str) -> Result<pg_sys::Oid, Error> {
    // Only a list of arguments ends so: a name that does is quoted.
    let named = if function.trim_end().ends_with(')') {
        function.to_owned()
    } else {
        format!("{function}(pg_catalog.jsonb)")
    };
    let executable = Spi::get_two_with_args::<pg_sys::Oid, bool>(
        "SELECT p.oid, pg_catalog.has_function_privilege(p.oid, 'EXECUTE'::pg_catalog.text)
         FROM pg_catalog.pg_proc AS p WHERE p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure($1)
             AND p.pronargs OPERATOR(pg_catalog.=) 1::pg_catalog.int2
             AND p.proargtypes[0] OPERATOR(pg_catalog.=) 'pg_catalog.jsonb'::pg_catalog.regtype",
        &[named.into()],
    );
    match executable {
        Ok((Some(oid), Some(true))) => Ok(oid),
        Ok((Some(_), _)) => Err(Error::OwnerMayNotExecute {
            owner: name_of(owner),
            function: function.into(),
        }),
        _ => Err(Error::NoHookFunction {
            function: function.into(),
        }),
    }
}

fn name_of(role: pg_sys::Oid) -> String {
    // SAFETY: with `noerr` the answer is a palloc'd C string or null.
    unsafe {
        let name = pg_sys::GetUserNameFromId(role, true);
        if name.is_null() {
            return role.to_u32().to_string();
        }
        std::ffi::CStr::from_ptr(name).to_string_lossy().into_owned()
    }
}
