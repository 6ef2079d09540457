//! From a trigger's argument to a mapping, or to a warning that says why it records nothing. Must not look at rows.

use std::ffi::CStr;

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::argument::{Argument, Origin};
use super::batch::Batch;
use super::fields::Source;
use super::mapping::Mapping;
use super::table::Table;
use super::{overlap, trust};
use crate::settings;

/// A trigger's argument as it was read.
pub struct Reading {
    pub table: Table,
    /// `None` when the trigger records nothing.
    pub mapping: Option<Mapping>,
    /// False when something could not be looked up, so that the next firing must read again.
    pub is_final: bool,
}

impl Reading {
    /// Warns of an argument that records nothing, of columns that have gone, and of what does not count.
    ///
    /// # Safety
    /// `trigger` is the data of a firing in progress.
    pub unsafe fn of(trigger: &pg_sys::TriggerData) -> Self {
        // SAFETY: tg_args holds tg_nargs C strings, and the relation is open.
        let (argument, name, table) = unsafe {
            let definition = &*trigger.tg_trigger;
            let argument =
                (definition.tgnargs == 1).then(|| CStr::from_ptr(*definition.tgargs).to_string_lossy());
            // In a database of SQL_ASCII names and arguments may be in any encoding.
            let name = CStr::from_ptr(definition.tgname).to_string_lossy();
            (argument, name, Table::of(trigger.tg_relation))
        };
        let mut reading = Self {
            table,
            mapping: None,
            is_final: true,
        };
        let useless = |table: &Table, why: &str| warn_of(&name, table, why);
        if trigger.tg_event & pg_sys::TRIGGER_EVENT_TIMINGMASK != pg_sys::TRIGGER_EVENT_AFTER {
            useless(&reading.table, "It does not fire after the write.");
            return reading;
        }
        let text = argument.unwrap_or_default();
        let Some(mut argument) = Argument::read(&text) else {
            useless(&reading.table, "Its argument is not a mapping.");
            return reading;
        };
        if !reading.accepts(&argument.event) {
            useless(
                &reading.table,
                "The event type in its argument is not registered.",
            );
            return reading;
        }
        // SAFETY: handed on from the caller.
        let elsewhere = unsafe { overlap::recorded_elsewhere(trigger, &argument) };
        argument
            .operations
            .retain(|operation| !elsewhere.contains(operation));
        if argument.operations.is_empty() {
            return reading;
        }
        let is_row = trigger.tg_event & pg_sys::TRIGGER_EVENT_ROW != 0;
        let batch = argument.batch.as_ref().filter(|_| !is_row).filter(|batch| {
            let accepted = reading.accepts(&batch.event);
            if !accepted {
                useless(&reading.table, "The event type of its batches is not registered.");
            }
            accepted
        });
        let batch = batch.map(Batch::of);
        let user_id = reading.user(&argument, &name);
        let mapping = Mapping::new(&argument, &reading.table, is_row, batch, user_id);
        reading.is_final &= mapping.knows_owner();
        reading.mapping = Some(mapping);
        reading
    }

    /// True when an event type is registered. While that cannot be known it counts as registered.
    fn accepts(&mut self, event_type: &str) -> bool {
        trust::is_registered(event_type).unwrap_or_else(|| {
            self.is_final = false;
            true
        })
    }

    /// The source of the events' user. A constant that nobody answers for counts as none.
    fn user(&mut self, argument: &Argument, trigger: &str) -> Source {
        let source = Source::of(&argument.user_id, &self.table);
        let Origin::Constant(constant) = &argument.user_id else {
            return source;
        };
        let user = constant
            .as_str()
            .and_then(|text| settings::parse_uuid(text.as_bytes()));
        let allowed = user.filter(|user| *user != settings::NIL).is_some_and(|user| {
            trust::may_be_of(&argument.event, &self.table, user).unwrap_or_else(|| {
                self.is_final = false;
                false
            })
        });
        if allowed {
            return source;
        }
        if !constant.is_null() && self.is_final {
            warn_of(
                trigger,
                &self.table,
                "Its events do not get the user in its argument, whom zerodb.watch did not set.",
            );
        }
        Source::Nothing
    }
}

/// A write never fails because of a trigger; what it does not do is said, once a session.
fn warn_of(trigger: &str, table: &Table, why: &str) {
    ereport!(
        PgLogLevel::WARNING,
        PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
        format!(
            "trigger \"{trigger}\" on table \"{}\" is not one that zerodb.watch made",
            table.name
        ),
        format!("{why} Drop the trigger and call zerodb.watch.")
    );
}
