//! The rows of one table and tenant, as the actions `embed_…` read and write them. Each call is one short transaction.

use serde_json::{Value, json};

use super::super::embedded::parsed;
use super::super::scope::Scope;
use super::input::{ColumnInput, ColumnRow};
use super::plan::ColumnPlan;
use crate::row_key::Key;
use zerodb_hooks_store::{Hashes, StoreError};

/// An input with its vector.
pub struct EmbeddedInput {
    pub input: ColumnInput,
    pub vector: Vec<f32>,
}

pub struct ColumnTable<'a> {
    pub scope: Scope<'a>,
    pub plan: &'a ColumnPlan,
    /// The model as it is stored beside a vector.
    pub model: &'a str,
}

impl ColumnTable<'_> {
    /// The rows of these keys that are there.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn read(&self, keys: &[Key]) -> Result<Vec<ColumnRow>, StoreError> {
        let found = self.call("embed_read", json!({ "keys": keys }), None).await?;
        self.rows(found).await
    }

    /// The next rows in the order of the key, after `after`, as JSON for `rows`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn page(
        &self,
        after: Option<&Value>,
        limit: usize,
        missing: bool,
    ) -> Result<Value, StoreError> {
        let args = json!({ "after": after, "limit": limit, "missing": missing });
        self.call("embed_page", args, None).await
    }

    /// Rows from their JSON. For a table without a column of hashes, their hashes come from the extension's own table.
    ///
    /// # Errors
    /// When the hashes cannot be read.
    pub async fn rows(&self, found: Value) -> Result<Vec<ColumnRow>, StoreError> {
        let mut rows: Vec<ColumnRow> = parsed(found)?;
        if self.plan.hash_column.is_some() {
            return Ok(rows);
        }
        let keys: Vec<Value> = rows.iter().map(|row| json!(row.key)).collect();
        let store = &self.scope.context.store;
        let mut known = store
            .load_embeddings(self.scope.hook.id, self.scope.relid, &keys)
            .await?;
        for (row, key) in rows.iter_mut().zip(&keys) {
            (row.hash, row.model) = known.remove(key).unzip();
        }
        Ok(rows)
    }

    /// Writes vectors back, where the rows still hold their texts. Returns the indexes of those that were written.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn write(&self, embedded: &[EmbeddedInput]) -> Result<Vec<usize>, StoreError> {
        let Some(dimensions) = embedded.first().map(|one| one.vector.len()) else {
            return Ok(Vec::new());
        };
        let rows: Vec<Value> = embedded
            .iter()
            .map(|EmbeddedInput { input, .. }| {
                json!({"key": input.key, "source": input.source, "hash": input.hash})
            })
            .collect();
        let flat: Vec<f32> = embedded
            .iter()
            .flat_map(|one| one.vector.iter().copied())
            .collect();
        let args = json!({"rows": rows, "model": self.model, "dimensions": dimensions});
        parsed(self.write_all(args, embedded, &flat).await?)
    }

    async fn write_all(
        &self,
        args: Value,
        embedded: &[EmbeddedInput],
        flat: &[f32],
    ) -> Result<Value, StoreError> {
        if self.plan.hash_column.is_some() {
            return self.call("embed_write", args, Some(flat)).await;
        }
        let hashes = Hashes {
            keys: embedded.iter().map(|one| json!(one.input.key)).collect(),
            hashes: embedded.iter().map(|one| one.input.hash.as_str()).collect(),
            model: self.model,
        };
        let store = &self.scope.context.store;
        let args = self.scope.complete(self.complete(args));
        store
            .write_embeddings(self.scope.hook.id, self.scope.relid, &args, flat, &hashes)
            .await
    }

    async fn call(&self, action: &str, args: Value, vectors: Option<&[f32]>) -> Result<Value, StoreError> {
        self.scope.call(action, self.complete(args), vectors).await
    }

    fn complete(&self, mut args: Value) -> Value {
        args["columns"] = json!(self.plan.columns);
        args
    }
}
