//! The two places where a hook's vectors may lie: a column of the row, or a table of chunks. Pure.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::chunks::plan::ChunkPlan;
use super::column::plan::ColumnPlan;
use crate::row_key::RowKey;
use zerodb_hooks_delivery::hook::Hook;

/// The column that is embedded where the config names none.
const CONTENT: &str = "content";

/// The answer of `zerodb._embed_plan`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Layout {
    Chunks(ChunkPlan),
    Column(ColumnPlan),
}

impl Layout {
    pub fn row(&self) -> &RowKey {
        match self {
            Self::Chunks(plan) => &plan.row,
            Self::Column(plan) => &plan.row,
        }
    }

    /// Row-level security holds for the acting role: each tenant's rows need a call of their own.
    pub fn has_tenants(&self) -> bool {
        match self {
            Self::Chunks(plan) => plan.tenants,
            Self::Column(plan) => plan.tenants,
        }
    }

    /// The dimensions of the vectors; `None` for a column of any dimensions.
    pub fn dimensions(&self) -> Option<usize> {
        match self {
            Self::Chunks(plan) => plan.dimensions,
            Self::Column(plan) => plan.dimensions,
        }
    }
}

/// The arguments of `zerodb._embed_plan`. The server knows the config; it does not parse templates.
pub fn plan_args(hook: &Hook, event_type: &str) -> Value {
    json!({
        "event_type": event_type,
        "columns": columns(hook),
    })
}

/// The columns that the text is made of.
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
