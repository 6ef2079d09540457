//! What a hook's config and the definitions of a table and its chunks say together. Pure.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zerodb_hooks_documents::ChunkOptions;

use crate::handlers::row_key::RowKey;
use crate::hook::Hook;

/// What the server found out (`zerodb._chunk_plan`). It goes back with every other action, whole.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct ChunkPlan {
    #[serde(flatten)]
    pub row: RowKey,
    /// The table of the chunks.
    pub chunks: u32,
    /// Of their vectors; `None` for a column of any dimensions.
    pub dimensions: Option<usize>,
    /// Row-level security holds for the acting role.
    pub tenants: bool,
    /// What only the actions need.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// How texts are cut: as the hook says, in parts that its model takes.
pub fn options(hook: &Hook, input_tokens: usize) -> ChunkOptions {
    let number = |name: &str| hook.number(name).and_then(|number| usize::try_from(number).ok());
    let usual = ChunkOptions::for_embeddings(true);
    let max_tokens = number("chunk_tokens")
        .unwrap_or(usual.max_tokens)
        .min(input_tokens.max(1));
    let overlap = number("chunk_overlap").unwrap_or(max_tokens / 10);
    ChunkOptions {
        max_tokens,
        overlap_tokens: overlap.min(max_tokens / 2),
        markdown: true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn cut(config: Value, input_tokens: usize) -> (usize, usize) {
        let hook = Hook::new(
            Uuid::nil(),
            1,
            Uuid::nil(),
            "first_party".into(),
            "auto_embed".into(),
            config,
        );
        let options = options(&hook, input_tokens);
        (options.max_tokens, options.overlap_tokens)
    }

    #[test]
    fn a_part_is_never_more_than_the_model_takes() {
        assert_eq!(cut(json!({}), 8192), (400, 40));
        assert_eq!(cut(json!({"chunk_tokens": 1000}), 256), (256, 25));
        assert_eq!(
            cut(json!({"chunk_tokens": 100, "chunk_overlap": 90}), 256),
            (100, 50)
        );
    }

    #[test]
    fn what_the_server_said_goes_back_whole() {
        let said = json!({"table": "t", "key": ["id"], "fields": ["id"], "chunks": 42, "dimensions": 8, "tenants": false, "chunk_key": ["source_id"]});
        let plan: ChunkPlan = serde_json::from_value(said.clone()).unwrap();
        assert_eq!(serde_json::to_value(plan).unwrap(), said);
    }
}
