//! How the rows of a table are named, and which one an event is about. Pure.

use serde::Deserialize;
use serde_json::Value;

use crate::event::Event;
use crate::outcome::HandlerError;

/// The values of a primary key as texts.
pub type Key = Vec<String>;

/// The part of a plan that names rows.
#[derive(Debug, Clone, Deserialize)]
pub struct RowKey {
    pub table: String,
    /// The columns of the primary key.
    pub key: Vec<String>,
    /// The fields of the event's data that hold them; none for a column that the watch does not record.
    pub fields: Vec<Option<String>>,
}

impl RowKey {
    /// The row that an event is about.
    ///
    /// # Errors
    /// Permanent, when the watch does not record a column of the key.
    pub fn of(&self, event: &Event) -> Result<Key, HandlerError> {
        let parts = self.key.iter().zip(&self.fields);
        parts
            .map(|(column, field)| {
                let value = field.as_ref().and_then(|field| event.data.get(field));
                match value {
                    Some(Value::String(text)) => Ok(text.clone()),
                    Some(Value::Number(number)) => Ok(number.to_string()),
                    _ => Err(HandlerError::permanent(format!(
                        "no_key: the events of {} do not record its key column {column}; register an event type with a field for it",
                        self.table
                    ))),
                }
            })
            .collect()
    }
}
