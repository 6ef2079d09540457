//! One row and its chunks, as the actions `chunk_…` read and write them. Each call is one short transaction.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::scope::Scope;
use super::embedding::EmbeddedChunks;
use crate::row_key::Key;
use crate::source::{Parts, Source};
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_store::StoreError;

/// A row in the form that `zerodb._chunk_read` gives.
#[derive(Deserialize)]
pub struct ChunkedRow {
    #[serde(flatten)]
    pub source: Source,
    /// The hashes of its chunks, in hex.
    pub chunks: Vec<String>,
    /// Identifies what they were made from, in hex; only when they were all there.
    pub hash: Option<String>,
}

/// One row of the table that is chunked.
pub struct ChunkTable<'a> {
    pub scope: Scope<'a>,
    pub key: &'a Key,
    /// The model as it is stored beside a vector.
    pub model: &'a str,
}

/// The keys after `after`, in their order.
///
/// # Errors
/// When the table cannot be read.
pub async fn page(
    scope: Scope<'_>,
    after: Option<&Value>,
    limit: usize,
    missing: bool,
) -> Result<Value, StoreError> {
    let args = json!({ "after": after, "limit": limit, "missing": missing });
    scope.call("chunk_page", args, None).await
}

impl ChunkTable<'_> {
    /// The row without its content; `None` when it is gone.
    ///
    /// # Errors
    /// See `verdict::of_table`.
    pub async fn read(&self) -> Result<Option<ChunkedRow>, HandlerError> {
        let store = &self.scope.context.store;
        let args = self.complete(json!({}));
        let found = store
            .read_chunks(self.scope.hook.id, self.scope.relid, &args)
            .await;
        let found = found.map_err(|error| verdict::of_table(&error))?;
        if found.is_null() {
            return Ok(None);
        }
        serde_json::from_value(found)
            .map(Some)
            .map_err(|error| verdict::of_answer(&error))
    }

    /// Writes the chunks, unless the row no longer has this source; says whether it did. Where some have to wait, the
    /// others are added to the chunks of before, which stay until then. `hash` identifies what all of them were made
    /// from.
    ///
    /// # Errors
    /// See `verdict::of_table`.
    pub async fn write(
        &self,
        source: &str,
        hash: &str,
        embedded: &EmbeddedChunks,
    ) -> Result<bool, HandlerError> {
        let is_partial = embedded.late.is_some();
        let is_whole = !is_partial && embedded.faults.is_empty();
        let (rows, flat) = chunk_rows(embedded);
        let dimensions = embedded.vectors.values().next().map_or(0, Vec::len);
        let args = self.complete(json!({
            "source": source,
            "model": self.model,
            "dimensions": dimensions,
            "partial": is_partial,
            "chunks": rows,
        }));
        let kept = (is_whole.then_some(hash), self.model);
        let store = &self.scope.context.store;
        let written = store
            .write_chunks(self.scope.hook.id, self.scope.relid, &args, &flat, kept)
            .await;
        written.map_err(|error| verdict::of_table(&error))
    }

    /// Adds what every action needs.
    fn complete(&self, mut args: Value) -> Value {
        args["key"] = json!(self.key);
        self.scope.complete(args)
    }
}

impl Parts for ChunkTable<'_> {
    async fn part(&self, start: usize, count: usize) -> Result<Option<String>, HandlerError> {
        let args = self.complete(json!({ "start": start, "count": count }));
        let part = self.scope.call("summary_part", args, None).await;
        match part.map_err(|error| verdict::of_table(&error))? {
            Value::String(part) => Ok(Some(part)),
            _ => Ok(None),
        }
    }
}

/// The chunks in the form that `zerodb._chunk_write` takes, and their vectors one after another. A chunk that is at
/// fault or has to wait is left out.
fn chunk_rows(embedded: &EmbeddedChunks) -> (Vec<Value>, Vec<f32>) {
    let (mut rows, mut flat, mut count) = (Vec::new(), Vec::new(), 0);
    for (index, chunk) in embedded.chunks.iter().enumerate() {
        let vector = embedded.vectors.get(&index);
        let waits = embedded.late.is_some() && vector.is_none();
        if waits || embedded.faults.contains_key(&index) {
            continue;
        }
        rows.push(json!({
            "n": index,
            "content": chunk.content,
            "heading": chunk.heading,
            "hash": chunk.hash,
            "vector": vector.map(|_| count),
        }));
        if let Some(vector) = vector {
            flat.extend_from_slice(vector);
            count += 1;
        }
    }
    (rows, flat)
}
