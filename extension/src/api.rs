//! The door to what writes the extension's own tables. Users have no DML on them: an API function is declared in C,
//! notes who the current user is at that moment, and calls its inner function `zerodb._<name>(caller, …)` with the
//! rights of the extension's owner. The inner function decides by `caller` alone. This file must not know what any of
//! them does.
//!
//! A function of SQL with SECURITY DEFINER could not do it: once inside, it is told only the outer or the session's
//! user, who is somebody else where ANALYZE, a foreign key or another definer's function runs a user's code.

use std::ffi::{CStr, CString};

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::caller;
use crate::error::{Error, raise};

entry!(pg_finfo_zerodb_api);

entry!(pg_finfo_zerodb_api_anywhere);

/// The entry of every API function that makes or changes what acts later. Raises 42501 inside a security-restricted
/// operation: there the current user runs code that somebody else has set off, and nobody means to make a hook.
///
/// # Safety
/// Called by Postgres with the arguments of a declaration that has an inner function beside it.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zerodb_api(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: handed on from Postgres.
    unsafe { enter(fcinfo, true) }
}

/// The entry of an API function that only records what happens, such as `emit`: a user's trigger may call it while a
/// handler writes the user's table.
///
/// # Safety
/// The same as for `zerodb_api`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zerodb_api_anywhere(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: handed on from Postgres.
    unsafe { enter(fcinfo, false) }
}

/// The inner function of one call site. Allocated in `fn_mcxt`, which lives as long as the call site's FmgrInfo.
struct Inner {
    description: pg_sys::FmgrInfo,
    owner: pg_sys::Oid,
}

/// A call that is ready to be made, and who makes it. All of it is plain memory.
#[derive(Clone, Copy)]
struct Prepared {
    call: pg_sys::FunctionCallInfo,
    address: pg_sys::PGFunction,
    caller: pg_sys::Oid,
    context: i32,
}

/// Calls the inner function with the current user before the arguments, as the extension's owner. An error of the inner
/// function passes through as it was raised: by a jump over this frame and its two callers, which hold nothing to be
/// dropped and are therefore not guarded (a guard would put a backtrace of this library into the error's detail).
/// Whatever can raise in Rust is in `prepare`, which is.
unsafe fn enter(fcinfo: pg_sys::FunctionCallInfo, refuse_restricted: bool) -> pg_sys::Datum {
    // SAFETY: `prepare` has filled the call; its memory is palloc'd. The previous identity comes back here; on an error
    // the (sub)transaction's abort restores it, as for SECURITY DEFINER.
    unsafe {
        let prepared = prepare(fcinfo, refuse_restricted);
        let Some(address) = (*prepared).address else {
            return pg_sys::Datum::null();
        };
        let value = address((*prepared).call);
        caller::leave();
        pg_sys::SetUserIdAndSecContext((*prepared).caller, (*prepared).context);
        (*fcinfo).isnull = (*(*prepared).call).isnull;
        pg_sys::pfree((*prepared).call.cast());
        pg_sys::pfree(prepared.cast());
        value
    }
}

