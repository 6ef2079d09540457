//! Running a `sql` hook's function as the hook's owner. SQL cannot do it: SET ROLE is refused to a function that runs
//! with other rights. The worker passes only the hook's id, so it cannot choose what is run, nor as whom.

use std::ffi::CString;

use pgrx::prelude::*;
use pgrx::{JsonB, Uuid, pg_sys};

use crate::error::{Error, raise};

/// `zerodb._caller`: the role that acts for the client, also inside a function that runs with its owner's rights.
#[pg_extern(name = "_caller", stable, sql = "
CREATE FUNCTION zerodb._caller() RETURNS name LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
")]
fn caller() -> &'static std::ffi::CStr {
    // SAFETY: the role exists, or GetUserNameFromId raises; the name is palloc'd in the call's context.
    unsafe { std::ffi::CStr::from_ptr(pg_sys::GetUserNameFromId(pg_sys::GetOuterUserId(), false)) }
}

/// `zerodb._call_hook_function`: calls the function of a `sql` hook with an envelope. Raises 42883 when the function
/// is gone, 42704 when the owner is, 42501 when he may not execute it, and whatever the function raises.
#[pg_extern(name = "_call_hook_function")]
fn call_hook_function(hook_id: Uuid, envelope: JsonB) {
    let (owner, function) = match owner_and_function(hook_id) {
        Ok(found) => found,
        Err(error) => raise(error),
    };
    // SAFETY: the previous identity comes back on return; on an error the transaction's abort restores it.
    unsafe {
        let (mut user, mut context) = (pg_sys::InvalidOid, 0);
        pg_sys::GetUserIdAndSecContext(&raw mut user, &raw mut context);
        pg_sys::SetUserIdAndSecContext(owner, context | pg_sys::SECURITY_LOCAL_USERID_CHANGE as i32);
        let argument = envelope.into_datum().unwrap_or(pg_sys::Datum::null());
        pg_sys::OidFunctionCall1Coll(function, pg_sys::DEFAULT_COLLATION_OID, argument);
        pg_sys::SetUserIdAndSecContext(user, context);
    }
}

fn owner_and_function(hook_id: Uuid) -> Result<(pg_sys::Oid, pg_sys::Oid), Error> {
    let found = Spi::get_two_with_args::<String, String>(
        "SELECT d.owner::text, h.hook_config OPERATOR(pg_catalog.->>) 'function'
         FROM zerodb.zerodb_hooks AS h JOIN zerodb.hook_detail AS d ON d.hook_id OPERATOR(pg_catalog.=) h.id
         WHERE h.id OPERATOR(pg_catalog.=) $1",
        &[hook_id.into()],
    );
    let (owner, function) = match found {
        Ok((Some(owner), Some(function))) => (owner, function),
        _ => return Err(Error::NoHookFunction { function: "the hook's".into() }),
    };
    let owner_name = CString::new(owner.as_str()).unwrap_or_default();
    // SAFETY: a catalog look-up by a C string.
    let owner_oid = unsafe { pg_sys::get_role_oid(owner_name.as_ptr(), true) };
    if owner_oid == pg_sys::InvalidOid {
        return Err(Error::OwnerMissing { owner });
    }
    let signature = format!("{function}(jsonb)");
    let executable = Spi::get_two_with_args::<pg_sys::Oid, bool>(
        "SELECT p::oid, pg_catalog.has_function_privilege($2, p::oid, 'EXECUTE') FROM pg_catalog.to_regprocedure($1) AS p",
        &[signature.into(), owner_oid.into()],
    );
    match executable {
        Ok((Some(oid), Some(true))) => Ok((owner_oid, oid)),
        Ok((Some(_), _)) => Err(Error::OwnerMayNotExecute { owner, function }),
        _ => Err(Error::NoHookFunction { function }),
    }
}
