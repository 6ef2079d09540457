//! One row from its source to its chunks.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use zerodb_hooks_documents::ChunkOptions;

use super::super::rows::{CHANGED, Made};
use super::answers::{Answers, Asking};
use super::pieces::{Pieces, hash_of_all};
use super::{Documents, plan};
use crate::row_key::Key;
use crate::source::{self, Parts, Source};
use crate::spending::Spent;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_providers::TokenCounter;

/// Until the rest of a text that has been embedded in part.
const SOON: Duration = Duration::from_secs(1);
/// How often a text is cut anew because a refusal taught how much its model takes.
const CUTS: usize = 4;
/// Parts at fault that an error names.
const NAMED: usize = 5;

/// What became of a row, and what it cost.
pub type Ended = (Result<Made, HandlerError>, Spent);

pub struct Document<'a> {
    pub documents: &'a Documents<'a>,
    pub key: &'a Key,
    pub until: Instant,
}

/// A row as `zerodb._chunk_read` gives it.
#[derive(Deserialize)]
struct Row {
    #[serde(flatten)]
    source: Source,
    /// The hashes of its chunks, in hex.
    chunks: Vec<String>,
    /// What they were made from, in hex, when they were all there.
    hash: Option<String>,
}

impl Document<'_> {
    /// Brings the chunks of the row up to date.
    pub async fn embed(&self) -> Ended {
        let mut spent = Spent::default();
        for _round in 0..verdict::ROUNDS {
            match self.once(&mut spent).await {
                Ok(Some(made)) => return (Ok(made), spent),
                Ok(None) => {}
                Err(error) => return (Err(error), spent),
            }
        }
        (Err(verdict::source_changing(CHANGED)), spent)
    }

    /// `None` when the row changed meanwhile.
    async fn once(&self, spent: &mut Spent) -> Result<Option<Made>, HandlerError> {
        let Documents { provider, recipe, .. } = self.documents;
        let Some(row) = self.read().await? else {
            return Ok(Some(Made::Nothing));
        };
        let source = row.source.readable()?;
        let counter = provider.token_counter(self.time()).await;
        let counter = counter.map_err(|error| verdict::of_model(&error))?;
        let mut options = self.options(counter.as_ref());
        let mut hash = hash_of_all(source, &row.source, &options, recipe);
        // Chunks that somebody has taken away come back.
        let is_there = if source.is_empty() {
            row.chunks.is_empty()
        } else {
            row.hash.as_ref() == Some(&hash) && !row.chunks.is_empty()
        };
        if is_there {
            return Ok(Some(Made::Nothing));
        }
        let Some((text, is_markdown)) = self.text(&row.source, source).await? else {
            return Ok(None);
        };
        let mut asking = Asking::new(self.documents, counter.as_ref(), &row.chunks, self.until);
        for _cut in 0..CUTS {
            let markdown = is_markdown;
            let cut = self.cut(&text, ChunkOptions { markdown, ..options }, counter.clone());
            asking.takes = self.takes();
            let answers = asking.answers(&cut.await?, spent).await;
            let taught = self.options(counter.as_ref());
            if taught == options || answers.late.is_some() {
                return self.write(source, &hash, answers).await;
            }
            // A refusal has said how much the model takes: the next attempt would cut by that, and so does this one.
            options = taught;
            hash = hash_of_all(source, &row.source, &options, recipe);
        }
        Err(HandlerError::transient(
            "the model takes less and less in one input",
        ))
    }

    fn options(&self, counter: Option<&TokenCounter>) -> ChunkOptions {
        plan::options(self.documents.scope.hook, self.takes(), counter.is_some())
    }

    /// Tokens of an input.
    fn takes(&self) -> usize {
        let Documents { scope, provider, .. } = self.documents;
        provider.pack_limits(scope.hook.text("model")).input_tokens
    }

    /// On a thread that may be busy for a while.
    async fn cut(
        &self,
        text: &Arc<str>,
        options: ChunkOptions,
        counter: Option<TokenCounter>,
    ) -> Result<Pieces, HandlerError> {
        let (text, recipe) = (Arc::clone(text), self.documents.recipe.clone());
        let cut = tokio::task::spawn_blocking(move || Pieces::of(text, &options, &recipe, counter.as_ref()));
        cut.await
            .map_err(|_| HandlerError::transient("the text was not cut: its thread ended"))
    }

    /// The text of the row, and whether it is Markdown.
    async fn text(&self, row: &Source, source: &str) -> Result<Option<(Arc<str>, bool)>, HandlerError> {
        if source.is_empty() {
            return Ok(Some(("".into(), false)));
        }
        let text = source::read_text(self, self.documents.files, row, source, self.time()).await?;
        Ok(text.map(|text| (text.text.into(), text.is_markdown)))
    }

    async fn read(&self) -> Result<Option<Row>, HandlerError> {
        let scope = self.documents.scope;
        let store = &scope.context.store;
        let found = store
            .read_chunks(scope.hook.id, scope.relid, &self.complete(json!({})))
            .await;
        let found = found.map_err(|error| verdict::of_table(&error))?;
        if found.is_null() {
            return Ok(None);
        }
        serde_json::from_value(found)
            .map(Some)
            .map_err(|error| verdict::of_answer(&error))
    }

    /// Writes what there is. Where parts have to wait, the others are added to the chunks of before, which stay until then.
    async fn write(&self, source: &str, hash: &str, answers: Answers) -> Result<Option<Made>, HandlerError> {
        let is_partial = answers.late.is_some();
        if let (Some(late), true) = (&answers.late, answers.vectors.is_empty()) {
            return Err(late.clone());
        }
        let (rows, flat) = answers.rows();
        let dimensions = answers.vectors.values().next().map_or(0, Vec::len);
        let args = self.complete(json!({
            "source": source, "model": self.documents.recipe.model, "dimensions": dimensions, "partial": is_partial, "chunks": rows,
        }));
        let is_whole = !is_partial && answers.faults.is_empty();
        let scope = self.documents.scope;
        let store = &scope.context.store;
        let kept = (is_whole.then_some(hash), self.documents.recipe.model.as_str());
        let written = store
            .write_chunks(scope.hook.id, scope.relid, &args, &flat, kept)
            .await;
        if !written.map_err(|error| verdict::of_table(&error))? {
            return Ok(None);
        }
        match answers.late {
            Some(late) => Err(deferred(late)),
            None => faulty(&answers.faults).map_or(Ok(Some(Made::Vector)), Err),
        }
    }

    /// With what every action needs.
    fn complete(&self, mut args: Value) -> Value {
        args["key"] = json!(self.key);
        self.documents.scope.complete(args)
    }

    fn time(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

impl Parts for Document<'_> {
    async fn part(&self, start: usize, count: usize) -> Result<Option<String>, HandlerError> {
        let args = self.complete(json!({ "start": start, "count": count }));
        let part = self.documents.scope.call("summary_part", args, None).await;
        match part.map_err(|error| verdict::of_table(&error))? {
            Value::String(part) => Ok(Some(part)),
            _ => Ok(None),
        }
    }
}

