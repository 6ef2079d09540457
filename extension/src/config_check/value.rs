//! What the value of a key must be. Pure. No error repeats a value: it may be a secret that somebody wrote there.

use serde_json::Value;

use super::keys::{Key, Kind};
use super::{headers, reference, url};
use crate::error::Error;

impl Key {
    /// # Errors
    /// 22023 with the path of the key, for the first thing that is wrong.
    pub fn check(&self, value: &Value) -> Result<(), Error> {
        let text = value.as_str();
        let fits = match (&self.kind, text) {
            (Kind::Bool, _) => value.is_boolean(),
            (Kind::Only(only), _) => match value.as_bool() {
                Some(other) if other != *only => {
                    return Err(Error::NotBuilt {
                        key: self.name,
                        value: other,
                    });
                }
                found => found.is_some(),
            },
            (Kind::Whole { least, most }, _) => value
                .as_i64()
                .is_some_and(|number| (*least..=*most).contains(&number)),
            (Kind::Headers, _) => match value.as_object() {
                Some(entries) => return headers::check(self.name, entries),
                None => false,
            },
            (_, None) => false,
            (Kind::Text { most } | Kind::Path { most }, Some(text)) => {
                !text.trim().is_empty() && text.chars().count() <= *most
            }
            (Kind::OneOf(allowed), Some(text)) => allowed.contains(&text),
            (Kind::Url, Some(text)) => return url::check(self.name, text),
            (Kind::Template { least }, Some(text)) if text.len() >= *least => {
                return template(self.name, text);
            }
            (Kind::Template { .. }, Some(_)) => false,
            (Kind::Secret, Some(text)) if reference::is_reference(text) => true,
            (Kind::Secret, Some(_)) => {
                return Err(Error::LiteralSecret {
                    key: self.name.into(),
                });
            }
        };
        if fits {
            Ok(())
        } else {
            Err(Error::BadValue {
                key: self.name.into(),
                expected: self.kind.expected(),
            })
        }
    }
}

impl Kind {
    fn expected(&self) -> String {
        match self {
            Self::Bool | Self::Only(_) => "true or false".into(),
            Self::Text { most } | Self::Path { most } => {
                format!("a text that is not empty, of at most {most} characters")
            }
            Self::Whole { least, most } => format!("a whole number from {least} to {most}"),
            Self::OneOf(allowed) => {
                let quoted: Vec<String> = allowed.iter().map(|word| format!("\"{word}\"")).collect();
                format!("one of {}", quoted.join(", "))
            }
            Self::Url => url::EXPECTED.into(),
            Self::Headers => "an object whose values are texts".into(),
            Self::Template { .. } => "a template".into(),
            Self::Secret => "a reference such as \"${ZERODB_SECRET_NAME}\"".into(),
        }
    }
}

/// The parser looks at nothing beyond the text, and its depth is bounded before it begins.
fn template(key: &'static str, text: &str) -> Result<(), Error> {
    if reference::looks_like_one(text) {
        return Err(Error::ReferenceInTemplate { key });
    }
    zerodb_hooks_templates::check(text).map_err(|fault| Error::BadTemplate {
        key,
        reason: fault.to_string(),
    })
}
