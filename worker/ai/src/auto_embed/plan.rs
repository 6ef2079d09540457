//! What a hook's config and a table's definition say together: which columns are read, which one is written, how rows are named.
//! Pure.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::row_key::RowKey;
use zerodb_hooks_delivery::hook::Hook;

/// The column that is embedded where the config names none.
const CONTENT: &str = "content";

/// What the server found out about a table (`zerodb._embed_plan`). It finds it out anew for every action, so none of it goes back but
/// the columns.
#[derive(Debug, Clone, Deserialize)]
pub struct Plan {
    #[serde(flatten)]
    pub row: RowKey,
    pub columns: Vec<String>,
    /// Of the target; `None` for a column of any dimensions.
    pub dimensions: Option<usize>,
    pub hash_column: Option<String>,
    /// Row-level security holds for the acting role: each tenant's rows need a call of their own.
    pub tenants: bool,
}

/// The arguments of `zerodb._embed_plan`. The server knows the config; it does not parse templates.
pub fn question(hook: &Hook, event_type: &str) -> Value {
    json!({
        "event_type": event_type,
        "columns": columns(hook),
    })
}

/// The columns that the input is made of.
fn columns(hook: &Hook) -> BTreeSet<String> {
    let Some(template) = hook.text("template") else {
        return BTreeSet::from([hook.text("content").unwrap_or(CONTENT).to_owned()]);
    };
    // Rendering will say what is wrong with it.
    zerodb_hooks_templates::variables(template).unwrap_or_else(|_| BTreeSet::from([CONTENT.to_owned()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn hook(config: Value) -> Hook {
        Hook::new(
            Uuid::nil(),
            1,
            Uuid::nil(),
            "first_party".into(),
            "auto_embed".into(),
            config,
        )
    }

    #[test]
    fn a_template_names_the_columns_that_are_read() {
        let columns = |config| columns(&hook(config)).into_iter().collect::<Vec<_>>();
        assert_eq!(columns(json!({})), ["content"]);
        assert_eq!(columns(json!({"content": "body"})), ["body"]);
        assert_eq!(
            columns(json!({"template": "{{ title }}\n{% if body %}{{ body }}{% endif %}"})),
            ["body", "title"]
        );
    }
}
