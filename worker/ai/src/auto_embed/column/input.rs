//! Makes of a row the text that is embedded, and the hash by which an unchanged text is recognised. Pure.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::recipe::EmbedRecipe;
use crate::digest::{digest, hex};
use crate::row_key::Key;
use zerodb_hooks_delivery::outcome::HandlerError;

/// A row in the form that `zerodb._embed_read` gives.
#[derive(Debug, Clone, Deserialize)]
pub struct ColumnRow {
    /// The index of its key among those that were asked for.
    #[serde(default)]
    pub n: usize,
    /// The key in the server's form, which may be another text than the one that was asked for.
    pub key: Key,
    /// Hash of the columns that were read; `None` when they are too long to be read.
    pub source: Option<String>,
    /// Bytes of these columns.
    pub size: u64,
    pub values: Option<Map<String, Value>>,
    /// The row has a vector.
    pub embedded: bool,
    /// Identifies what the vector was made from, in hex; only where this handler made it.
    pub hash: Option<String>,
    pub model: Option<String>,
}

/// The need of a row.
#[derive(Debug)]
pub enum ColumnNeed {
    /// There is nothing to embed, or it is embedded already.
    Nothing,
    Embed(ColumnInput),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInput {
    pub key: Key,
    /// The hash under which it is written back.
    pub source: String,
    pub text: String,
    /// The hash of text, model, dimensions and template, in hex.
    pub hash: String,
}

impl EmbedRecipe {
    /// The columns that the text is made of; `None` where the row's vector is the application's own.
    ///
    /// # Errors
    /// Permanent, when the row's text is too long.
    pub fn values(&self, row: &mut ColumnRow) -> Result<Option<Map<String, Value>>, HandlerError> {
        let Some(values) = row.values.take().filter(|_| row.source.is_some()) else {
            return Err(HandlerError::permanent(format!(
                "input_too_long: the text has {} bytes, and at most 16777216 are read",
                row.size
            )));
        };
        let given = row.embedded && row.hash.is_none();
        Ok((!given || self.replaces_given).then_some(values))
    }

    /// The need of a row with this text.
    pub fn need(&self, row: ColumnRow, text: String) -> ColumnNeed {
        if text.trim().is_empty() {
            return ColumnNeed::Nothing;
        }
        let hash = self.hash(&text);
        if row.embedded && row.hash.as_ref() == Some(&hash) {
            return ColumnNeed::Nothing;
        }
        ColumnNeed::Embed(ColumnInput {
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

    fn recipe() -> EmbedRecipe {
        EmbedRecipe {
            template: None,
            model: "m".into(),
            dimensions: Some(4),
            replaces_given: false,
        }
    }

    fn row(text: &str, hash: Option<String>, embedded: bool) -> ColumnRow {
        ColumnRow {
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

    fn is_needed(recipe: &EmbedRecipe, mut row: ColumnRow) -> bool {
        let values = recipe.values(&mut row).unwrap();
        values.is_some_and(|values| matches!(recipe.need(row, joined(&values)), ColumnNeed::Embed(_)))
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
            EmbedRecipe {
                model: "n".into(),
                ..recipe()
            },
            EmbedRecipe {
                dimensions: Some(5),
                ..recipe()
            },
            EmbedRecipe {
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
