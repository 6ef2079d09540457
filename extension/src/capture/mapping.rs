//! The mapping of one watch, from the trigger's argument and the table's columns: which rows make an event, what is in it,
//! and whose it is.

use std::ffi::CStr;

use pgrx::pg_sys::{self, MemoryContext};
use pgrx::prelude::*;
use serde_json::Value;

use super::argument::{self, Argument, Origin};
use super::bound::Bound;
use super::fields::{self, Field, Source};
use super::json::{self, Renderer};
use super::memory::Text;
use super::overlap;
use super::rows::{Change, Old, Operation, Row};
use super::table::{Column, Table, has_columns};
use super::trust;
use crate::outbox::Event;
use crate::settings::{self, Id};

/// Whose event it is: the row's own columns, else the session's settings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Tenant {
    pub user_id: Option<Id>,
    pub project_id: Option<Id>,
}

impl Tenant {
    /// Of who writes now.
    pub fn of_session() -> Self {
        Self {
            user_id: Bound::of_writer().tenant(settings::user_id()),
            project_id: settings::project_id(),
        }
    }
}

/// The companion type of a statement that stores several rows.
pub struct Batch {
    pub event: Vec<u8>,
    fields: Vec<String>,
}

pub struct Mapping {
    /// The table that was watched: the trigger's own, or the partitioned table above it.
    pub root: pg_sys::Oid,
    /// As it stands in each trigger of the watch, and in none of another.
    pub argument: Vec<u8>,
    pub event: Vec<u8>,
    /// Not for a row trigger, which sees one row only.
    pub batch: Option<Batch>,
    /// True for the statement trigger of a partitioned table: the rows themselves are for the row triggers.
    pub batch_only: bool,
    operations: Vec<Operation>,
    fields: Vec<Field>,
    user_id: Source,
    /// The users that the table's owner may give its events to.
    owner: Bound,
    project_id: Source,
    bank_id: Source,
    /// The columns of which one must change for an UPDATE to count.
    compared: Vec<Column>,
    /// Columns whose change counts too, unless the second of the pair gets another value with it.
    given: Vec<(Column, Column)>,
    /// Where the field stands that makes one event of many rows.
    list: Option<usize>,
}

/// What was made of a trigger's argument.
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
        let mut mapping = Mapping::new(&argument, &reading.table, is_row, batch, user_id);
        mapping.argument = text.into_owned().into_bytes();
        reading.is_final &= !matches!(mapping.owner, Bound::Unknown);
        reading.mapping = Some(mapping);
        reading
    }

    /// Whether an event type is registered. While that cannot be known it counts as registered.
    fn accepts(&mut self, event_type: &str) -> bool {
        trust::is_registered(event_type).unwrap_or_else(|| {
            self.is_final = false;
            true
        })
    }

    /// Where the events' user comes from. A constant that nobody answers for counts as none.
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

impl Mapping {
    fn new(argument: &Argument, table: &Table, is_row: bool, batch: Option<Batch>, user_id: Source) -> Self {
        let fields = argument
            .fields
            .iter()
            .map(|(name, origin)| Field::new(name, Source::of(origin, table)));
        // A row trigger sees one row, and a row that moves has but the compared columns of the old one.
        let given = argument
            .given
            .iter()
            .filter(|_| !is_row)
            .filter_map(|(column, other)| Some((table.find(column)?.clone(), table.find(other)?.clone())));
        let given: Vec<_> = given.collect();
        let is_given = |name: &String| given.iter().any(|(column, _)| column.name == name.as_bytes());
        let compared = match &argument.update_of {
            _ if !argument.operations.contains(&Operation::Update) => Vec::new(),
            Some(names) => names
                .iter()
                .filter(|name| !is_given(name))
                .filter_map(|name| table.find(name).cloned())
                .collect(),
            None => table.columns.clone(),
        };
        Self {
            root: table.root(),
            argument: Vec::new(),
            event: argument.event.clone().into_bytes(),
            batch,
            batch_only: table.is_partitioned && !is_row,
            operations: argument.operations.clone(),
            fields: fields.collect(),
            user_id,
            owner: Bound::of(table.owner),
            project_id: Source::of(&argument.project_id, table),
            bank_id: Source::of(&argument.bank_id, table),
            compared,
            given,
            list: argument
                .list
                .as_ref()
                .and_then(|list| argument.fields.iter().position(|(name, _)| name == list)),
        }
    }

    /// True when rows of that descriptor have the mapping's columns.
    ///
    /// # Safety
    /// The descriptor is complete and lives through the call.
    pub unsafe fn fits(&self, description: pg_sys::TupleDesc) -> bool {
        let tenants = [&self.user_id, &self.project_id, &self.bank_id];
        let fields = self.fields.iter().map(|field| &field.source).chain(tenants);
        // SAFETY: handed on from the caller.
        unsafe {
            has_columns(
                description,
                fields
                    .filter_map(Source::column)
                    .chain(&self.compared)
                    .chain(self.given.iter().flat_map(|(column, other)| [column, other])),
            )
        }
    }

