//! How the rows of a table are named, and which one an event is about. Pure.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

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

/// A value of the data as the text that a cast to the column's type reads: digits as they were written, an array as an array of
/// the server. `None` for null, and for what is no text.
pub fn text(value: &RawValue) -> Option<String> {
    let raw = value.get().trim();
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'n' => None,
        b'[' => {
            let mut written = String::new();
            array(&serde_json::from_str::<Vec<Value>>(raw).ok()?, &mut written);
            Some(written)
        }
        _ => Some(raw.to_owned()),
    }
}

/// Writes an array as the server's type of arrays is read: every element that is no number in quotes, so that none is taken for a
/// null or a part of the syntax.
fn array(values: &[Value], out: &mut String) {
    out.push('{');
    for (place, value) in values.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        match value {
            Value::Null => out.push_str("NULL"),
            Value::Array(inner) => array(inner, out),
            Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
            Value::String(text) => quoted(text, out),
            Value::Object(_) => quoted(&value.to_string(), out),
        }
    }
    out.push('}');
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for sign in text.chars() {
        if matches!(sign, '"' | '\\') {
            out.push('\\');
        }
        out.push(sign);
    }
    out.push('"');
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
            (
                "[1, 20260101000000000000001]",
                Some("{1,20260101000000000000001}"),
            ),
            (
                r#"[["a","NULL"],["x\"y",null]]"#,
                Some(r#"{{"a","NULL"},{"x\"y",NULL}}"#),
            ),
            (r#""\\x00ff""#, Some(r"\x00ff")),
            (r#""\ud800""#, None),
        ];
        for (json, expected) in cases {
            let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
            assert_eq!(text(&raw).as_deref(), expected, "{json}");
        }
    }
}
