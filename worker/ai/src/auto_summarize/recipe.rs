//! The settings that a summary depends on beside its source, and the need of a row: none, when it has that summary
//! already. Pure.

use serde::Deserialize;

use super::plan::SummaryPlan;
use super::prompt;
use crate::digest::{digest, hex};
use crate::source::Source;
use zerodb_hooks_contract::hooks::AutoSummarize;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_providers::Provider;

/// A row in the form that `zerodb._summary_read` gives, without its content.
#[derive(Debug, Clone, Deserialize)]
pub struct SummarizedRow {
    #[serde(flatten)]
    pub source: Source,
    pub summarized: Option<bool>,
    /// Identifies what the summary was made from, in hex, where this handler made it: the value in the table.
    pub hash: Option<String>,
    /// The same value as the extension keeps it, for a table that has no column for it.
    pub kept_hash: Option<String>,
}

/// The need of a row.
#[derive(Debug, PartialEq, Eq)]
pub enum SummaryNeed {
    Nothing,
    /// The source has gone; so does its summary.
    Clear(SummaryBasis),
    Make(SummaryBasis),
}

/// The source of a summary, and the hash of all that it is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryBasis {
    /// The hash under which it is written back.
    pub source: String,
    /// The hash of source, models, length and prompt, in hex.
    pub hash: String,
}

#[derive(Debug, Clone)]
pub struct SummaryRecipe {
    /// The model as it is stored beside the summary.
    pub model: String,
    /// The model of the parts of a long text.
    pub map_model: String,
    /// The longest summary, in characters.
    pub max_length: usize,
}

impl SummaryRecipe {
    /// # Errors
    /// Deferred, when neither the hook nor the worker's file names a model.
    pub fn of(config: &AutoSummarize, plan: &SummaryPlan, provider: &Provider) -> Result<Self, HandlerError> {
        let identity = |name: Option<&str>| {
            if provider.can_chat() {
                provider.identity(name).map_err(|error| verdict::of_model(&error))
            } else {
                Ok(zerodb_hooks_lexical::MODEL.to_owned())
            }
        };
        let model = config.model.as_deref();
        Ok(Self {
            model: identity(model)?,
            map_model: identity(config.map_model.as_deref().or(model))?,
            max_length: plan.max_length(config),
        })
    }

    /// The need of a row. A summary that the application has given is left alone.
    ///
    /// # Errors
    /// Permanent, when its source cannot be read.
    pub fn need(&self, row: &SummarizedRow) -> Result<SummaryNeed, HandlerError> {
        let summarized = row.summarized.unwrap_or(false);
        let known = row.hash.as_ref().or(row.kept_hash.as_ref());
        if summarized && known.is_none() {
            return Ok(SummaryNeed::Nothing);
        }
        let source = row.source.readable()?.to_owned();
        let hash = self.hash(&source);
        let is_empty = source.is_empty();
        let basis = SummaryBasis { source, hash };
        Ok(match (is_empty, summarized) {
            (true, true) => SummaryNeed::Clear(basis),
            (true, false) => SummaryNeed::Nothing,
            (false, true) if known == Some(&basis.hash) => SummaryNeed::Nothing,
            (false, _) => SummaryNeed::Make(basis),
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

    fn recipe() -> SummaryRecipe {
        SummaryRecipe {
            model: "m".into(),
            map_model: "m".into(),
            max_length: 100,
        }
    }

    fn row(source: &str, summarized: bool, hash: Option<String>) -> SummarizedRow {
        SummarizedRow {
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

    fn is_made(recipe: &SummaryRecipe, row: &SummarizedRow) -> bool {
        matches!(recipe.need(row).unwrap(), SummaryNeed::Make(_))
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
            SummaryRecipe {
                model: "n".into(),
                ..recipe()
            },
            SummaryRecipe {
                map_model: "n".into(),
                ..recipe()
            },
            SummaryRecipe {
                max_length: 99,
                ..recipe()
            },
        ];
        for other in others {
            assert!(is_made(&other, &row("a", true, hash.clone())), "{other:?}");
        }
        let kept = SummarizedRow {
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
        assert_eq!(
            recipe().need(&row("a", true, None)).unwrap(),
            SummaryNeed::Nothing
        );
    }

    #[test]
    fn a_source_that_has_gone_takes_its_summary_with_it() {
        let gone = row("", true, Some("aa".into()));
        assert!(matches!(recipe().need(&gone).unwrap(), SummaryNeed::Clear(_)));
        assert_eq!(
            recipe().need(&row("", false, None)).unwrap(),
            SummaryNeed::Nothing
        );
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