/// Builds the call and switches to the extension's owner.
#[pg_guard]
unsafe extern "C-unwind" fn prepare(
    fcinfo: pg_sys::FunctionCallInfo,
    refuse_restricted: bool,
) -> *mut Prepared {
    // SAFETY: the call's memory holds one argument more than came in; what the arguments point to outlives the call.
    unsafe {
        if refuse_restricted && pg_sys::InSecurityRestrictedOperation() {
            raise(Error::RestrictedOperation {
                function: name_of((*(*fcinfo).flinfo).fn_oid),
            });
        }
        let inner = inner_of(&mut *(*fcinfo).flinfo);
        let count = usize::from((*fcinfo).nargs.cast_unsigned());
        let size =
            size_of::<pg_sys::FunctionCallInfoBaseData>() + (count + 1) * size_of::<pg_sys::NullableDatum>();
        let call = pg_sys::palloc0(size).cast::<pg_sys::FunctionCallInfoBaseData>();
        (*call).flinfo = &raw mut (*inner).description;
        (*call).fncollation = (*fcinfo).fncollation;
        (*call).nargs = (*fcinfo).nargs + 1;
        // Where a set is given back.
        (*call).resultinfo = (*fcinfo).resultinfo;
        let (mut caller, mut context) = (pg_sys::InvalidOid, 0);
        pg_sys::GetUserIdAndSecContext(&raw mut caller, &raw mut context);
        let arguments = (*call).args.as_mut_slice(count + 1);
        arguments[0] = pg_sys::NullableDatum {
            value: pg_sys::Datum::from(caller),
            isnull: false,
        };
        arguments[1..].copy_from_slice((*fcinfo).args.as_slice(count));
        let prepared = pg_sys::palloc(size_of::<Prepared>()).cast::<Prepared>();
        prepared.write(Prepared {
            call,
            address: (*inner).description.fn_addr,
            caller,
            context,
        });
        let switched = context | pg_sys::SECURITY_LOCAL_USERID_CHANGE.cast_signed();
        pg_sys::SetUserIdAndSecContext((*inner).owner, switched);
        caller::enter(caller);
        prepared
    }
}

/// Finds the inner function, once for a call site.
unsafe fn inner_of(outer: &mut pg_sys::FmgrInfo) -> *mut Inner {
    // SAFETY: fn_extra is ours alone and lives in fn_mcxt; palloc0'd memory is a valid FmgrInfo to fill.
    unsafe {
        if outer.fn_extra.is_null() {
            let found = look_up(outer.fn_oid);
            let inner = pg_sys::MemoryContextAllocZero(outer.fn_mcxt, size_of::<Inner>()).cast::<Inner>();
            pg_sys::fmgr_info_cxt(found, &raw mut (*inner).description, outer.fn_mcxt);
            (*inner).owner = owner_of(found);
            outer.fn_extra = inner.cast();
        }
        outer.fn_extra.cast()
    }
}

/// `zerodb._<name>(oid, …)` beside `zerodb.<name>(…)`. Raises 42883 when the schema is of another version than the
/// library.
unsafe fn look_up(outer: pg_sys::Oid) -> pg_sys::Oid {
    // SAFETY: catalog look-ups of a function that is being called; the list's strings outlive the look-up.
    unsafe {
        let (mut types, mut count) = (std::ptr::null_mut(), 0);
        pg_sys::get_func_signature(outer, &raw mut types, &raw mut count);
        let outer_types = std::slice::from_raw_parts(types, usize::try_from(count).unwrap_or(0));
        let mut inner_types = vec![pg_sys::OIDOID];
        inner_types.extend_from_slice(outer_types);
        let schema = pg_sys::get_namespace_name(pg_sys::get_func_namespace(outer));
        let inner = CString::new(format!("_{}", name_of(outer))).unwrap_or_default();
        let mut names = pgrx::PgList::<pg_sys::Node>::new();
        names.push(pg_sys::makeString(schema).cast());
        names.push(pg_sys::makeString(inner.as_ptr().cast_mut()).cast());
        pg_sys::LookupFuncName(names.as_ptr(), count + 1, inner_types.as_ptr(), false)
    }
}

unsafe fn owner_of(function: pg_sys::Oid) -> pg_sys::Oid {
    // SAFETY: the tuple is a pg_proc row, read before it is released.
    unsafe {
        let cache = pg_sys::SysCacheIdentifier::PROCOID as i32;
        let tuple = pg_sys::SearchSysCache1(cache, pg_sys::Datum::from(function));
        if tuple.is_null() {
            raise(Error::NoInnerFunction);
        }
        let owner = (*pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_proc>()).proowner;
        pg_sys::ReleaseSysCache(tuple);
        owner
    }
}

unsafe fn name_of(function: pg_sys::Oid) -> String {
    // SAFETY: a palloc'd C string, or null for a function that is gone.
    unsafe {
        let name = pg_sys::get_func_name(function);
        if name.is_null() {
            return "unknown".into();
        }
        CStr::from_ptr(name).to_string_lossy().into_owned()
    }
}
