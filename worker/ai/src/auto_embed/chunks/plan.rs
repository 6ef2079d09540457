//! The server's plan for a hook and a table of chunks, and the sizes in which texts are cut. Pure.

use serde::Deserialize;
use zerodb_hooks_documents::ChunkOptions;

use crate::row_key::RowKey;
use zerodb_hooks_contract::hooks::AutoEmbed;

/// One part in so many of a model's input is left for headings.
const HEADINGS: usize = 8;

/// The answer of `zerodb._chunk_plan`. The server makes the plan anew for every action.
#[derive(Debug, Clone, Deserialize)]
pub struct ChunkPlan {
    #[serde(flatten)]
    pub row: RowKey,
    /// The table of the chunks, by the server's number for it: that it is there tells this plan from that of a column.
    #[serde(rename = "chunks")]
    _chunks: u32,
    /// The dimensions of their vectors; `None` for a column of any dimensions.
    pub dimensions: Option<usize>,
    /// Row-level security holds for the acting role.
    pub tenants: bool,
}

/// The sizes of chunks: those of the hook, but not more than its model takes. `is_counted`: by the model's own
/// tokenizer, so that the headings above a chunk need room of their own; an estimate has some.
pub fn options(hook: &AutoEmbed, input_tokens: usize, is_counted: bool) -> ChunkOptions {
    let usual = ChunkOptions::for_embeddings(false);
    let takes = if is_counted {
        input_tokens - input_tokens / HEADINGS
    } else {
        input_tokens
    };
    let wanted = hook.chunk_tokens.map_or(usual.max_tokens, |own| own.as_usize());
    let max_tokens = wanted.min(takes.max(1));
    let overlap = hook.chunk_overlap.map_or(max_tokens / 10, |own| own.as_usize());
    ChunkOptions {
        max_tokens,
        overlap_tokens: overlap.min(max_tokens / 2),
        ..usual
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn cut(config: &Value, input_tokens: usize) -> (usize, usize) {
        let hook = AutoEmbed::read(config.as_object().unwrap()).unwrap();
        let options = options(&hook, input_tokens, false);
        (options.max_tokens, options.overlap_tokens)
    }

    #[test]
    fn a_part_is_never_more_than_the_model_takes() {
        assert_eq!(cut(&json!({}), 8192), (400, 40));
        assert_eq!(cut(&json!({"chunk_tokens": 1000}), 256), (256, 25));
        assert_eq!(
            cut(&json!({"chunk_tokens": 100, "chunk_overlap": 90}), 256),
            (100, 50)
        );
    }
}
