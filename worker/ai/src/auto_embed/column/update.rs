//! Brings the vectors of a table's rows up to date: reads the rows, embeds those that need it, writes back. Serves
//! deliveries and backfills alike; decides nothing about attempts.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::super::embedded::{CHANGED, Effect, Embedded};
use super::super::recipe::EmbedRecipe;
use super::super::requests;
use super::super::scope::Scope;
use super::input::{ColumnInput, ColumnNeed, ColumnRow, joined};
use super::table::{ColumnTable, EmbeddedInput};
use crate::row_key::Key;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_providers::{Class, Provider};
use zerodb_hooks_store::StoreError;

/// The most bytes that a template may make of a row.
const LONGEST: usize = 16 << 20;

/// The update of one table's rows for one hook and tenant.
pub struct ColumnUpdate<'a> {
    pub table: ColumnTable<'a>,
    pub provider: &'a Provider,
    pub recipe: &'a EmbedRecipe,
}

impl ColumnUpdate<'_> {
    /// Brings the vectors of some rows up to date. A row that is gone needs nothing.
    ///
    /// # Errors
    /// When the table cannot be read or written; what was written stays.
    pub async fn embed_keys(&self, keys: &[Key], time: Duration) -> Result<Embedded, StoreError> {
        let mut embedded = Embedded::default();
        let mut open = keys.to_vec();
        let mut renamed = Vec::new();
        for _round in 0..verdict::ROUNDS {
            if open.is_empty() {
                break;
            }
            let rows = self.table.read(&open).await?;
            renamed.extend(renamed_keys(&open, &rows));
            open = self.embed_rows(rows, time, &mut embedded).await?;
        }
        for key in open {
            embedded
                .results
                .insert(key, Err(verdict::source_changing(CHANGED)));
        }
        for (asked, key) in renamed {
            if let Some(result) = embedded.results.get(&key).cloned() {
                embedded.results.insert(asked, result);
            }
        }
        Ok(embedded)
    }

    /// Brings the vectors of a page's rows up to date.
    ///
    /// # Errors
    /// As for `embed_keys`.
    pub async fn embed_page(&self, rows: Value, time: Duration) -> Result<Embedded, StoreError> {
        let rows = self.table.rows(rows).await?;
        let mut embedded = Embedded::default();
        let changed = self.embed_rows(rows, time, &mut embedded).await?;
        let again = self.embed_keys(&changed, time).await?;
        embedded.results.extend(again.results);
        embedded.spent.add(again.spent);
        Ok(embedded)
    }

    /// Embeds and writes back rows that were read. Returns the keys of those that changed meanwhile or are gone.
    async fn embed_rows(
        &self,
        rows: Vec<ColumnRow>,
        time: Duration,
        embedded: &mut Embedded,
    ) -> Result<Vec<Key>, StoreError> {
        let mut inputs = Vec::new();
        for row in rows {
            let key = row.key.clone();
            match self.need(row).await {
                Ok(ColumnNeed::Nothing) => drop(embedded.results.insert(key, Ok(Effect::Nothing))),
                Ok(ColumnNeed::Embed(input)) => inputs.push(input),
                Err(error) => drop(embedded.results.insert(key, Err(error))),
            }
        }
        let vectors = self.vectors(inputs, time, embedded).await;
        let written = self.table.write(&vectors).await?;
        let mut changed: Vec<Option<Key>> = vectors.into_iter().map(|one| Some(one.input.key)).collect();
        for index in written {
            if let Some(key) = changed.get_mut(index).and_then(Option::take) {
                embedded.results.insert(key, Ok(Effect::Vectors));
            }
        }
        Ok(changed.into_iter().flatten().collect())
    }

    async fn need(&self, mut row: ColumnRow) -> Result<ColumnNeed, HandlerError> {
        let Some(values) = self.recipe.values(&mut row)? else {
            return Ok(ColumnNeed::Nothing);
        };
        let text = match &self.recipe.template {
            Some(template) => {
                let row = Value::Object(values);
                let Scope { context, hook, .. } = &self.table.scope;
                let rendered = context.templates.of_row(hook, template, &row, LONGEST).await;
                rendered.map_err(verdict::bad_template)?
            }
            None => joined(&values),
        };
        Ok(self.recipe.need(row, text))
    }

    /// The vectors of inputs; equal texts are asked for once. The errors of the others go into `embedded`.
    async fn vectors(
        &self,
        inputs: Vec<ColumnInput>,
        time: Duration,
        embedded: &mut Embedded,
    ) -> Vec<EmbeddedInput> {
        let (texts, indexes) = distinct(&inputs);
        if texts.is_empty() {
            return Vec::new();
        }
        let scope = &self.table.scope;
        let (who, model) = (scope.principal(), scope.config.model.as_deref());
        let answered =
            requests::embed(self.provider, &who, model, self.recipe.dimensions, &texts, time).await;
        embedded.spent.add(answered.spent);
        let mut vectors = Vec::with_capacity(inputs.len());
        for (input, index) in inputs.into_iter().zip(indexes) {
            match &answered.vectors[index] {
                Ok(vector) => vectors.push(EmbeddedInput {
                    input,
                    vector: vector.clone(),
                }),
                Err(error) => {
                    let is_too_long = answered.refused.get(&index) == Some(&Class::InputTooLong);
                    let error = error.clone();
                    let error = if is_too_long {
                        self.with_chunk_hint(error)
                    } else {
                        error
                    };
                    embedded.results.insert(input.key, Err(error));
                }
            }
        }
        vectors
    }

    /// A row of a column has one vector: a text that is longer than a model's input needs a table of chunks.
    fn with_chunk_hint(&self, error: HandlerError) -> HandlerError {
        match error {
            HandlerError::Permanent { message, status } => HandlerError::Permanent {
                message: format!(
                    "{message}; keep long texts in a table of chunks: SELECT zerodb.create_chunk_table('{}'), \
                     and name it as chunk_table",
                    self.table.plan.row.table
                ),
                status,
            },
            other => other,
        }
    }
}

/// The texts of the inputs, each once, and for each input the index of its text.
fn distinct(inputs: &[ColumnInput]) -> (Vec<String>, Vec<usize>) {
    let mut texts: Vec<String> = Vec::new();
    let mut index_of = HashMap::<&str, usize>::new();
    let indexes = inputs
        .iter()
        .map(|input| {
            *index_of.entry(&input.text).or_insert_with(|| {
                texts.push(input.text.clone());
                texts.len() - 1
            })
        })
        .collect();
    (texts, indexes)
}

/// The keys that the server writes otherwise than they were asked for, as it does with times and arrays: each with the
/// server's form.
fn renamed_keys(asked: &[Key], rows: &[ColumnRow]) -> Vec<(Key, Key)> {
    let named = |row: &ColumnRow| Some((asked.get(row.n)?.clone(), row.key.clone()));
    rows.iter()
        .filter_map(named)
        .filter(|(asked, key)| asked != key)
        .collect()
}
