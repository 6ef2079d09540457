//! The work of a hook on a table, whatever the layout of its vectors: the plan of the server, the provider and the
//! recipe.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::chunks::context::ChunkContext;
use super::chunks::learned::LearnedLengths;
use super::chunks::{pack, table};
use super::column::table::ColumnTable;
use super::column::update::ColumnUpdate;
use super::embedded::{Embedded, parsed};
use super::layout::Layout;
use super::recipe::EmbedRecipe;
use super::scope::Scope;
use crate::row_key::Key;
use crate::source::Files;
use zerodb_hooks_engine::Rows;
use zerodb_hooks_providers::Provider;
use zerodb_hooks_store::{Counted, StoreError};

/// Rows of a page of a backfill.
const ROWS: usize = 1000;
/// Rows of a page whose texts become chunks: each may be a whole file.
const DOCUMENTS: usize = 32;

pub struct EmbedTarget {
    pub layout: Arc<Layout>,
    pub provider: Arc<Provider>,
    pub recipe: EmbedRecipe,
    pub files: Arc<Files>,
    pub learned: Arc<LearnedLengths>,
}

impl EmbedTarget {
    /// Brings the vectors of some rows up to date.
    ///
    /// # Errors
    /// When the table cannot be read or written; what was written stays.
    pub async fn embed_keys(
        &self,
        scope: Scope<'_>,
        keys: &[Key],
        time: Duration,
    ) -> Result<Embedded, StoreError> {
        match self.column(scope) {
            Some(update) => update.embed_keys(keys, time).await,
            None => Ok(pack::embed(&self.chunks(scope), keys, time).await),
        }
    }

    /// The rows after a key.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn page(
        &self,
        scope: Scope<'_>,
        after: Option<&Value>,
        missing: bool,
    ) -> Result<Rows, StoreError> {
        let (rows, most) = match self.column(scope) {
            Some(update) => (update.table.page(after, ROWS, missing).await?, ROWS),
            None => (table::page(scope, after, DOCUMENTS, missing).await?, DOCUMENTS),
        };
        let full = rows.as_array().filter(|rows| rows.len() == most);
        let last = full.and_then(|rows| rows.last()).map(|row| match row.get("key") {
            Some(key) => key.clone(),
            None => row.clone(),
        });
        Ok(Rows { rows, last })
    }

    /// Brings the vectors of a page's rows up to date.
    ///
    /// # Errors
    /// As for `embed_keys`.
    pub async fn embed_page(
        &self,
        scope: Scope<'_>,
        rows: Value,
        time: Duration,
    ) -> Result<Embedded, StoreError> {
        match self.column(scope) {
            Some(update) => update.embed_page(rows, time).await,
            None => {
                let keys: Vec<Key> = parsed(rows)?;
                Ok(pack::embed(&self.chunks(scope), &keys, time).await)
            }
        }
    }

    /// Counts the rows, and those that have a vector or chunks.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn count(&self, scope: Scope<'_>) -> Result<Counted, StoreError> {
        let action = match self.layout.as_ref() {
            Layout::Column(_) => "embed_count",
            Layout::Chunks(_) => "chunk_count",
        };
        let counted = scope.call(action, json!({}), None).await?;
        let number = |field: &str| counted[field].as_i64().unwrap_or(0);
        Ok(Counted {
            total: number("total"),
            done: number("embedded"),
        })
    }

    /// `None` where the vectors are those of chunks.
    fn column<'a>(&'a self, scope: Scope<'a>) -> Option<ColumnUpdate<'a>> {
        let Layout::Column(plan) = self.layout.as_ref() else {
            return None;
        };
        Some(ColumnUpdate {
            table: ColumnTable {
                scope,
                plan,
                model: &self.recipe.model,
            },
            provider: &self.provider,
            recipe: &self.recipe,
        })
    }

    fn chunks<'a>(&'a self, scope: Scope<'a>) -> ChunkContext<'a> {
        ChunkContext {
            scope,
            provider: &self.provider,
            recipe: &self.recipe,
            files: &self.files,
            learned: &self.learned,
        }
    }
}
