//! The trigger: from the rows of one statement to events. It decides nothing that `zerodb.watch` has not written into
//! its argument, and it never raises because of a hook or a mapping: what it cannot do gives a WARNING.

mod argument;
mod batch;
mod bound;
mod by_text;
mod change;
mod collect;
mod data;
mod fields;
mod formats;
mod json;
mod large;
mod lists;
mod mapping;
mod memory;
mod moves;
mod overlap;
mod reading;
mod row;
mod rows;
mod table;
mod tables;
mod tenant;
mod trust;
mod upsert;
mod wanted;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, raise};
use crate::{lookup, outbox, reserve, settings};
use collect::Collector;
use mapping::Mapping;
use reading::Reading;
use rows::Rows;

/// A trigger as it was last read.
struct KnownTrigger {
    relid: pg_sys::Oid,
    root: pg_sys::Oid,
    /// `None` for one that records nothing.
    mapping: Option<Rc<Mapping>>,
}

thread_local! {
    /// By trigger; forgotten when the definition of its table changes, or of what the mapping was read with.
    static KNOWN: RefCell<HashMap<pg_sys::Oid, KnownTrigger>> = RefCell::new(HashMap::new());
}

/// Registers for changes of relations and rights and for the ends of transactions; called once, when the library is
/// loaded, after `wake::register`.
pub fn register() {
    // SAFETY: the callback is a static function and needs no argument.
    unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(relation_changed), pg_sys::Datum::null()) }
    bound::register_invalidation(Some(rights_changed));
    moves::register();
}

/// Memberships, roles or functions have changed: mappings know whom the table's owner may act for.
#[pg_guard]
unsafe extern "C-unwind" fn rights_changed(_argument: pg_sys::Datum, _cache: i32, _hash: u32) {
    bound::forget();
    KNOWN.with_borrow_mut(HashMap::clear);
}

#[pg_guard]
unsafe extern "C-unwind" fn relation_changed(_argument: pg_sys::Datum, relation: pg_sys::Oid) {
    if wanted::forget(relation) {
        return;
    }
    outbox::forget(relation);
    lookup::forget(relation);
    let bindings_changed = relation == pg_sys::InvalidOid || bound::depends_on(relation);
    if bindings_changed {
        bound::forget();
    }
    KNOWN.with_borrow_mut(|known| {
        if bindings_changed || trust::depends_on(relation) {
            known.clear();
        } else {
            known.retain(|_, trigger| trigger.relid != relation && trigger.root != relation);
        }
    });
}

entry!(pg_finfo_zerodb_capture);

/// `zerodb._capture`: fires after each statement on a watched table, or after each row of a partition of one.
///
/// # Safety
/// Called by Postgres as a trigger function.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zerodb_capture(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: this frame has nothing to drop, so an error for want of memory may jump over it.
    unsafe {
        reserve::require();
        fire(fcinfo)
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn fire(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the node tag is checked before the context is used as TriggerData, which lives while the trigger runs.
    reserve::within(|| unsafe {
        let context = (*fcinfo).context;
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
            raise(Error::NotATrigger);
        }
        let trigger = &*context.cast::<pg_sys::TriggerData>();
        // What is known of the function lies in memory of the statement that fires it.
        capture(trigger, (*(*fcinfo).flinfo).fn_mcxt);
        row_to_write(trigger)
    })
}

/// The trigger's answer: after a write nothing, before it the row as it is, for null would keep the row from being
/// written.
fn row_to_write(trigger: &pg_sys::TriggerData) -> pg_sys::Datum {
    let is_before_row = trigger.tg_event & pg_sys::TRIGGER_EVENT_ROW != 0
        && trigger.tg_event & pg_sys::TRIGGER_EVENT_TIMINGMASK != pg_sys::TRIGGER_EVENT_AFTER;
    let is_update = trigger.tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_UPDATE;
    match (is_before_row, is_update) {
        (false, _) => pg_sys::Datum::null(),
        (true, true) => pg_sys::Datum::from(trigger.tg_newtuple),
        (true, false) => pg_sys::Datum::from(trigger.tg_trigtuple),
    }
}

/// # Safety
/// `trigger` is the data of a firing in progress, `statement` the context of the statement.
unsafe fn capture(trigger: &pg_sys::TriggerData, statement: pg_sys::MemoryContext) {
    // SAFETY: handed on from the caller.
    let moment = unsafe { moves::moment(trigger) };
    if let Some(now) = moment {
        moves::settle(now);
    }
    // SAFETY: handed on from the caller.
    let Some(mapping) = (unsafe { mapping_of(trigger) }) else {
        return;
    };
    let every = settings::capture() == settings::Capture::All;
    let single = !mapping.batch_only && (every || wanted::wants(&mapping.event));
    let batch = mapping.batch.as_ref();
    let batch = batch.filter(|batch| every || wanted::wants(&batch.event));
    if !single && batch.is_none() {
        return;
    }
    formats::in_plain(mapping.depends_on_settings(), || {
        // SAFETY: the mapping was compared with the descriptor that this firing's rows have.
        unsafe {
            let Some(mut rows) = Rows::of(trigger, &mapping, moment) else {
                return;
            };
            let mut collector = Collector::new(&mapping, single, batch, statement);
            while let Some(change) = rows.next() {
                collector.add(change);
            }
            collector.finish(rows.is_update());
        }
    });
}

/// The mapping of the trigger for the rows at hand, from the cache when it fits them. `None` when it records nothing.
///
/// # Safety
/// `trigger` is the data of a firing in progress.
unsafe fn mapping_of(trigger: &pg_sys::TriggerData) -> Option<Rc<Mapping>> {
    // SAFETY: tg_trigger and tg_relation are valid while the trigger runs, and so is the descriptor of the
    // TupleTableSlot.
    unsafe {
        let id = (*trigger.tg_trigger).tgoid;
        let description = description_of(trigger);
        let known = KNOWN.with_borrow(|known| known.get(&id).map(|trigger| trigger.mapping.clone()));
        match known {
            Some(None) => return None,
            Some(Some(mapping)) if mapping.fits(description) => return Some(mapping),
            _ => {}
        }
        let reading = Reading::of(trigger);
        let mapping = reading.mapping.map(Rc::new);
        if reading.is_final {
            let known = KnownTrigger {
                relid: reading.table.relid,
                root: reading.table.root(),
                mapping: mapping.clone(),
            };
            KNOWN.with_borrow_mut(|all| all.insert(id, known));
        }
        mapping.filter(|mapping| mapping.fits(description))
    }
}

/// The descriptor of the rows of a firing: that of their TupleTableSlot, or of the table for a statement's.
///
/// # Safety
/// `trigger` is the data of a firing in progress.
unsafe fn description_of(trigger: &pg_sys::TriggerData) -> pg_sys::TupleDesc {
    // SAFETY: the TupleTableSlot of a row trigger has a descriptor, and the relation is open.
    unsafe {
        if trigger.tg_trigslot.is_null() {
            (*trigger.tg_relation).rd_att
        } else {
            (*trigger.tg_trigslot).tts_tupleDescriptor
        }
    }
}
