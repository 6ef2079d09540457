//! The keys of a table's rows, and the key of the row that an event is about. Pure.

use serde::Deserialize;
use serde_json::value::RawValue;

use zerodb_hooks_delivery::event::Event;
use zerodb_hooks_delivery::outcome::HandlerError;

/// The values of a primary key as texts.
pub type Key = Vec<String>;

/// The part of a plan that names rows.
#[derive(Debug, Clone, Deserialize)]
pub struct RowKey {
    pub table: String,
    /// The columns of the primary key.
    pub key: Vec<String>,
    /// The fields of the event's data that hold them; `None` for a column that the watch does not record.
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
                let value = field.as_ref().and_then(|field| event.data.field(field));
                value.and_then(|value| text(&value)).ok_or_else(|| {
                    HandlerError::permanent(format!(
                        "no_key: the events of {} do not record its key column {column}; register an event type with a field for it",
                        self.table
                    ))
                })
            })
            .collect()
    }
}

/// A value of the data in the form by which the server finds the key: a text without its quotes, any other value as it
/// was written, with all its digits; of arrays and rows the server reads the JSON. `None` for null, and for a broken
/// text.
pub fn text(value: &RawValue) -> Option<String> {
    let raw = value.get().trim();
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'n' => None,
        _ => Some(raw.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_text_that_its_type_reads() {
        let cases = [
            (r#""a \"b\" \\ü""#, Some(r#"a "b" \ü"#)),
            ("20260101000000000000001", Some("20260101000000000000001")),
            ("42.50", Some("42.50")),
            ("1e+300", Some("1e+300")),
            ("true", Some("true")),
            ("null", None),
            ("[1,20260101000000000000001]", Some("[1,20260101000000000000001]")),
            (r#"{"x":1.50}"#, Some(r#"{"x":1.50}"#)),
            (r#""\\x00ff""#, Some(r"\x00ff")),
            (r#""\ud800""#, None),
        ];
        for (json, expected) in cases {
            let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
            assert_eq!(text(&raw).as_deref(), expected, "{json}");
        }
    }
}
