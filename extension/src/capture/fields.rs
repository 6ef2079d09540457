//! The data of an event: from the columns of one row to a JSON object. Must not decide whether there is an event.

use pgrx::pg_sys::{Datum, MemoryContext};
use serde_json::Value;

use super::argument::Origin;
use super::json::{self, Renderer};
use super::large;
use super::mapping::Tenant;
use super::memory::Text;
use super::rows::Row;
use super::table::{Column, Table};
use crate::settings;

pub enum Source {
    Column {
        column: Column,
        renderer: Renderer,
    },
    /// JSON text.
    Constant(Vec<u8>),
    Nothing,
}

impl Source {
    /// Warns when the column has gone.
    pub fn of(origin: &Origin, table: &Table) -> Self {
        match origin {
            Origin::Column(name) => table.find(name).map_or(Self::Nothing, |column| Self::Column {
                column: column.clone(),
                renderer: Renderer::of(column.type_oid),
            }),
            Origin::Constant(Value::Null) | Origin::Nothing => Self::Nothing,
            Origin::Constant(value) => Self::Constant(value.to_string().into_bytes()),
        }
    }

    pub fn column(&self) -> Option<&Column> {
        match self {
            Self::Column { column, .. } => Some(column),
            _ => None,
        }
    }

    /// True when the text of its values may depend on settings of the session.
    pub fn depends_on_settings(&self) -> bool {
        matches!(self, Self::Column { renderer, .. } if renderer.depends_on_settings())
    }

    /// Hands the plain text of the value, without JSON quotes, to `take`; `None` for null, and for a text of more than
    /// `longest` bytes.
    pub fn with_text<R>(&self, row: &Row, longest: usize, take: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let take = |bytes: &[u8]| (bytes.len() <= longest).then(|| take(bytes));
        match self {
            Self::Column { column, renderer } => {
                let value = row.column(column.number)?;
                // SAFETY: the firing's rows have the mapping's columns, so the value has the column's type.
                unsafe {
                    if column.size(value) > longest {
                        return None;
                    }
                    renderer.with_text(value, take)
                }
            }
            Self::Constant(constant) => match serde_json::from_slice(constant).ok()? {
                Value::String(text) => take(text.as_bytes()),
                other => take(other.to_string().as_bytes()),
            },
            Self::Nothing => None,
        }
    }
}

/// What a field has where the table gives it nothing.
enum Fallback {
    Null,
    User,
    Project,
}

pub struct Field {
    pub name: String,
    /// `"name":` as it stands in the JSON object.
    pub label: Vec<u8>,
    pub source: Source,
    fallback: Fallback,
}

impl Field {
    pub fn new(name: &str, source: Source) -> Self {
        Self {
            name: name.to_owned(),
            label: json::label(name),
            source,
            fallback: match name {
                "user_id" => Fallback::User,
                "project_id" => Fallback::Project,
                _ => Fallback::Null,
            },
        }
    }

    /// Appends the field's JSON; false when it has more than `limit` bytes, and `text` then has a part of it.
    pub fn render(&self, row: &Row, tenant: &Tenant, text: &mut Text, limit: usize) -> bool {
        match &self.source {
            Source::Constant(constant) => text.extend(constant),
            Source::Column { column, renderer } => {
                let Some(value) = row.column(column.number) else {
                    self.render_nothing(tenant, text);
                    return true;
                };
                let before = text.len();
                // SAFETY: the firing's rows have the mapping's columns, so the value has the column's type.
                unsafe {
                    if column.size(value) > limit {
                        return false;
                    }
                    renderer.append(value, text);
                }
                return text.len() - before <= limit;
            }
            Source::Nothing => self.render_nothing(tenant, text),
        }
        true
    }

    fn render_nothing(&self, tenant: &Tenant, text: &mut Text) {
        let id = match self.fallback {
            Fallback::Null => None,
            Fallback::User => tenant.user_id,
            Fallback::Project => tenant.project_id,
        };
        match id {
            Some(id) => text.extend(format!("\"{}\"", pgrx::Uuid::from_bytes(id)).as_bytes()),
            None => text.extend(b"null"),
        }
    }
}

/// The event's data as a value of `json` in a context: an object with the fields in their order. One that is larger than
/// `zerodb.max_event_size` loses its largest fields, see `large`.
///
/// # Safety
/// The context lives as long as the value is used.
pub unsafe fn data(fields: &[Field], row: &Row, tenant: &Tenant, context: MemoryContext) -> Datum {
    let limit = settings::max_event_size();
    // SAFETY: handed on from the caller.
    let mut text = unsafe { Text::new(context) };
    text.push(b'{');
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        text.extend(&field.label);
        if !field.render(row, tenant, &mut text, limit) || text.len() >= limit {
            text.truncate(0);
            return large::data(fields, row, tenant, text, limit);
        }
    }
    text.push(b'}');
    text.into_datum()
}
