//! Tokens: those that a provider reports, and the estimate where it reports none. Pure.

use serde_json::Value;

/// The tokens of a request.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// The provider did not say: computed from the length of the texts.
    pub estimated: bool,
}

impl Usage {
    /// Reads the `usage` of an answer. `None` where it names nothing, or zero, which some servers report for any
    /// request.
    pub fn reported(usage: &Value) -> Option<Self> {
        let prompt_tokens = usage["prompt_tokens"].as_u64().filter(|tokens| *tokens > 0)?;
        Some(Self {
            prompt_tokens,
            completion_tokens: usage["completion_tokens"].as_u64().unwrap_or_default(),
            estimated: false,
        })
    }

    /// The sum of two; estimated if one of them is.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            completion_tokens: self.completion_tokens.saturating_add(other.completion_tokens),
            estimated: self.estimated || other.estimated,
        }
    }
}

/// The estimate by which texts are cut: more tokens than nearly any tokenizer makes of a text, so that a request packed
/// by it is not refused.
pub fn estimate_tokens(text: &str) -> u64 {
    zerodb_hooks_documents::estimated_tokens(text) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_counts_bytes_of_prose_and_more_of_what_is_dense() {
        assert_eq!(estimate_tokens(""), 0);
        assert_eq!(estimate_tokens("abcd"), 2);
        assert_eq!(estimate_tokens("日本"), 3);
        assert_eq!(estimate_tokens("3f2a9c1e-77b0"), 13);
    }
}
