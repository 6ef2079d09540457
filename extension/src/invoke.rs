//! Calling a function by its oid. Whether the current user may, was asked before.

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, raise};

/// A jsonb that goes on as it came, without a look inside.
pub struct RawJson(pub pg_sys::Datum);

impl IntoDatum for RawJson {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        Some(self.0)
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::JSONBOID
    }
}

/// Calls a function; its answer.
///
/// # Safety
/// The arguments are of the function's types, and live for the time of the call.
pub unsafe fn invoke(function: pg_sys::Oid, arguments: &[pg_sys::NullableDatum]) -> pg_sys::NullableDatum {
    // SAFETY: the call's memory holds as many arguments as are given, and the guard turns an error into a panic at this
    // side.
    unsafe {
        let mut description = pg_sys::FmgrInfo::default();
        pg_sys::fmgr_info(function, &raw mut description);
        let size = size_of::<pg_sys::FunctionCallInfoBaseData>() + size_of_val(arguments);
        let info = pg_sys::palloc0(size).cast::<pg_sys::FunctionCallInfoBaseData>();
        (*info).flinfo = &raw mut description;
        (*info).fncollation = pg_sys::DEFAULT_COLLATION_OID;
        (*info).nargs = i16::try_from(arguments.len()).unwrap_or(i16::MAX);
        (*info)
            .args
            .as_mut_slice(arguments.len())
            .copy_from_slice(arguments);
        let Some(address) = description.fn_addr else {
            raise(Error::NotInstalled);
        };
        let value = pg_sys::ffi::pg_guard_ffi_boundary(|| address(info));
        pg_sys::NullableDatum {
            value,
            isnull: (*info).isnull,
        }
    }
}

/// An argument that is there.
pub fn given(value: pg_sys::Datum) -> pg_sys::NullableDatum {
    pg_sys::NullableDatum { value, isnull: false }
}
