//! The trigger: from the rows of one statement to events. It decides nothing that `zerodb.watch` has not written into
//! its argument, and it never raises because of a hook or a mapping: a column that has gone gives null and a WARNING.

mod json;
mod mapping;
mod rows;
mod wanted;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, raise};
use crate::outbox::{self, Event};
use crate::settings;
use mapping::{Mapping, Tenant};
use rows::{Change, Rows};

/// Events appended to the log at once.
const BATCH: usize = 1000;

thread_local! {
    /// Parsed mappings by trigger; forgotten when the table's definition changes.
    static MAPPINGS: RefCell<HashMap<pg_sys::Oid, Rc<Mapping>>> = RefCell::new(HashMap::new());
}

/// Registers for changes of relations; called once, when the library is loaded.
pub fn register_invalidation() {
    // SAFETY: the callback is a static function and needs no argument.
    unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(relation_changed), pg_sys::Datum::null()) }
}

#[pg_guard]
unsafe extern "C-unwind" fn relation_changed(_argument: pg_sys::Datum, relation: pg_sys::Oid) {
    wanted::forget(relation);
    outbox::forget(relation);
    MAPPINGS.with_borrow_mut(|known| {
        if relation == pg_sys::InvalidOid {
            known.clear();
        } else {
            known.retain(|_, mapping| mapping.relid != relation);
        }
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_zerodb_capture() -> &'static pg_sys::Pg_finfo_record {
    const V1: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
    &V1
}

/// `zerodb._capture`: fires after each statement on a watched table, or after each row of a partition of one.
///
/// # Safety
/// Called by Postgres as a trigger function.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn zerodb_capture(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the node tag is checked before the context is used as TriggerData.
    unsafe {
        let context = (*fcinfo).context;
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
            raise(Error::NotATrigger);
        }
        capture(&*context.cast::<pg_sys::TriggerData>());
    }
    pg_sys::Datum::null()
}

unsafe fn capture(trigger: &pg_sys::TriggerData) {
    // SAFETY: the fields of TriggerData are valid while the trigger runs.
    let mapping = unsafe { mapping_of(trigger) };
    let every = settings::capture() == settings::Capture::All;
    let single = !mapping.batch_only && (every || wanted::wants(&mapping.event));
    let batch = mapping
        .batch
        .as_ref()
        .filter(|batch| every || wanted::wants(&batch.event));
    if !single && batch.is_none() {
        return;
    }
    // SAFETY: as above.
    let Some(mut rows) = (unsafe { Rows::of(trigger, &mapping) }) else {
        return;
    };
    let mut pending = Vec::new();
    let mut stored: BTreeMap<Tenant, u64> = BTreeMap::new();
    while let Some(change) = rows.next() {
        if change.operation == rows::Operation::Update && !mapping.is_changed(&change) {
            continue;
        }
        if batch.is_some() && change.operation == rows::Operation::Insert {
            *stored.entry(mapping.tenant(&change)).or_default() += 1;
        }
        if single {
            pending.push(event(&mapping, &change));
            if pending.len() == BATCH {
                outbox::append(&mapping.event, mapping.root, &pending);
                pending.clear();
            }
        }
    }
    outbox::append(&mapping.event, mapping.root, &pending);
    if let Some(batch) = batch.filter(|_| stored.values().sum::<u64>() > 1) {
        let events: Vec<_> = stored
            .iter()
            .map(|(tenant, count)| batch.event(tenant, *count))
            .collect();
        outbox::append(&batch.event, mapping.root, &events);
    }
}

fn event(mapping: &Mapping, change: &Change) -> Event {
    let tenant = mapping.tenant(change);
    Event {
        data: mapping.data(change),
        user_id: tenant.user_id,
        project_id: tenant.project_id,
        bank_id: mapping.bank_id(change),
    }
}

/// The parsed argument of the trigger, from the cache when its table has not changed.
unsafe fn mapping_of(trigger: &pg_sys::TriggerData) -> Rc<Mapping> {
    // SAFETY: tg_trigger and tg_relation are valid while the trigger runs.
    unsafe {
        let id = (*trigger.tg_trigger).tgoid;
        if let Some(known) = MAPPINGS.with_borrow(|known| known.get(&id).cloned()) {
            return known;
        }
        let mapping = Rc::new(Mapping::read(trigger).unwrap_or_else(|| raise(Error::NotATrigger)));
        MAPPINGS.with_borrow_mut(|known| known.insert(id, Rc::clone(&mapping)));
        mapping
    }
}

pub use rows::forget_moves;
