//! The mapping of one watch: which rows make an event, what is in it, and whose it is. Must not know the trigger's
//! argument but as `Argument`, nor whether it is to be believed.

use pgrx::pg_sys::{self, MemoryContext};

use super::argument::Argument;
use super::batch::Batch;
use super::bound::Bound;
use super::change::{Change, Old};
use super::data::data;
use super::fields::{Field, Source};
use super::json::{self, Renderer};
use super::memory::Text;
use super::row::{Operation, Row};
use super::table::{Column, Table, has_columns};
use super::tenant::Tenant;
use crate::outbox::Event;
use crate::settings::{self, Id};

/// The events of one watch on one table.
pub struct Mapping {
    /// The table that was watched: the trigger's own, or the partitioned table above it.
    pub root: pg_sys::Oid,
    /// The argument of each trigger of the watch, and of none of another.
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
    /// The index of the field that makes one event of many rows.
    list: Option<usize>,
}

/// The fields of a mapping whose events list what many rows have in one of them.
pub struct Listed<'m> {
    pub before: &'m [Field],
    pub list: &'m Field,
    pub behind: &'m [Field],
}

impl Mapping {
    /// The mapping of an argument that is believed, for a trigger that sees each row or a whole statement.
    pub fn new(
        argument: &Argument,
        table: &Table,
        is_row: bool,
        batch: Option<Batch>,
        user_id: Source,
    ) -> Self {
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
            argument: argument.text.clone(),
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

    /// False while it cannot be known to which users the table's owner may give events.
    pub fn knows_owner(&self) -> bool {
        !matches!(self.owner, Bound::Unknown)
    }

    pub fn compared(&self) -> &[Column] {
        &self.compared
    }

    /// True when a compared column differs, byte for byte; always for a row that is new or gone.
    pub fn is_changed(&self, change: &Change) -> bool {
        match &change.old {
            Old::Unknown => true,
            // SAFETY: the firing's rows have the mapping's columns.
            Old::Moved(half) => unsafe { half.differs(&self.compared, &change.row) },
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

    /// The fields around and at the one that lists what many rows have; `None` where each row is an event.
    pub fn listed(&self) -> Option<Listed<'_>> {
        let (before, rest) = self.fields.split_at(self.list?);
        let (list, behind) = rest.split_first()?;
        Some(Listed { before, list, behind })
    }

    /// The event of a row, its values in a context.
    ///
    /// # Safety
    /// The context lives as long as the event.
    pub unsafe fn event(&self, row: &Row, tenant: Tenant, context: MemoryContext) -> Event {
        // SAFETY: handed on from the caller.
        unsafe {
            Event {
                data: data(&self.fields, row, &tenant, context),
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

    /// The name of a row's bank, as bytes.
    pub fn bank(&self, row: &Row) -> Option<Vec<u8>> {
        self.bank_id
            .with_text(row, settings::max_event_size(), <[u8]>::to_vec)
    }

    /// The tenant of a row's event. The nil UUID is nobody's, and a user that the table's owner may not act for counts
    /// as none.
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
