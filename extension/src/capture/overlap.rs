//! Triggers that would record one row twice: a table that was watched by itself and became a partition of a watched one
//! has both its own triggers and copies of those above it. Must not look at rows.

use std::ffi::CStr;

use pgrx::pg_sys;

use super::argument::Argument;
use super::row::Operation;

const ROW: i16 = pg_sys::TRIGGER_TYPE_ROW as i16;
const OPERATIONS: i16 =
    (pg_sys::TRIGGER_TYPE_INSERT | pg_sys::TRIGGER_TYPE_DELETE | pg_sys::TRIGGER_TYPE_UPDATE) as i16;

/// The operations of a trigger that another one records: for the trigger of a statement any copy from above, which sees
/// the rows of that statement too; for such a copy an earlier one.
///
/// # Safety
/// `trigger` is the data of a firing in progress.
pub unsafe fn recorded_elsewhere(trigger: &pg_sys::TriggerData, own: &Argument) -> Vec<Operation> {
    // SAFETY: the relation is open, and so its list of triggers is there while one of them runs; the arguments are C
    // strings.
    unsafe {
        let this = &*trigger.tg_trigger;
        let list = (*trigger.tg_relation).trigdesc;
        if list.is_null() {
            return Vec::new();
        }
        let count = usize::try_from((*list).numtriggers).unwrap_or(0);
        let all = std::slice::from_raw_parts((*list).triggers, count);
        let is_row = this.tgtype & ROW != 0;
        let before = all
            .iter()
            .take_while(|other| !is_row || other.tgoid != this.tgoid);
        before
            .filter(|other| {
                other.tgoid != this.tgoid
                    && other.tgfoid == this.tgfoid
                    && other.tgisclone
                    && other.tgtype & ROW != 0
                    && other.tgtype & OPERATIONS == this.tgtype & OPERATIONS
                    && other.tgenabled as u8 != b'D'
                    && other.tgnargs == 1
            })
            .filter_map(|other| Argument::read(&CStr::from_ptr(*other.tgargs).to_string_lossy()))
            .filter(|other| other.event == own.event)
            .flat_map(|other| other.operations)
            .collect()
    }
}
