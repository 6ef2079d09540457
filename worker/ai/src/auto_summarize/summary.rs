//! A summary in the form in which it is stored. Pure.

use serde_json::{Value, json};

use super::prompt;
use crate::spending::Spent;
use zerodb_hooks_providers::estimate_tokens;

/// The way in which a summary was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryMethod {
    /// The text is short enough to be its own summary.
    Passthrough,
    /// Sentences of the text, chosen without a model.
    Extractive,
    /// One question to a model.
    Single,
    /// Summaries of parts, then one of these summaries.
    MapReduce,
}

impl SummaryMethod {
    pub fn name(self) -> &'static str {
        match self {
            Self::Passthrough => "passthrough",
            Self::Extractive => "extractive",
            Self::Single => "single",
            Self::MapReduce => "map_reduce",
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Summary {
    /// `None` for a text that is blank.
    pub text: Option<String>,
    pub method: SummaryMethod,
    /// The model that wrote it, where one did.
    pub model: Option<String>,
    /// Parts that were summarised.
    pub chunks: usize,
    /// Not all of the text was read, or the answer was cut.
    pub truncated: bool,
}

impl Summary {
    pub fn passthrough(text: &str) -> Self {
        Self {
            text: Some(text.to_owned()).filter(|text| !text.is_empty()),
            method: SummaryMethod::Passthrough,
            model: None,
            chunks: 0,
            truncated: false,
        }
    }

    /// The value of the column `<target>_info`.
    pub fn info(&self, source: &str, spent: Spent) -> Value {
        json!({
            "method": self.method.name(),
            "prompt_version": prompt::VERSION,
            "source_tokens": estimate_tokens(source),
            "chunks": self.chunks,
            "truncated": self.truncated,
            "requests": spent.requests,
            "prompt_tokens": spent.usage.prompt_tokens,
            "completion_tokens": spent.usage.completion_tokens,
        })
    }
}