    pub fn has(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// True when a field's text may depend on settings of the session.
    pub fn depends_on_settings(&self) -> bool {
        let mut fields = self.fields.iter();
        fields.any(|field| field.source.depends_on_settings())
    }

    pub fn compared(&self) -> &[Column] {
        &self.compared
    }

    /// True when a compared column differs, byte for byte; always for a row that is new or gone.
    pub fn is_changed(&self, change: &Change) -> bool {
        match &change.old {
            Old::Unknown => true,
            // SAFETY: the firing's rows have the mapping's columns.
            Old::Moved(half) => unsafe { half.differs(self, &change.row) },
            Old::Row(old) => {
                let new = &change.row;
                self.compared.iter().any(|column| differs(column, old, new))
                    || self.given.iter().any(|(column, other)| {
                        differs(column, old, new)
                            && (new.column(other.number).is_none() || !differs(other, old, new))
                    })
            }
        }
    }

    /// The fields of which one lists what many rows have, with its place; `None` where each row is an event.
    pub fn listed(&self) -> Option<(&[Field], usize)> {
        Some((&self.fields, self.list?))
    }

    /// The event of a row, its values in a context.
    ///
    /// # Safety
    /// The context lives as long as the event.
    pub unsafe fn event(&self, row: &Row, tenant: Tenant, context: MemoryContext) -> Event {
        // SAFETY: handed on from the caller.
        unsafe {
            Event {
                data: fields::data(&self.fields, row, &tenant, context),
                user_id: tenant.user_id,
                project_id: tenant.project_id,
                bank_id: self
                    .bank_id
                    .with_text(row, settings::max_event_size(), |bank_id| {
                        let mut text = Text::new(context);
                        text.extend(bank_id);
                        text.into_datum()
                    }),
            }
        }
    }

    /// Of which bank a row is, as the bytes of its name.
    pub fn bank(&self, row: &Row) -> Option<Vec<u8>> {
        self.bank_id
            .with_text(row, settings::max_event_size(), <[u8]>::to_vec)
    }

    /// Whose event a row is. The nil UUID is nobody's, and a user that the table's owner may not act for counts as none.
    pub fn tenant(&self, row: &Row, session: &Tenant) -> Tenant {
        let user = uuid(&self.user_id, row).filter(|user| *user != settings::NIL && self.owner.allows(user));
        Tenant {
            user_id: user.or(session.user_id),
            project_id: uuid(&self.project_id, row).or(session.project_id),
        }
    }
}

/// True when two rows of a firing have another value in a column, byte for byte.
fn differs(column: &Column, old: &Row, new: &Row) -> bool {
    match (old.column(column.number), new.column(column.number)) {
        // SAFETY: the firing's rows have the mapping's columns, so both values have the column's type.
        (Some(a), Some(b)) => unsafe { !column.is_same(a, b) },
        (a, b) => a.is_some() != b.is_some(),
    }
}

/// The value as a UUID; a value that is none counts as none, because the writer must not fail for it.
fn uuid(source: &Source, row: &Row) -> Option<Id> {
    /// More than any way to write one.
    const LONGEST: usize = 64;
    if let Source::Column {
        column,
        renderer: Renderer::Uuid,
    } = source
    {
        let value = row.column(column.number)?;
        // SAFETY: the firing's rows have the mapping's columns, and this one is a uuid.
        return Some(unsafe { json::uuid_bytes(value) });
    }
    source.with_text(row, LONGEST, settings::parse_uuid).flatten()
}

impl Batch {
    fn of(batch: &argument::Batch) -> Self {
        Self {
            event: batch.event.clone().into_bytes(),
            fields: batch.fields.clone(),
        }
    }

    /// The event of `count` rows of one tenant.
    ///
    /// # Safety
    /// The context lives as long as the event.
    pub unsafe fn event(&self, tenant: &Tenant, count: u64, context: MemoryContext) -> Event {
        let id = |id: &Option<Id>| id.map_or(Value::Null, |id| pgrx::Uuid::from_bytes(id).to_string().into());
        let data: serde_json::Map<_, _> = self
            .fields
            .iter()
            .map(|field| {
                let value = match field.as_str() {
                    "count" => count.into(),
                    "user_id" => id(&tenant.user_id),
                    "project_id" => id(&tenant.project_id),
                    _ => Value::Null,
                };
                (field.clone(), value)
            })
            .collect();
        // SAFETY: handed on from the caller.
        let mut text = unsafe { Text::new(context) };
        text.extend(Value::Object(data).to_string().as_bytes());
        Event {
            data: text.into_datum(),
            user_id: tenant.user_id,
            project_id: tenant.project_id,
            bank_id: None,
        }
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
