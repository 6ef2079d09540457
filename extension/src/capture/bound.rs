//! Roles that are bound to tenants, as a writer knows them. `zerodb.user_id` and the columns of a table of its own are
//! what a bound role may fill as it likes, so neither gives an event to another's tenant. The rule is that of
//! `zerodb._tenant`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::CStr;
use std::rc::Rc;

use pgrx::pg_sys::{self, Datum};
use pgrx::prelude::*;

use super::json;
use super::tables::{self, Unread};
use crate::settings::Id;

/// The tenants of a role.
#[derive(Clone)]
pub enum Bound {
    /// Not bound, or may act for every tenant.
    Free,
    /// Only for these.
    To(Rc<[Id]>),
    /// It cannot be known now, so for none.
    Unknown,
}

thread_local! {
    static KNOWN: RefCell<HashMap<pg_sys::Oid, Bound>> = RefCell::new(HashMap::new());
    static TABLE: Cell<pg_sys::Oid> = const { Cell::new(pg_sys::InvalidOid) };
}

/// Registers for changes of memberships and of functions' rights; called once, when the library is loaded.
pub fn register_invalidation(changed: pg_sys::SyscacheCallbackFunction) {
    use pg_sys::SysCacheIdentifier::{AUTHMEMROLEMEM, AUTHOID, PROCOID};
    for cache in [AUTHMEMROLEMEM, AUTHOID, PROCOID] {
        // SAFETY: the callback is a static function and needs no argument.
        unsafe { pg_sys::CacheRegisterSyscacheCallback(cache as i32, changed, Datum::null()) }
    }
}

/// True when a change of `relation` may change an answer given here.
pub fn depends_on(relation: pg_sys::Oid) -> bool {
    TABLE.get() == relation
}

pub fn forget() {
    KNOWN.with_borrow_mut(HashMap::clear);
}

impl Bound {
    /// The tenants of a role, from the cache when they are known.
    pub fn of(role: pg_sys::Oid) -> Self {
        if let Some(bound) = KNOWN.with_borrow(|known| known.get(&role).cloned()) {
            return bound;
        }
        match Self::read(role) {
            Ok(bound) => {
                KNOWN.with_borrow_mut(|known| known.insert(role, bound.clone()));
                bound
            }
            // An older schema has no bindings.
            Err(Unread::Missing) => Self::Free,
            Err(Unread::Locked) => Self::Unknown,
        }
    }

    /// The tenants of the role that writes now.
    pub fn of_writer() -> Self {
        // SAFETY: only reads the state of the session.
        Self::of(unsafe { pg_sys::GetUserId() })
    }

    pub fn allows(&self, user: &Id) -> bool {
        match self {
            Self::Free => true,
            Self::To(tenants) => tenants.contains(user),
            Self::Unknown => false,
        }
    }

    /// The tenant of who asks for one, or for none in particular.
    pub fn tenant(&self, asked: Option<Id>) -> Option<Id> {
        match (self, asked) {
            (Self::To(tenants), None) if tenants.len() == 1 => Some(tenants[0]),
            _ => asked.filter(|user| self.allows(user)),
        }
    }

    fn read(role: pg_sys::Oid) -> Result<Self, Unread> {
        // SAFETY: a catalog look-up; the name is null for a role that is gone, and else palloc'd.
        let name = unsafe {
            let name = pg_sys::GetUserNameFromId(role, true);
            (!name.is_null()).then(|| CStr::from_ptr(name).to_bytes().to_vec())
        };
        let mut tenants = Vec::new();
        let columns = [c"role", c"role_name", c"user_id"];
        let table = tables::read(c"tenant_binding", columns, |columns| {
            let [Some(bound), Some(bound_name), Some(user)] = columns else {
                return;
            };
            let bound = pg_sys::Oid::from(bound.value() as u32);
            // SAFETY: the columns are an oid, a name, which ends with a zero, and a uuid.
            unsafe {
                let is_bound = if bound == pg_sys::InvalidOid {
                    name.as_deref() == Some(CStr::from_ptr(bound_name.cast_mut_ptr()).to_bytes())
                } else {
                    pg_sys::has_privs_of_role(role, bound)
                };
                if is_bound {
                    tenants.push(json::uuid_bytes(user));
                }
            }
        })?;
        TABLE.set(table);
        if tenants.is_empty() || acts_for_all(role) {
            return Ok(Self::Free);
        }
        tenants.sort_unstable();
        tenants.dedup();
        Ok(Self::To(tenants.into()))
    }
}

/// The same as `zerodb._sees_all(role)`.
fn acts_for_all(role: pg_sys::Oid) -> bool {
    let arguments = [
        role.into_datum(),
        "zerodb._all_tenants()".into_datum(),
        "EXECUTE".into_datum(),
    ];
    // SAFETY: the function takes an oid and two texts, and raises behind its guard.
    let answer =
        unsafe { pgrx::direct_function_call::<bool>(pg_sys::has_function_privilege_id_name, &arguments) };
    answer.unwrap_or(false)
}
