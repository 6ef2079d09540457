//! Running a `sql` hook's function as the hook's owner. SQL cannot do it: SET ROLE is refused to a function that runs
//! with other rights. The worker passes only the hook's id, so it cannot choose what is run, nor as whom.

use std::ffi::CString;

use pgrx::prelude::*;
use pgrx::{JsonB, Uuid, pg_sys};

use crate::error::{Error, raise};

/// `zerodb._call_hook_function`: calls the function of a `sql` hook with an envelope. Raises 42883 when the function
/// is gone, 42704 when the owner is, 42501 when he may not execute it, and whatever the function raises.
#[pg_extern(name = "_call_hook_function")]
fn call_hook_function(hook_id: Uuid, envelope: JsonB) {
    let (owner, function) = owner_and_function(hook_id).unwrap_or_else(|error| raise(error));
    let owner_oid = role(&owner).unwrap_or_else(|| raise(Error::OwnerMissing { owner: owner.clone() }));
    let argument = envelope.into_datum().unwrap_or(pg_sys::Datum::null());
    // SAFETY: the previous identity comes back on return; on an error the transaction's abort restores it.
    unsafe {
        let (mut user, mut context) = (pg_sys::InvalidOid, 0);
        pg_sys::GetUserIdAndSecContext(&raw mut user, &raw mut context);
        pg_sys::SetUserIdAndSecContext(owner_oid, context | pg_sys::SECURITY_LOCAL_USERID_CHANGE as i32);
        // Looked up as the owner: the worker's role need not see the schema.
        call(
            resolve(owner, function).unwrap_or_else(|error| raise(error)),
            argument,
        );
        pg_sys::SetUserIdAndSecContext(user, context);
    }
}

fn owner_and_function(hook_id: Uuid) -> Result<(String, String), Error> {
    let found = Spi::get_two_with_args::<String, String>(
        "SELECT (SELECT r.rolname FROM pg_catalog.pg_roles AS r WHERE r.oid OPERATOR(pg_catalog.=) d.owner)::pg_catalog.text, h.hook_config OPERATOR(pg_catalog.->>) 'function'
         FROM zerodb.zerodb_hooks AS h JOIN zerodb.hook_detail AS d ON d.hook_id OPERATOR(pg_catalog.=) h.id
         WHERE h.id OPERATOR(pg_catalog.=) $1",
        &[hook_id.into()],
    );
    match found {
        Ok((Some(owner), Some(function))) => Ok((owner, function)),
        _ => Err(Error::NoHookFunction {
            function: "the hook's".into(),
        }),
    }
}

fn role(name: &str) -> Option<pg_sys::Oid> {
    let name = CString::new(name).ok()?;
    // SAFETY: a catalog look-up by a C string.
    let found = unsafe { pg_sys::get_role_oid(name.as_ptr(), true) };
    (found != pg_sys::InvalidOid).then_some(found)
}

/// The function as the current role sees it, if that role may execute it.
fn resolve(owner: String, function: String) -> Result<pg_sys::Oid, Error> {
    let executable = Spi::get_two_with_args::<pg_sys::Oid, bool>(
        "SELECT p::oid, pg_catalog.has_function_privilege(p::oid, 'EXECUTE') FROM pg_catalog.to_regprocedure($1) AS p",
        &[format!("{function}(jsonb)").into()],
    );
    match executable {
        Ok((Some(oid), Some(true))) => Ok(oid),
        Ok((Some(_), _)) => Err(Error::OwnerMayNotExecute { owner, function }),
        _ => Err(Error::NoHookFunction { function }),
    }
}

/// Calls a function of one argument and forgets its result, which may be null.
unsafe fn call(function: pg_sys::Oid, argument: pg_sys::Datum) {
    // SAFETY: the call's memory holds one argument, and the guard turns an error into a panic at this side.
    unsafe {
        let mut description = pg_sys::FmgrInfo::default();
        pg_sys::fmgr_info(function, &raw mut description);
        let size = size_of::<pg_sys::FunctionCallInfoBaseData>() + size_of::<pg_sys::NullableDatum>();
        let info = pg_sys::palloc0(size).cast::<pg_sys::FunctionCallInfoBaseData>();
        (*info).flinfo = &raw mut description;
        (*info).fncollation = pg_sys::DEFAULT_COLLATION_OID;
        (*info).nargs = 1;
        *(*info).args.as_mut_ptr() = pg_sys::NullableDatum {
            value: argument,
            isnull: false,
        };
        if let Some(address) = description.fn_addr {
            pg_sys::ffi::pg_guard_ffi_boundary(|| address(info));
        }
    }
}
