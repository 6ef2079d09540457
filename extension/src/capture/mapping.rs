//! The mapping of one watch, from the trigger's argument and the table's columns: where each field of an event's data
//! comes from, and whose event it is.

use std::ffi::CStr;

use pgrx::prelude::*;
use pgrx::{PgTupleDesc, pg_sys};
use serde_json::Value;

use super::json::{self, Renderer};
use super::rows::{Change, Operation, Row};
use crate::outbox::Event;
use crate::settings;

/// Whose event a row is: its own columns, else the session's settings.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Tenant {
    pub user_id: Option<[u8; 16]>,
    pub project_id: Option<[u8; 16]>,
}

enum Source {
    Column {
        number: i16,
        renderer: Renderer,
    },
    /// A constant, as JSON text.
    Constant(Vec<u8>),
}

struct Field {
    /// `"name":` as it stands in the JSON object.
    label: Vec<u8>,
    source: Source,
}

struct Column {
    number: i16,
    by_value: bool,
    length: i16,
}

/// The companion type of a statement that stores several rows.
pub struct Batch {
    pub event: Vec<u8>,
    fields: Vec<String>,
}

pub struct Mapping {
    pub relid: pg_sys::Oid,
    /// The table that was watched: `relid` itself, or the partitioned table above it.
    pub root: pg_sys::Oid,
    pub event: Vec<u8>,
    /// Not for a row trigger, which sees one row only.
    pub batch: Option<Batch>,
    /// True for the statement trigger of a partitioned table: the rows themselves are for the row triggers.
    pub batch_only: bool,
    operations: Vec<Operation>,
    fields: Vec<Field>,
    user_id: Source,
    project_id: Source,
    bank_id: Source,
    /// The columns of which one must change for an UPDATE to count.
    compared: Vec<Column>,
}

unsafe extern "C-unwind" {
    // A comparison of bytes; it raises only for a toast pointer to nowhere.
    fn datum_image_eq(a: pg_sys::Datum, b: pg_sys::Datum, by_value: bool, length: std::ffi::c_int) -> bool;
    fn get_partition_parent(relid: pg_sys::Oid, even_if_detached: bool) -> pg_sys::Oid;
}

impl Mapping {
    /// `None` when the argument is not what `zerodb.watch` writes. Warns of columns that have gone.
    ///
    /// # Safety
    /// `trigger` is the data of a firing in progress.
    pub unsafe fn read(trigger: &pg_sys::TriggerData) -> Option<Self> {
        // SAFETY: tg_args holds tg_nargs C strings, and the relation is open.
        let (argument, table) = unsafe {
            let definition = &*trigger.tg_trigger;
            if definition.tgnargs != 1 {
                return None;
            }
            (CStr::from_ptr(*definition.tgargs), Table::of(trigger.tg_relation))
        };
        // In a database of SQL_ASCII names may be in any encoding.
        let argument: Value = serde_json::from_str(&argument.to_string_lossy()).ok()?;
        let named = |key: &str| argument.get(key).and_then(Value::as_array);
        let operations = named("operations")?
            .iter()
            .filter_map(|name| operation(name.as_str()?))
            .collect();
        let fields = named("fields")?
            .iter()
            .map(|pair| {
                Some(Field {
                    label: json::label(pair.get(0)?.as_str()?),
                    source: table.source(pair.get(1)?),
                })
            })
            .collect::<Option<_>>()?;
        let compared = match named("update_of") {
            Some(names) => names
                .iter()
                .filter_map(|name| table.compared(name.as_str()?))
                .collect(),
            None => table
                .columns
                .iter()
                .filter(|column| !column.dropped)
                .map(TableColumn::compared)
                .collect(),
        };
        let is_row = trigger.tg_event & pg_sys::TRIGGER_EVENT_ROW != 0;
        let source = |key: &str| table.source(argument.get(key).unwrap_or(&Value::Null));
        Some(Self {
            relid: table.relid,
            // SAFETY: a catalog look-up.
            root: unsafe { root_of(trigger.tg_relation) },
            event: argument.get("event")?.as_str()?.as_bytes().to_vec(),
            batch: argument.get("batch").filter(|_| !is_row).and_then(Batch::read),
            batch_only: table.is_partitioned && !is_row,
            operations,
            fields,
            user_id: source("user_id"),
            project_id: source("project_id"),
            bank_id: source("bank_id"),
            compared,
        })
    }

    pub fn has(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// True when a compared column differs, byte for byte.
    pub fn is_changed(&self, change: &Change) -> bool {
        let Some(old) = &change.old else { return true };
        self.compared.iter().any(|column| {
            match (old.column(column.number), change.row.column(column.number)) {
                // SAFETY: both values have the column's type.
                (Some(a), Some(b)) => unsafe {
                    !datum_image_eq(a, b, column.by_value, i32::from(column.length))
                },
                (a, b) => a.is_some() != b.is_some(),
            }
        })
    }

    /// The event's data: a JSON object in the order of the type's fields.
    pub fn data(&self, change: &Change) -> Vec<u8> {
        let mut text = Vec::with_capacity(160);
        text.push(b'{');
        for (at, field) in self.fields.iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            text.extend_from_slice(&field.label);
            field.source.render(&change.row, &mut text);
        }
        text.push(b'}');
        text
    }

    pub fn tenant(&self, change: &Change) -> Tenant {
        Tenant {
            user_id: self.user_id.uuid(&change.row).or_else(settings::user_id),
            project_id: self.project_id.uuid(&change.row).or_else(settings::project_id),
        }
    }

    pub fn bank_id(&self, change: &Change) -> Option<Vec<u8>> {
        self.bank_id.text(&change.row)
    }
}

