//! Reading and writing a user's table for a first-party handler. SQL cannot do it: SET ROLE is refused to a function that
//! runs with other rights. The worker passes a hook and a table, so it cannot choose as whom; and it can call only the
//! functions `zerodb._do_…`, so it cannot choose what is run. It must know nothing of what those functions do.

use std::ffi::CString;

use pgrx::prelude::*;
use pgrx::{Uuid, pg_sys};

use crate::error::{Error, raise};

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

/// `zerodb._as_owner`: runs `zerodb._do_<action>` on a table with the rights of the table's owner where the hook's owner may act
/// for him, and with those of the hook's owner otherwise. Raises 42501 when the table's owner is neither the hook's owner, nor
/// one he may act for, nor above him: the table's own triggers would run with his rights. Raises 42P01 when the table is
/// gone, 42704 when the hook's owner is, and whatever the function raises.
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
        let hook_id =
            Uuid::from_datum(arguments[HOOK_ID].value, false).unwrap_or_else(|| raise(Error::NullArgument));
        let relid = pg_sys::Oid::from_datum(arguments[RELID].value, false).unwrap_or(pg_sys::InvalidOid);
        let action = String::from_datum(arguments[ACTION].value, false).unwrap_or_default();
        let role = acting_role(hook_id, relid).unwrap_or_else(|error| raise(error));
        let function = resolve(&action).unwrap_or_else(|error| raise(error));
        let (mut user, mut context) = (pg_sys::InvalidOid, 0);
        pg_sys::GetUserIdAndSecContext(&raw mut user, &raw mut context);
        let restricted = pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_RESTRICTED_OPERATION;
        // The previous identity comes back below; on an error the transaction's abort restores it.
        pg_sys::SetUserIdAndSecContext(role, context | restricted as i32);
        let forwarded = [
            arguments[HOOK_ID],
            arguments[RELID],
            arguments[ARGS],
            arguments[VECTORS],
        ];
        let (value, is_null) = call(function, &forwarded);
        pg_sys::SetUserIdAndSecContext(user, context);
        (*fcinfo).isnull = is_null;
        value
    }
}

/// The role to act as.
fn acting_role(hook_id: Uuid, relid: pg_sys::Oid) -> Result<pg_sys::Oid, Error> {
    let owner = Spi::get_one_with_args::<String>(
        "SELECT r.rolname::pg_catalog.text FROM zerodb.hook_detail AS d
         JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) d.owner WHERE d.hook_id OPERATOR(pg_catalog.=) $1",
        &[hook_id.into()],
    );
    let Ok(Some(owner)) = owner else {
        return Err(Error::OwnerMissing {
            owner: "unknown".into(),
        });
    };
    let hook_owner = role(&owner).ok_or_else(|| Error::OwnerMissing { owner: owner.clone() })?;
    let table_owner = Spi::get_two_with_args::<pg_sys::Oid, bool>(
        "SELECT c.relowner, r.rolsuper OR r.oid OPERATOR(pg_catalog.=) d.datdba OR r.oid OPERATOR(pg_catalog.=) e.extowner
         FROM pg_catalog.pg_class AS c
         JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) c.relowner
         JOIN pg_catalog.pg_database AS d ON d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
         JOIN pg_catalog.pg_extension AS e ON e.extname OPERATOR(pg_catalog.=) 'zerodb_hooks'
         WHERE c.oid OPERATOR(pg_catalog.=) $1",
        &[relid.into()],
    );
    let Ok((Some(table_owner), Some(is_above))) = table_owner else {
        return Err(Error::TableGone);
    };
    // SAFETY: a catalog look-up by two roles that exist.
    if unsafe { pg_sys::has_privs_of_role(hook_owner, table_owner) } {
        Ok(table_owner)
    } else if is_above {
        Ok(hook_owner)
    } else {
        Err(Error::TableOfAnother { owner })
    }
}

fn role(name: &str) -> Option<pg_sys::Oid> {
    let name = CString::new(name).ok()?;
    // SAFETY: a catalog look-up by a C string.
    let found = unsafe { pg_sys::get_role_oid(name.as_ptr(), true) };
    (found != pg_sys::InvalidOid).then_some(found)
}

/// The function of an action.
fn resolve(action: &str) -> Result<pg_sys::Oid, Error> {
    let unknown = || Error::UnknownAction {
        action: action.into(),
    };
    if !action.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        return Err(unknown());
    }
    Spi::get_one_with_args::<pg_sys::Oid>(
        "SELECT pg_catalog.to_regprocedure($1)::pg_catalog.oid",
        &[format!("zerodb._do_{action}(uuid, oid, jsonb, real[])").into()],
    )
    .ok()
    .flatten()
    .ok_or_else(unknown)
}

/// Calls a function of four arguments.
unsafe fn call(function: pg_sys::Oid, arguments: &[pg_sys::NullableDatum; 4]) -> (pg_sys::Datum, bool) {
    // SAFETY: the call's memory holds four arguments, and the guard turns an error into a panic at this side.
    unsafe {
        let mut description = pg_sys::FmgrInfo::default();
        pg_sys::fmgr_info(function, &raw mut description);
        let size = size_of::<pg_sys::FunctionCallInfoBaseData>() + 4 * size_of::<pg_sys::NullableDatum>();
        let info = pg_sys::palloc0(size).cast::<pg_sys::FunctionCallInfoBaseData>();
        (*info).flinfo = &raw mut description;
        (*info).fncollation = pg_sys::DEFAULT_COLLATION_OID;
        (*info).nargs = 4;
        (*info).args.as_mut_slice(4).copy_from_slice(arguments);
        let Some(address) = description.fn_addr else {
            return (pg_sys::Datum::null(), true);
        };
        let value = pg_sys::ffi::pg_guard_ffi_boundary(|| address(info));
        (value, (*info).isnull)
    }
}
