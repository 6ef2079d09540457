//! From a row to the text that is embedded, and to the hash by which unchanged text is recognised. Pure.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::digest::{digest, hex};
use crate::row_key::Key;
use zerodb_hooks_delivery::outcome::HandlerError;

/// A row as `zerodb._embed_read` gives it.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    /// Which of the keys that were asked for.
    #[serde(default)]
    pub n: usize,
    /// As the server writes it, which may be another text than the one that was asked for.
    pub key: Key,
    /// Hash of the columns that were read; `None` when they are too long to be read.
    pub source: Option<String>,
    /// Bytes of these columns.
    pub size: u64,
    pub values: Option<Map<String, Value>>,
    /// Whether it has a vector.
    pub embedded: bool,
    /// What the vector was made from, in hex, where this handler made it.
    pub hash: Option<String>,
    pub model: Option<String>,
}

/// What follows for a row.
#[derive(Debug)]
pub enum Need {
    /// There is nothing to embed, or it is embedded already.
    Nothing,
    Embed(Input),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    pub key: Key,
    /// The hash under which it is written back.
    pub source: String,
    pub text: String,
    /// Of text, model, dimensions and template, in hex.
    pub hash: String,
}

/// What a vector depends on beside the text.
#[derive(Debug, Clone)]
pub struct Recipe {
    pub template: Option<String>,
    pub model: String,
    pub dimensions: Option<usize>,
    /// Also where the application has given a vector of its own.
    pub replaces_given: bool,
}

impl Recipe {
    /// The columns of which the text is made; `None` where the row's vector is the application's own.
    ///
    /// # Errors
    /// Permanent, when the row's text is too long.
    pub fn values(&self, row: &mut Row) -> Result<Option<Map<String, Value>>, HandlerError> {
        let Some(values) = row.values.take().filter(|_| row.source.is_some()) else {
            return Err(HandlerError::permanent(format!(
                "input_too_long: the text has {} bytes, and at most 16777216 are read",
                row.size
            )));
        };
        let given = row.embedded && row.hash.is_none();
        Ok((!given || self.replaces_given).then_some(values))
    }

    /// What to do with a row, given its text.
    pub fn need(&self, row: Row, text: String) -> Need {
        if text.trim().is_empty() {
            return Need::Nothing;
        }
        let hash = self.hash(&text);
        if row.embedded && row.hash.as_ref() == Some(&hash) {
            return Need::Nothing;
        }
        Need::Embed(Input {
            key: row.key,
            source: row.source.unwrap_or_default(),
            text,
            hash,
        })
    }

    fn hash(&self, text: &str) -> String {
        let dimensions = self.dimensions.map(|count| count.to_string()).unwrap_or_default();
        let template = self.template.as_deref().unwrap_or("");
        hex(&digest([text, &self.model, &dimensions, template]))
    }
}

/// The text of a row without a template.
pub fn joined(values: &Map<String, Value>) -> String {
    values.values().map(plain).collect::<Vec<_>>().join("\n")
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn recipe() -> Recipe {
        Recipe {
            template: None,
            model: "m".into(),
            dimensions: Some(4),
            replaces_given: false,
        }
    }

    fn row(text: &str, hash: Option<String>, embedded: bool) -> Row {
        Row {
            n: 0,
            key: vec!["a".into()],
            source: Some("s".into()),
            size: text.len() as u64,
            values: json!({"content": text}).as_object().cloned(),
            embedded,
            hash,
            model: None,
        }
    }

    fn is_needed(recipe: &Recipe, mut row: Row) -> bool {
        let values = recipe.values(&mut row).unwrap();
        values.is_some_and(|values| matches!(recipe.need(row, joined(&values)), Need::Embed(_)))
    }

    #[test]
    fn only_what_has_changed_is_embedded_again() {
        let first = recipe();
        assert!(is_needed(&first, row("hello", None, false)));
        let hash = Some(first.hash("hello"));
        assert!(!is_needed(&first, row("hello", hash.clone(), true)));
        assert!(is_needed(&first, row("hello!", hash.clone(), true)));
        assert!(
            is_needed(&first, row("hello", hash.clone(), false)),
            "the vector was taken away"
        );
        for other in [
            Recipe {
                model: "n".into(),
                ..recipe()
            },
            Recipe {
                dimensions: Some(5),
                ..recipe()
            },
            Recipe {
                template: Some("{{ content }}".into()),
                ..recipe()
            },
        ] {
            assert!(is_needed(&other, row("hello", hash.clone(), true)));
        }
    }

    #[test]
    fn a_vector_of_the_application_is_left_alone() {
        assert!(!is_needed(&recipe(), row("hello", None, true)));
    }

    #[test]
    fn there_is_nothing_to_embed_in_white_space() {
        assert!(!is_needed(&recipe(), row(" \n", None, false)));
    }
}
