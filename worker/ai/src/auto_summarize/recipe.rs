//! What a summary depends on beside its source, and what follows for a row: nothing, when it has that summary already. Pure.

use serde::Deserialize;

use super::prompt;
use crate::digest::{digest, hex};
use crate::source::Source;
use zerodb_hooks_delivery::outcome::HandlerError;

/// A row as `zerodb._summary_read` gives it: without its content.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    #[serde(flatten)]
    pub source: Source,
    pub summarized: Option<bool>,
    /// What the summary was made from, in hex, where this handler made it: of the table, or of the extension.
    pub hash: Option<String>,
    pub kept_hash: Option<String>,
}

/// What follows for a row.
#[derive(Debug, PartialEq, Eq)]
pub enum Need {
    Nothing,
    /// The source has gone; so does its summary.
    Clear(Made),
    Make(Made),
}

/// From what a summary is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The hash under which it is written back.
    pub source: String,
    /// Of source, models, length and prompt, in hex.
    pub hash: String,
}

#[derive(Debug, Clone)]
pub struct Recipe {
    /// As it is stored beside the summary.
    pub model: String,
    /// That of the parts of a long text.
    pub map_model: String,
    /// In characters.
    pub max_length: usize,
}

impl Recipe {
    /// What to do with a row. A summary that the application has given is left alone.
    ///
    /// # Errors
    /// Permanent, when its source cannot be read.
    pub fn need(&self, row: &Row) -> Result<Need, HandlerError> {
        let summarized = row.summarized.unwrap_or(false);
        let known = row.hash.as_ref().or(row.kept_hash.as_ref());
        if summarized && known.is_none() {
            return Ok(Need::Nothing);
        }
        let source = row.source.readable()?.to_owned();
        let hash = self.hash(&source);
        let is_empty = source.is_empty();
        let made = Made { source, hash };
        Ok(match (is_empty, summarized) {
            (true, true) => Need::Clear(made),
            (true, false) => Need::Nothing,
            (false, true) if known == Some(&made.hash) => Need::Nothing,
            (false, _) => Need::Make(made),
        })
    }

    fn hash(&self, source: &str) -> String {
        let length = self.max_length.to_string();
        let digest = digest([source, &self.model, &self.map_model, &length, prompt::VERSION]);
        hex(&digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Recipe {
        Recipe {
            model: "m".into(),
            map_model: "m".into(),
            max_length: 100,
        }
    }

    fn row(source: &str, summarized: bool, hash: Option<String>) -> Row {
        Row {
            source: Source {
                hash: Some(source.into()),
                size: 10,
                is_text: Some(true),
                is_elsewhere: false,
                name: None,
                content_type: None,
            },
            summarized: Some(summarized),
            hash,
            kept_hash: None,
        }
    }

    fn is_made(recipe: &Recipe, row: &Row) -> bool {
        matches!(recipe.need(row).unwrap(), Need::Make(_))
    }

    #[test]
    fn only_what_has_changed_is_summarised_again() {
        let first = recipe();
        assert!(is_made(&first, &row("a", false, None)));
        let hash = Some(first.hash("a"));
        assert!(!is_made(&first, &row("a", true, hash.clone())));
        assert!(is_made(&first, &row("b", true, hash.clone())), "another source");
        assert!(
            is_made(&first, &row("a", false, hash.clone())),
            "the summary was taken away"
        );
        let others = [
            Recipe {
                model: "n".into(),
                ..recipe()
            },
            Recipe {
                map_model: "n".into(),
                ..recipe()
            },
            Recipe {
                max_length: 99,
                ..recipe()
            },
        ];
        for other in others {
            assert!(is_made(&other, &row("a", true, hash.clone())), "{other:?}");
        }
        let kept = Row {
            hash: None,
            kept_hash: hash,
            ..row("a", true, None)
        };
        assert!(
            !is_made(&first, &kept),
            "the extension knows what it was made from"
        );
    }

    #[test]
    fn a_summary_of_the_application_is_left_alone() {
        assert_eq!(recipe().need(&row("a", true, None)).unwrap(), Need::Nothing);
    }

    #[test]
    fn a_source_that_has_gone_takes_its_summary_with_it() {
        let gone = row("", true, Some("aa".into()));
        assert!(matches!(recipe().need(&gone).unwrap(), Need::Clear(_)));
        assert_eq!(recipe().need(&row("", false, None)).unwrap(), Need::Nothing);
    }

    #[test]
    fn a_source_that_cannot_be_read_says_why() {
        let mut large = row("", false, None);
        large.source.hash = None;
        assert!(
            recipe()
                .need(&large)
                .unwrap_err()
                .to_string()
                .starts_with("input_too_large: ")
        );
        let mut elsewhere = row("", false, None);
        elsewhere.source.is_elsewhere = true;
        assert!(
            recipe()
                .need(&elsewhere)
                .unwrap_err()
                .to_string()
                .starts_with("unreadable_source: ")
        );
    }
}
