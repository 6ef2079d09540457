//! The server's plan for a hook and a column of vectors: the columns that are read, the one that is written, the key.
//! Pure.

use serde::Deserialize;

use crate::row_key::RowKey;

/// The answer of `zerodb._embed_plan` for a column. The server makes the plan anew for every action, so that only the
/// columns are sent back.
#[derive(Debug, Clone, Deserialize)]
pub struct ColumnPlan {
    #[serde(flatten)]
    pub row: RowKey,
    pub columns: Vec<String>,
    /// The dimensions of the target; `None` for a column of any dimensions.
    pub dimensions: Option<usize>,
    pub hash_column: Option<String>,
    /// Row-level security holds for the acting role: each tenant's rows need a call of their own.
    pub tenants: bool,
}
