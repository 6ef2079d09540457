//! The two places where a hook's vectors may lie: a column of the row, or a table of chunks. Pure.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::chunks::plan::ChunkPlan;
use super::column::plan::ColumnPlan;
use crate::row_key::RowKey;
use zerodb_hooks_contract::hooks::AutoEmbed;

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
pub fn plan_args(hook: &AutoEmbed, event_type: &str) -> Value {
    json!({
        "event_type": event_type,
        "columns": columns(hook),
    })
}

/// The columns that the text is made of.
fn columns(hook: &AutoEmbed) -> BTreeSet<String> {
    let Some(template) = &hook.template else {
        return BTreeSet::from([hook.content.as_deref().unwrap_or(CONTENT).to_owned()]);
    };
    // Rendering will say what is wrong with it.
    zerodb_hooks_templates::variables(template).unwrap_or_else(|_| BTreeSet::from([CONTENT.to_owned()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(config: &Value) -> Vec<String> {
        let hook = AutoEmbed::read(config.as_object().unwrap()).unwrap();
        super::columns(&hook).into_iter().collect()
    }

    #[test]
    fn a_template_names_the_columns_that_are_read() {
        assert_eq!(columns(&json!({})), ["content"]);
        assert_eq!(columns(&json!({"content": "body"})), ["body"]);
        assert_eq!(
            columns(&json!({"template": "{{ title }}\n{% if body %}{{ body }}{% endif %}"})),
            ["body", "title"]
        );
    }
}
