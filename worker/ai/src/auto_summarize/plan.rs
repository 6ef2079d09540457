//! What a hook's config and a table's definition say together: where the source lies, where the summary goes, how rows are
//! named. Pure.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::row_key::RowKey;
use zerodb_hooks_delivery::hook::Hook;

/// Characters of a summary where the config does not say.
const MAX_LENGTH: usize = 1000;

/// What the server found out about a table (`zerodb._summary_plan`). It finds it out anew for every action.
#[derive(Debug, Clone, Deserialize)]
pub struct Plan {
    #[serde(flatten)]
    pub row: RowKey,
    /// Characters that the target holds, where it is bounded.
    pub target_limit: Option<usize>,
    pub hash_column: Option<String>,
    /// Row-level security holds for the acting role.
    pub tenants: bool,
}

impl Plan {
    /// The most characters of a summary: what the hook says and the column holds.
    pub fn max_length(&self, hook: &Hook) -> usize {
        let wanted = hook
            .number("max_length")
            .and_then(|number| usize::try_from(number).ok());
        let wanted = wanted.unwrap_or(MAX_LENGTH).max(1);
        self.target_limit.map_or(wanted, |limit| wanted.min(limit))
    }
}

/// The arguments of `zerodb._summary_plan`.
pub fn question(event_type: &str) -> Value {
    json!({ "event_type": event_type })
}
