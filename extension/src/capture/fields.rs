//! The fields of an event, and the sources of their values: a column of the row, a constant, or the tenant. Must not
//! know which fields make an event.

use serde_json::Value;

use super::argument::Origin;
use super::json::{self, Renderer};
use super::memory::Text;
use super::row::Row;
use super::table::{Column, Table};
use super::tenant::Tenant;

/// The source of a value.
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

/// The value of a field where the table gives it none.
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
