//! A fence around the code of users: the functions of `sql` hooks, and the triggers, defaults and policies that a
//! handler's write sets off. Nothing that such code leaves behind may reach what the same session does next for
//! somebody else. It must not know what is called, nor decide as whom.
//!
//! These hold inside:
//! - the rights of one role, and a security-restricted operation: the server refuses temporary tables, cursors WITH
//!   HOLD, PREPARE, LISTEN, DISCARD and every change of role;
//! - other temporary objects, such as types and functions, it does not refuse: where the session has a temporary schema
//!   afterwards that it had not before, the call fails, and with it the schema goes;
//! - a level of settings of its own, which vanishes whatever was set and however;
//! - constraints are immediate: a deferred trigger would run at the commit, as the session's role and without these
//!   bounds. The server refuses to put one off inside;
//! - advisory locks of the session are given back, also after an error. The sessions that come here must hold none of
//!   their own.

use std::ffi::CStr;
use std::panic::AssertUnwindSafe;

use pgrx::prelude::*;
use pgrx::{PgTryBuilder, pg_sys};

use crate::error::{Error, raise};

/// For statements of this extension.
pub const CATALOG: &CStr = c"pg_catalog, pg_temp";
/// For users' functions and triggers: what their own sessions have when nobody has set anything, with temporary objects
/// last.
pub const OF_USER: &CStr = c"\"$user\", public, pg_temp";

const RESTRICTED: i32 =
    (pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_RESTRICTED_OPERATION).cast_signed();

/// Runs `work` as `role` inside the fence. Raises what it raises, and 42501 where it made temporary objects; the
/// (sub)transaction's abort then brings back role and settings.
pub fn within<T>(role: pg_sys::Oid, path: &CStr, work: impl FnOnce() -> T) -> T {
    fire_deferred();
    let had_temporary_schema = has_temporary_schema();
    let (mut user, mut context) = (pg_sys::InvalidOid, 0);
    // SAFETY: the previous identity and the settings come back below, or by the abort.
    let level = unsafe {
        pg_sys::GetUserIdAndSecContext(&raw mut user, &raw mut context);
        let level = pg_sys::NewGUCNestLevel();
        pg_sys::SetUserIdAndSecContext(role, context | RESTRICTED);
        set(c"search_path", path);
        level
    };
    let value = PgTryBuilder::new(AssertUnwindSafe(work))
        .finally(|| {
            // SAFETY: only touches this backend's locks; allowed in a transaction that is about to abort too.
            unsafe { pg_sys::LockReleaseSession(pg_sys::USER_LOCKMETHOD as pg_sys::LOCKMETHODID) };
        })
        .execute();
    // SAFETY: the level is the one that was opened above; every inner one has ended.
    unsafe {
        pg_sys::AtEOXact_GUC(false, level);
        pg_sys::SetUserIdAndSecContext(user, context);
    }
    if has_temporary_schema() && !had_temporary_schema {
        raise(Error::TemporaryObject);
    }
    value
}

/// Runs `work`, which calls only functions of this extension, with the rights of the extension's owner.
pub fn as_extension<T>(work: impl FnOnce() -> T) -> T {
    let owner = Spi::get_one::<pg_sys::Oid>(
        "SELECT e.extowner FROM pg_catalog.pg_extension AS e WHERE e.extname OPERATOR(pg_catalog.=) 'zerodb_hooks'::pg_catalog.name",
    );
    let Ok(Some(owner)) = owner else {
        raise(Error::NotInstalled);
    };
    let (mut user, mut context) = (pg_sys::InvalidOid, 0);
    // SAFETY: the previous identity comes back below; on an error the (sub)transaction's abort restores it.
    unsafe {
        pg_sys::GetUserIdAndSecContext(&raw mut user, &raw mut context);
        let switched = context | pg_sys::SECURITY_LOCAL_USERID_CHANGE.cast_signed();
        pg_sys::SetUserIdAndSecContext(owner, switched);
        let value = work();
        pg_sys::SetUserIdAndSecContext(user, context);
        value
    }
}

/// Gives a setting a value until the level of settings ends.
///
/// # Safety
/// Within a level of settings that ends.
pub unsafe fn set(name: &CStr, value: &CStr) {
    // SAFETY: both texts are C strings that the server copies.
    unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
    }
}

/// From here on constraints are immediate. What this transaction has put off before fires now, as at its commit.
fn fire_deferred() {
    if Spi::run("SET CONSTRAINTS ALL IMMEDIATE").is_err() {
        raise(Error::NotSettled);
    }
}

fn has_temporary_schema() -> bool {
    let (mut schema, mut toast) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
    // SAFETY: both are written before they are read.
    unsafe { pg_sys::GetTempNamespaceState(&raw mut schema, &raw mut toast) };
    schema != pg_sys::InvalidOid
}