impl Source {
    fn render(&self, row: &Row, text: &mut Vec<u8>) {
        match self {
            Self::Constant(constant) => text.extend_from_slice(constant),
            Self::Column { number, renderer } => match row.column(*number) {
                Some(value) => renderer.append(value, text),
                None => text.extend_from_slice(b"null"),
            },
        }
    }

    /// The plain text of the value, without JSON quotes; `None` for null.
    fn text(&self, row: &Row) -> Option<Vec<u8>> {
        match self {
            Self::Column { number, renderer } => row.column(*number).map(|value| renderer.text(value)),
            Self::Constant(constant) => match serde_json::from_slice(constant).ok()? {
                Value::Null => None,
                Value::String(text) => Some(text.into_bytes()),
                other => Some(other.to_string().into_bytes()),
            },
        }
    }

    /// The value as a UUID; a value that is none counts as none, because the writer must not fail for it.
    fn uuid(&self, row: &Row) -> Option<[u8; 16]> {
        match self {
            Self::Constant(constant) if constant == b"null" => None,
            Self::Column {
                number,
                renderer: Renderer::Uuid,
            } => row.column(*number).map(json::uuid_bytes),
            _ => settings::parse_uuid(&self.text(row)?),
        }
    }
}

impl Batch {
    fn read(batch: &Value) -> Option<Self> {
        let fields = batch.get("fields")?.as_array()?;
        Some(Self {
            event: batch.get("event")?.as_str()?.as_bytes().to_vec(),
            fields: fields
                .iter()
                .filter_map(|field| field.as_str().map(str::to_owned))
                .collect(),
        })
    }

    /// The event of `count` rows of one tenant.
    pub fn event(&self, tenant: &Tenant, count: u64) -> Event {
        let id = |id: &Option<[u8; 16]>| {
            id.map_or(Value::Null, |id| pgrx::Uuid::from_bytes(id).to_string().into())
        };
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
        Event {
            data: Value::Object(data).to_string().into_bytes(),
            user_id: tenant.user_id,
            project_id: tenant.project_id,
            bank_id: None,
        }
    }
}

fn operation(name: &str) -> Option<Operation> {
    match name {
        "insert" => Some(Operation::Insert),
        "update" => Some(Operation::Update),
        "delete" => Some(Operation::Delete),
        _ => None,
    }
}

struct TableColumn {
    name: Vec<u8>,
    number: i16,
    type_oid: pg_sys::Oid,
    by_value: bool,
    length: i16,
    dropped: bool,
}

impl TableColumn {
    fn compared(&self) -> Column {
        Column {
            number: self.number,
            by_value: self.by_value,
            length: self.length,
        }
    }
}

/// The columns of the table as they are now.
struct Table {
    relid: pg_sys::Oid,
    name: String,
    is_partitioned: bool,
    columns: Vec<TableColumn>,
}

impl Table {
    unsafe fn of(relation: pg_sys::Relation) -> Self {
        // SAFETY: the relation is open.
        let (description, relid, name, is_partitioned) = unsafe {
            let class = &*(*relation).rd_rel;
            let name = CStr::from_ptr(class.relname.data.as_ptr());
            let is_partitioned = class.relkind as u8 == pg_sys::RELKIND_PARTITIONED_TABLE;
            (
                PgTupleDesc::from_pg_unchecked((*relation).rd_att),
                (*relation).rd_id,
                name,
                is_partitioned,
            )
        };
        let columns = description
            .iter()
            .map(|column| TableColumn {
                // SAFETY: a name ends with a zero. Not `name()`, which panics where the name is not UTF-8.
                name: unsafe { CStr::from_ptr(column.attname.data.as_ptr()) }
                    .to_bytes()
                    .to_vec(),
                number: column.attnum,
                type_oid: column.atttypid,
                by_value: column.attbyval,
                length: column.attlen,
                dropped: column.attisdropped,
            })
            .collect();
        Self {
            relid,
            name: name.to_string_lossy().into_owned(),
            is_partitioned,
            columns,
        }
    }

    fn find(&self, name: &str) -> Option<&TableColumn> {
        let found = self
            .columns
            .iter()
            .find(|column| !column.dropped && column.name == name.as_bytes());
        if found.is_none() {
            ereport!(
                PgLogLevel::WARNING,
                PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
                format!(
                    "watched column \"{name}\" of table \"{}\" does not exist any more",
                    self.name
                ),
                "Its field is null in the events of this table. Call zerodb.watch again with the column's new name."
            );
        }
        found
    }

    /// Where a field comes from, as `zerodb._field_source` wrote it.
    fn source(&self, source: &Value) -> Source {
        let constant = |value: &Value| Source::Constant(value.to_string().into_bytes());
        match source {
            Value::String(name) => match self.find(name) {
                Some(column) => Source::Column {
                    number: column.number,
                    renderer: Renderer::of(column.type_oid),
                },
                None => constant(&Value::Null),
            },
            Value::Object(object) => constant(object.get("value").unwrap_or(&Value::Null)),
            _ => constant(&Value::Null),
        }
    }

    fn compared(&self, name: &str) -> Option<Column> {
        self.find(name).map(TableColumn::compared)
    }
}

/// The topmost partitioned table above a partition, or the table itself.
unsafe fn root_of(relation: pg_sys::Relation) -> pg_sys::Oid {
    // SAFETY: catalog look-ups; a partition has a parent.
    unsafe {
        let mut relid = (*relation).rd_id;
        if (*(*relation).rd_rel).relispartition {
            relid = get_partition_parent(relid, true);
            while pg_sys::get_rel_relispartition(relid) {
                relid = get_partition_parent(relid, true);
            }
        }
        relid
    }
}
