//! A value of a template as JSON, with every digit. Pure.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, Value};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::ser::PrettyFormatter;

use crate::number::Numbers;

/// Levels of what a template makes: data have at most 127.
const DEEPEST: usize = 150;

/// The filter `tojson`, as the renderer has it: safe in HTML too, and indented where it is asked for.
///
/// # Errors
/// For what is no JSON.
pub fn filter(
    numbers: &Numbers,
    value: &Value,
    indent: Option<Value>,
    arguments: &Kwargs,
) -> Result<Value, Error> {
    let indent = match indent {
        Some(indent) => Some(indent),
        None => arguments.get::<Option<Value>>("indent")?,
    };
    let indent = match indent.map(|given| (bool::try_from(given.clone()), given)) {
        None | Some((Ok(false), _)) => None,
        Some((Ok(true), _)) => Some(2),
        Some((Err(_), spaces)) => Some(usize::try_from(spaces)?),
    };
    arguments.assert_all_used()?;
    let text = match indent {
        None => text(numbers, value)?,
        Some(spaces) => indented(numbers, value, spaces)?,
    };
    let safe = text
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\'', "\\u0027");
    Ok(Value::from_safe_string(safe))
}

/// # Errors
/// For what is no JSON.
pub fn text(numbers: &Numbers, value: &Value) -> Result<String, Error> {
    serde_json::to_string(&Exact::new(numbers, value)).map_err(no_json)
}

fn indented(numbers: &Numbers, value: &Value, spaces: usize) -> Result<String, Error> {
    let indent = " ".repeat(spaces.min(64));
    let mut written = Vec::new();
    let formatter = PrettyFormatter::with_indent(indent.as_bytes());
    let mut writer = serde_json::Serializer::with_formatter(&mut written, formatter);
    Exact::new(numbers, value)
        .serialize(&mut writer)
        .map_err(no_json)?;
    String::from_utf8(written).map_err(|_| Error::new(ErrorKind::InvalidOperation, "no text"))
}

fn no_json(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::InvalidOperation, "cannot serialize to JSON").with_source(error)
}

struct Exact<'a> {
    numbers: &'a Numbers,
    value: &'a Value,
    depth: usize,
}

impl<'a> Exact<'a> {
    fn new(numbers: &'a Numbers, value: &'a Value) -> Self {
        Self {
            numbers,
            value,
            depth: 0,
        }
    }

    fn inner<'b>(&'b self, value: &'b Value) -> Exact<'b> {
        Exact {
            numbers: self.numbers,
            value,
            depth: self.depth + 1,
        }
    }
}

impl Serialize for Exact<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let value = self.value;
        if self.depth > DEEPEST {
            return Err(S::Error::custom("nested too deeply"));
        }
        if let Some(text) = self.numbers.text(value).map_err(S::Error::custom)? {
            let number: serde_json::Number = text.parse().map_err(S::Error::custom)?;
            return number.serialize(out);
        }
        match value.kind() {
            ValueKind::Seq | ValueKind::Iterable => {
                let mut list = out.serialize_seq(value.len())?;
                for element in value.try_iter().map_err(S::Error::custom)? {
                    list.serialize_element(&self.inner(&element))?;
                }
                list.end()
            }
            ValueKind::Map => {
                let mut map = out.serialize_map(value.len())?;
                for key in value.try_iter().map_err(S::Error::custom)? {
                    let entry = value.get_item(&key).map_err(S::Error::custom)?;
                    map.serialize_entry(&key, &self.inner(&entry))?;
                }
                map.end()
            }
            _ => value.serialize(out),
        }
    }
}
