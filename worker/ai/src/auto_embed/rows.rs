//! A table's rows from their keys to their vectors: reads them, embeds what needs it, writes back. Used for deliveries and for
//! backfills alike; decides nothing about attempts.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::input::{self, Input, Need, Recipe, Row};
use super::plan::Plan;
use super::requests;
use super::target::Scope;
use crate::row_key::Key;
use crate::spending::Spent;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_providers::{Class, Provider};
use zerodb_hooks_store::{Hashes, StoreError};

/// What is said of a row that changed in each round.
pub const CHANGED: &str = "the row changed each time while its text was embedded";

/// The most bytes that a template may make of a row.
const LONGEST: usize = 16 << 20;

/// A hook's work on one table for one tenant.
pub struct Work<'a> {
    pub scope: Scope<'a>,
    pub plan: &'a Plan,
    pub provider: &'a Provider,
    pub recipe: &'a Recipe,
}

/// What was done for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    Nothing,
    Vector,
}

/// What became of rows, and what it cost.
#[derive(Default)]
pub struct Embedded {
    pub results: HashMap<Key, Result<Made, HandlerError>>,
    pub spent: Spent,
}

impl Work<'_> {
    /// Brings the vectors of some rows up to date. A row that is gone needs nothing.
    ///
    /// # Errors
    /// When the table cannot be read or written; what was written stays.
    pub async fn embed_keys(&self, keys: &[Key], time: Duration) -> Result<Embedded, StoreError> {
        let mut embedded = Embedded::default();
        let mut open = keys.to_vec();
        let mut named = Vec::new();
        for _round in 0..verdict::ROUNDS {
            if open.is_empty() {
                break;
            }
            let rows = self.read(&open).await?;
            named.extend(other_names(&open, &rows));
            open = self.embed_rows(rows, time, &mut embedded).await?;
        }
        for key in open {
            embedded
                .results
                .insert(key, Err(verdict::source_changing(CHANGED)));
        }
        for (asked, key) in named {
            if let Some(result) = embedded.results.get(&key).cloned() {
                embedded.results.insert(asked, result);
            }
        }
        Ok(embedded)
    }

    /// Embeds and writes back rows that were read. Returns the keys of those that changed meanwhile.
    async fn embed_rows(
        &self,
        rows: Vec<Row>,
        time: Duration,
        embedded: &mut Embedded,
    ) -> Result<Vec<Key>, StoreError> {
        let mut inputs = Vec::new();
        for row in rows {
            let key = row.key.clone();
            match self.need(row).await {
                Ok(Need::Nothing) => drop(embedded.results.insert(key, Ok(Made::Nothing))),
                Ok(Need::Embed(input)) => inputs.push(input),
                Err(error) => drop(embedded.results.insert(key, Err(error))),
            }
        }
        let made = self.vectors(inputs, time, embedded).await;
        self.write(made, embedded).await
    }

    async fn need(&self, mut row: Row) -> Result<Need, HandlerError> {
        let Some(values) = self.recipe.values(&mut row)? else {
            return Ok(Need::Nothing);
        };
        let text = match &self.recipe.template {
            Some(template) => {
                let row = Value::Object(values);
                let Scope { context, hook, .. } = &self.scope;
                let rendered = context.templates.of_row(hook, template, &row, LONGEST).await;
                rendered.map_err(verdict::bad_template)?
            }
            None => input::joined(&values),
        };
        Ok(self.recipe.need(row, text))
    }

    /// The vectors of inputs; equal texts are asked for once.
    async fn vectors(
        &self,
        inputs: Vec<Input>,
        time: Duration,
        embedded: &mut Embedded,
    ) -> Vec<(Input, Vec<f32>)> {
        let mut texts: Vec<String> = Vec::new();
        let mut place = HashMap::<String, usize>::new();
        let places: Vec<usize> = inputs
            .iter()
            .map(|input| {
                *place.entry(input.text.clone()).or_insert_with(|| {
                    texts.push(input.text.clone());
                    texts.len() - 1
                })
            })
            .collect();
        if texts.is_empty() {
            return Vec::new();
        }
        let (hook, tenant) = (self.scope.hook, self.scope.user_id);
        let answered =
            requests::embed(self.provider, hook, tenant, self.recipe.dimensions, &texts, time).await;
        embedded.spent.add(answered.spent);
        let mut made = Vec::with_capacity(inputs.len());
        for (input, place) in inputs.into_iter().zip(places) {
            match &answered.vectors[place] {
                Ok(vector) => made.push((input, vector.clone())),
                Err(error) => {
                    let is_too_long = answered.refused.get(&place) == Some(&Class::InputTooLong);
                    let error = error.clone();
                    let error = if is_too_long { self.in_parts(error) } else { error };
                    embedded.results.insert(input.key, Err(error));
                }
            }
        }
        made
    }

    /// A row has one vector: what is longer than a model's input needs several, which are kept elsewhere.
    fn in_parts(&self, error: HandlerError) -> HandlerError {
        match error {
            HandlerError::Permanent { message, status } => HandlerError::Permanent {
                message: format!(
                    "{message}; keep long texts in a table of chunks: SELECT zerodb.create_chunk_table('{}'), and name it as chunk_table",
                    self.plan.row.table
                ),
                status,
            },
            other => other,
        }
    }

    async fn read(&self, keys: &[Key]) -> Result<Vec<Row>, StoreError> {
        let found = self.call("embed_read", json!({ "keys": keys }), None).await?;
        let mut rows: Vec<Row> = parsed(found)?;
        if self.plan.hash_column.is_none() {
            self.recall_hashes(&mut rows).await?;
        }
        Ok(rows)
    }

    /// The next rows in the order of the key, after `after`.
    pub async fn page(
        &self,
        after: Option<&Value>,
        limit: usize,
        missing: bool,
    ) -> Result<Value, StoreError> {
        let args = json!({ "after": after, "limit": limit, "missing": missing });
        self.call("embed_page", args, None).await
    }

    /// Brings the vectors of a page's rows up to date.
    ///
    /// # Errors
    /// As for `embed_keys`.
    pub async fn embed_page(&self, rows: Value, time: Duration) -> Result<Embedded, StoreError> {
        let mut rows: Vec<Row> = parsed(rows)?;
        if self.plan.hash_column.is_none() {
            self.recall_hashes(&mut rows).await?;
        }
        let mut embedded = Embedded::default();
        let changed = self.embed_rows(rows, time, &mut embedded).await?;
        let again = self.embed_keys(&changed, time).await?;
        embedded.results.extend(again.results);
        embedded.spent.add(again.spent);
        Ok(embedded)
    }

    /// Of a table that has no column for it, what its vectors were made from.
    async fn recall_hashes(&self, rows: &mut [Row]) -> Result<(), StoreError> {
        let keys: Vec<Value> = rows.iter().map(|row| json!(row.key)).collect();
        let store = &self.scope.context.store;
        let mut known = store
            .load_embeddings(self.scope.hook.id, self.scope.relid, &keys)
            .await?;
        for (row, key) in rows.iter_mut().zip(&keys) {
            (row.hash, row.model) = known.remove(key).unzip();
        }
        Ok(())
    }

    /// Writes vectors back. Returns the keys of the rows that have changed or gone.
    async fn write(
        &self,
        made: Vec<(Input, Vec<f32>)>,
        embedded: &mut Embedded,
    ) -> Result<Vec<Key>, StoreError> {
        let Some(dimensions) = made.first().map(|(_, vector)| vector.len()) else {
            return Ok(Vec::new());
        };
        let rows: Vec<Value> = made
            .iter()
            .map(|(input, _)| json!({"key": input.key, "source": input.source, "hash": input.hash}))
            .collect();
        let flat: Vec<f32> = made
            .iter()
            .flat_map(|(_, vector)| vector.iter().copied())
            .collect();
        let args = json!({"rows": rows, "model": self.recipe.model, "dimensions": dimensions});
        let written: Vec<usize> = parsed(self.write_all(args, &made, &flat).await?)?;
        let mut changed: Vec<Option<Key>> = made.into_iter().map(|(input, _)| Some(input.key)).collect();
        for place in written {
            if let Some(key) = changed.get_mut(place).and_then(Option::take) {
                embedded.results.insert(key, Ok(Made::Vector));
            }
        }
        Ok(changed.into_iter().flatten().collect())
    }

    async fn write_all(
        &self,
        args: Value,
        made: &[(Input, Vec<f32>)],
        flat: &[f32],
    ) -> Result<Value, StoreError> {
        if self.plan.hash_column.is_some() {
            return self.call("embed_write", args, Some(flat)).await;
        }
        let hashes = Hashes {
            keys: made.iter().map(|(input, _)| json!(input.key)).collect(),
            hashes: made.iter().map(|(input, _)| input.hash.as_str()).collect(),
            model: &self.recipe.model,
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

/// The keys that the server writes otherwise than they were asked for, as it does with times and arrays, with what it writes.
fn other_names(asked: &[Key], rows: &[Row]) -> Vec<(Key, Key)> {
    let named = |row: &Row| Some((asked.get(row.n)?.clone(), row.key.clone()));
    rows.iter()
        .filter_map(named)
        .filter(|(asked, key)| asked != key)
        .collect()
}

pub fn parsed<T: serde::de::DeserializeOwned>(found: Value) -> Result<T, StoreError> {
    serde_json::from_value(found).map_err(|error| StoreError::Answer {
        reason: error.to_string(),
    })
}
