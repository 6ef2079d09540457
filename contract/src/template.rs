//! Templates in configs: over an event's data, or over the columns of a row.

use serde_json::{Value, json};

use crate::fault::Fault;
use crate::secret;
use crate::setting::Setting;

/// Jinja2 over an event's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTemplate(String);

/// Jinja2 over the columns of a row; not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowTemplate(String);

/// The body of a request: Jinja2 over an event's data, whose text between the tags may refer to secrets. The renderer
/// sees names in their places, never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyTemplate(String);

read_as_text!(EventTemplate, RowTemplate, BodyTemplate);

impl BodyTemplate {
    /// The names of the secrets that it refers to, each once for each reference.
    pub fn references(&self) -> Vec<&str> {
        let texts = zerodb_hooks_templates::texts(self).unwrap_or_default();
        let names = texts.into_iter().flat_map(secret::references);
        names.filter(|name| secret::is_name(name)).collect()
    }
}

impl Setting for BodyTemplate {
    const JSON_TYPE: &'static str = "text";
    const NAMES_FIELDS: bool = true;

    fn expected() -> String {
        EventTemplate::expected()
    }

    fn read(path: &str, value: &Value) -> Result<Self, Fault> {
        match value.as_str() {
            Some(text) => Ok(Self(text.to_owned())),
            None => Err(Fault::bad_value(path, Self::expected())),
        }
    }

    fn check(&self, path: &str) -> Result<(), Fault> {
        let bad = |fault: zerodb_hooks_templates::Fault| Fault::BadTemplate {
            key: path.into(),
            reason: fault.to_string(),
        };
        let texts = zerodb_hooks_templates::texts(self).map_err(bad)?;
        let mut plain = 0;
        for text in &texts {
            plain += secret::references(text).count();
            if secret::looks_like_reference(text) && secret::refers(text).is_none() {
                return Err(Fault::foreign_variable(path, text));
            }
        }
        // What a tag makes of a reference would be no reference any more.
        let in_all = secret::references(self)
            .filter(|name| secret::is_name(name))
            .count();
        if in_all > plain {
            return Err(Fault::ReferenceInTag { key: path.into() });
        }
        zerodb_hooks_templates::check(self).map_err(bad)
    }
}

impl Setting for EventTemplate {
    const JSON_TYPE: &'static str = "text";
    const NAMES_FIELDS: bool = true;

    fn expected() -> String {
        "a Jinja2 template".into()
    }

    fn read(path: &str, value: &Value) -> Result<Self, Fault> {
        match value.as_str() {
            Some(text) => Ok(Self(text.to_owned())),
            None => Err(Fault::bad_value(path, Self::expected())),
        }
    }

    fn check(&self, path: &str) -> Result<(), Fault> {
        check(path, self)
    }
}

impl Setting for RowTemplate {
    const JSON_TYPE: &'static str = "text";

    fn expected() -> String {
        "a Jinja2 template that is not empty".into()
    }

    fn schema() -> Value {
        json!({"type": "string", "minLength": 1})
    }

    fn read(path: &str, value: &Value) -> Result<Self, Fault> {
        match value.as_str() {
            Some(text) if !text.is_empty() => Ok(Self(text.to_owned())),
            _ => Err(Fault::bad_value(path, Self::expected())),
        }
    }

    fn check(&self, path: &str) -> Result<(), Fault> {
        check(path, self)
    }
}

/// The parser looks at nothing beyond the text, and its depth is bounded before it begins.
fn check(path: &str, text: &str) -> Result<(), Fault> {
    if secret::looks_like_reference(text) {
        return Err(Fault::ReferenceInTemplate { key: path.into() });
    }
    zerodb_hooks_templates::check(text).map_err(|fault| Fault::BadTemplate {
        key: path.into(),
        reason: fault.to_string(),
    })
}
