//! The event types that some active hook wants, as this backend knows them. A writer never waits to learn it: while the
//! table of hooks is locked, every type counts as wanted, and nothing is remembered.

use std::cell::RefCell;
use std::collections::HashSet;

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::{json, tables};

struct Wanted {
    /// The relation of the hooks, whose change makes all this stale.
    hooks: pg_sys::Oid,
    all: bool,
    exact: HashSet<Vec<u8>>,
    /// Prefixes with their last dot.
    prefixes: HashSet<Vec<u8>>,
}

thread_local! {
    static WANTED: RefCell<Option<Wanted>> = const { RefCell::new(None) };
}

/// True when an active hook, of whatever user, names the type or a prefix of it; also when that cannot be known now.
pub fn wants(event_type: &[u8]) -> bool {
    if let Some(answer) = WANTED.with_borrow(|known| known.as_ref().map(|wanted| wanted.has(event_type))) {
        return answer;
    }
    let Some(wanted) = Wanted::read() else {
        return true;
    };
    let answer = wanted.has(event_type);
    WANTED.set(Some(wanted));
    answer
}

/// Forgets the answer when `relation` is the table of hooks, or unknown.
pub fn forget(relation: pg_sys::Oid) {
    let stale = |wanted: &Wanted| relation == pg_sys::InvalidOid || wanted.hooks == relation;
    WANTED.with_borrow_mut(|known| *known = known.take_if(|wanted| !stale(wanted)));
}

impl Wanted {
    fn has(&self, event_type: &[u8]) -> bool {
        let dots = event_type.iter().enumerate().filter(|(_, byte)| **byte == b'.');
        self.all
            || self.exact.contains(event_type)
            || dots
                .into_iter()
                .any(|(at, _)| self.prefixes.contains(&event_type[..=at]))
    }

    fn read() -> Option<Self> {
        let mut wanted = Self {
            hooks: pg_sys::InvalidOid,
            all: false,
            exact: HashSet::new(),
            prefixes: HashSet::new(),
        };
        wanted.hooks = tables::read(c"zerodb_hooks", [c"event_type", c"is_active"], |columns| {
            if let [Some(event_type), Some(is_active)] = columns
                && is_active.value() & 1 == 1
            {
                // SAFETY: the column is a text.
                wanted.add(unsafe { json::text_bytes(event_type) });
            }
        })
        .ok()?;
        Some(wanted)
    }

    fn add(&mut self, pattern: Vec<u8>) {
        match pattern.strip_suffix(b"*") {
            Some(b"") => self.all = true,
            Some(prefix) => _ = self.prefixes.insert(prefix.to_vec()),
            None => _ = self.exact.insert(pattern),
        }
    }
}

entry!(pg_finfo_zerodb_forget_wanted);

/// `zerodb._forget_wanted`: statement trigger on the tables that writers remember something of. Postgres tells every
/// backend at commit.
///
/// # Safety
/// Called by Postgres as a trigger function.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn zerodb_forget_wanted(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the node tag is checked before the context is used as TriggerData, whose relation is open during the
    // firing.
    unsafe {
        let context = (*fcinfo).context;
        if !context.is_null() && (*context).type_ == pg_sys::NodeTag::T_TriggerData {
            pg_sys::CacheInvalidateRelcache((*context.cast::<pg_sys::TriggerData>()).tg_relation);
        }
    }
    pg_sys::Datum::null()
}
