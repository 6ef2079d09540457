//! The event types that some active hook wants, as this backend knows them. Read with the newest snapshot, not the
//! transaction's: a REPEATABLE READ writer must not remember an older answer than the one it was told to forget.

use std::cell::RefCell;
use std::collections::HashSet;

use pgrx::pg_sys;
use pgrx::prelude::*;

struct Wanted {
    /// The relation of the hooks, whose change makes all this stale.
    hooks: pg_sys::Oid,
    all: bool,
    exact: HashSet<Vec<u8>>,
    /// Prefixes with their last dot.
    prefixes: Vec<Vec<u8>>,
}

thread_local! {
    static WANTED: RefCell<Option<Wanted>> = const { RefCell::new(None) };
}

/// True when an active hook, of whatever user, names the type or a prefix of it.
pub fn wants(event_type: &[u8]) -> bool {
    if let Some(answer) = WANTED.with_borrow(|known| known.as_ref().map(|wanted| wanted.has(event_type))) {
        return answer;
    }
    // SAFETY: runs inside a transaction.
    let wanted = unsafe { Wanted::read() };
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
        self.all
            || self.exact.contains(event_type)
            || self.prefixes.iter().any(|prefix| event_type.starts_with(prefix))
    }

    unsafe fn read() -> Self {
        // SAFETY: the relation is open during the scan, and the snapshot registered.
        unsafe {
            let schema = pg_sys::get_namespace_oid(c"zerodb".as_ptr(), false);
            let hooks = pg_sys::get_relname_relid(c"zerodb_hooks".as_ptr(), schema);
            let mut wanted = Self {
                hooks,
                all: false,
                exact: HashSet::new(),
                prefixes: Vec::new(),
            };
            let relation = pg_sys::table_open(hooks, pg_sys::AccessShareLock as i32);
            let event_type = i32::from(pg_sys::get_attnum(hooks, c"event_type".as_ptr()));
            let is_active = i32::from(pg_sys::get_attnum(hooks, c"is_active".as_ptr()));
            let snapshot = pg_sys::RegisterSnapshot(pg_sys::GetLatestSnapshot());
            let slot = pg_sys::table_slot_create(relation, std::ptr::null_mut());
            let scan = pg_sys::table_beginscan(relation, snapshot, 0, std::ptr::null_mut());
            while pg_sys::table_scan_getnextslot(scan, pg_sys::ScanDirection::ForwardScanDirection, slot) {
                pg_sys::slot_getallattrs(slot);
                let column = |number: i32| *(*slot).tts_values.add(number as usize - 1);
                if column(is_active).value() & 1 == 1 {
                    wanted.add(super::json::text_bytes(column(event_type)));
                }
            }
            pg_sys::table_endscan(scan);
            pg_sys::ExecDropSingleTupleTableSlot(slot);
            pg_sys::UnregisterSnapshot(snapshot);
            pg_sys::table_close(relation, pg_sys::AccessShareLock as i32);
            wanted
        }
    }

    fn add(&mut self, pattern: Vec<u8>) {
        match pattern.strip_suffix(b"*") {
            Some(b"") => self.all = true,
            Some(prefix) => self.prefixes.push(prefix.to_vec()),
            None => {
                self.exact.insert(pattern);
            }
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_zerodb_forget_wanted() -> &'static pg_sys::Pg_finfo_record {
    const V1: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
    &V1
}

/// `zerodb._forget_wanted`: statement trigger on the table of hooks. Postgres tells every backend at commit.
///
/// # Safety
/// Called by Postgres as a trigger function.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn zerodb_forget_wanted(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the node tag is checked before the context is used as TriggerData.
    unsafe {
        let context = (*fcinfo).context;
        if !context.is_null() && (*context).type_ == pg_sys::NodeTag::T_TriggerData {
            pg_sys::CacheInvalidateRelcache((*context.cast::<pg_sys::TriggerData>()).tg_relation);
        }
    }
    pg_sys::Datum::null()
}
