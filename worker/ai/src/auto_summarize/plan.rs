//! The server's plan for a hook and a table: the target, the column of hashes, the key. Pure.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::row_key::RowKey;
use zerodb_hooks_contract::hooks::AutoSummarize;

/// The answer of `zerodb._summary_plan`. The server makes the plan anew for every action.
#[derive(Debug, Clone, Deserialize)]
pub struct SummaryPlan {
    #[serde(flatten)]
    pub row: RowKey,
    /// Characters that the target holds, where it is bounded.
    pub target_limit: Option<usize>,
    pub hash_column: Option<String>,
    /// Row-level security holds for the acting role.
    pub tenants: bool,
}

impl SummaryPlan {
    /// The most characters of a summary: what the hook says and the column holds.
    pub fn max_length(&self, hook: &AutoSummarize) -> usize {
        let wanted = hook.max_length.as_usize();
        self.target_limit.map_or(wanted, |limit| wanted.min(limit))
    }
}

/// The arguments of `zerodb._summary_plan`.
pub fn plan_args(event_type: &str) -> Value {
    json!({ "event_type": event_type })
}
