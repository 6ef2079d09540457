//! What a hook's config and a table's definition say together: where the source lies, where the summary goes, how rows are
//! named. Pure.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::handlers::row_key::RowKey;
use crate::hook::Hook;

/// Characters of a summary where the config does not say.
const MAX_LENGTH: usize = 1000;

/// What the server found out about a table (`zerodb._do_summary_plan`). It goes back with every other action.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Plan {
    #[serde(flatten)]
    pub row: RowKey,
    /// The columns of the source: its text, the bytes of a file, where it lies instead, the file's name, its type.
    pub text: Option<String>,
    pub bytes: Option<String>,
    pub uri: Option<String>,
    pub name: Option<String>,
    #[serde(rename = "type")]
    pub content_type: Option<String>,
    pub target: String,
    /// Characters that the target holds, where it is bounded.
    pub target_limit: Option<usize>,
    pub model_column: Option<String>,
    pub hash_column: Option<String>,
    pub info_column: Option<String>,
    pub user_column: Option<String>,
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

/// The arguments of `zerodb._do_summary_plan`.
pub fn question(hook: &Hook, event_type: &str) -> Value {
    json!({
        "event_type": event_type,
        "content": hook.text("content"),
        "target": hook.text("target_column"),
    })
}
