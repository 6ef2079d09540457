//! A key of a hook's config: its name, its meaning, what its value may be. Made by `settings!` beside the field that
//! holds it.

use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::setting::Setting;

/// A key of a config.
pub struct Key {
    pub name: &'static str,
    /// What it does, in Markdown.
    pub meaning: &'static str,
    pub is_required: bool,
    /// What it is in JSON.
    pub json_type: &'static str,
    /// Whether null stands for a key that was left out.
    pub null_is_absent: bool,
    /// Whether it is a template that names fields of the event's data.
    pub names_fields: bool,
    /// What it must be.
    pub expected: fn() -> String,
    /// Its value where it is left out; `None` where that is nothing.
    pub default: Option<fn() -> String>,
    /// Its JSON Schema, without what is said of the key.
    pub schema: fn() -> Value,
    pub(crate) check: fn(&str, &Value) -> Result<(), Fault>,
}

impl Key {
    /// Whether a hook may be made with this value.
    ///
    /// # Errors
    /// For the first thing that is wrong, with the path of the key.
    pub fn check(&self, value: &Value) -> Result<(), Fault> {
        if value.is_null() && self.null_is_absent {
            return Ok(());
        }
        (self.check)(self.name, value)
    }

    /// All that is wrong with a value: of an object, with each of its entries.
    pub fn faults(&self, value: &Value) -> Vec<Fault> {
        let alone = |(name, one): (&String, &Value)| {
            let entry = Map::from_iter([(name.clone(), one.clone())]);
            self.check(&Value::Object(entry)).err()
        };
        let of_entries: Vec<Fault> = match value.as_object() {
            Some(entries) => entries.iter().filter_map(alone).collect(),
            None => Vec::new(),
        };
        match of_entries.is_empty() {
            true => self.check(value).err().into_iter().collect(),
            false => of_entries,
        }
    }
}

/// The form of a value, and whether a hook may be made with it.
pub(crate) fn check<S: Setting>(path: &str, value: &Value) -> Result<(), Fault> {
    S::read(path, value)?.check(path)
}

/// The value of a key, if it is there.
pub(crate) fn read<S: Setting>(config: &Map<String, Value>, name: &str) -> Result<Option<S>, Fault> {
    match config.get(name) {
        None => Ok(None),
        Some(value) if value.is_null() && S::NULL_IS_ABSENT => Ok(None),
        Some(value) => S::read(name, value).map(Some),
    }
}

/// The name of a field without the mark that lets it be a word of Rust.
pub(crate) const fn bare(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', rest @ ..] => match std::str::from_utf8(rest) {
            Ok(name) => name,
            Err(_) => field,
        },
        _ => field,
    }
}