impl Answers {
    /// The chunks as `zerodb._chunk_write` takes them, and the vectors one after another.
    fn rows(&self) -> (Vec<Value>, Vec<f32>) {
        let mut flat = Vec::new();
        let mut count = 0;
        let mut rows = Vec::new();
        for (place, piece) in self.pieces.iter().enumerate() {
            let vector = self.vectors.get(&place);
            let waits = self.late.is_some() && vector.is_none();
            if waits || self.faults.contains_key(&place) {
                continue;
            }
            rows.push(json!({
                "n": place, "content": piece.content, "heading": piece.heading, "hash": piece.hash, "vector": vector.map(|_| count),
            }));
            if let Some(vector) = vector {
                flat.extend_from_slice(vector);
                count += 1;
            }
        }
        (rows, flat)
    }
}

/// What is said of the parts that the model will never take: the reason of the first, and where they are.
fn faulty(faults: &HashMap<usize, HandlerError>) -> Option<HandlerError> {
    let mut places: Vec<usize> = faults.keys().copied().collect();
    places.sort_unstable();
    let HandlerError::Permanent { message, status } = faults.get(places.first()?)? else {
        return None;
    };
    let named: Vec<String> = places.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match places.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let chunks = if places.len() == 1 { "chunk" } else { "chunks" };
    Some(HandlerError::Permanent {
        message: format!(
            "{message} (in {chunks} {}{more}; the others are embedded)",
            named.join(", ")
        ),
        status: *status,
    })
}

/// An attempt that has paid for parts which the next one need not pay for is not charged.
fn deferred(late: HandlerError) -> HandlerError {
    match late {
        HandlerError::Transient {
            message, retry_after, ..
        } => HandlerError::Deferred {
            message,
            after: retry_after.unwrap_or(SOON),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_at_fault_are_named() {
        let faults = |places: &[usize]| {
            let fault = |place: &usize| (*place, HandlerError::permanent(format!("bad_request: {place}")));
            faulty(&places.iter().map(fault).collect()).map(|error| error.to_string())
        };
        assert_eq!(faults(&[]), None);
        assert_eq!(
            faults(&[3]).as_deref(),
            Some("bad_request: 3 (in chunk 3; the others are embedded)")
        );
        assert_eq!(
            faults(&[9, 3, 5, 4, 8, 6, 7]).as_deref(),
            Some("bad_request: 3 (in chunks 3, 4, 5, 6, 7 and 2 more; the others are embedded)")
        );
    }
}
