//! Counts the tokens of a text as a model does, where its tokenizer is in this process.

use std::fmt;
use std::sync::Arc;

/// Cheap to clone. A count may take a while: a megabyte, some tenths of a second.
#[derive(Clone)]
pub struct TokenCounter {
    count: Arc<dyn Fn(&str) -> usize + Send + Sync>,
    /// Tokens that every input has around it.
    pub special: usize,
}

impl TokenCounter {
    /// `count` counts no special tokens.
    pub fn new(count: impl Fn(&str) -> usize + Send + Sync + 'static, special: usize) -> Self {
        Self {
            count: Arc::new(count),
            special,
        }
    }

    pub fn count(&self, text: &str) -> usize {
        (self.count)(text)
    }
}

impl fmt::Debug for TokenCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCounter").finish_non_exhaustive()
    }
}
