//! One row from its source to its chunks.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use zerodb_hooks_documents::ChunkOptions;

use super::super::requests;
use super::super::rows::{CHANGED, Made};
use super::pieces::{Piece, hash_of_all, pieces};
use super::{Documents, plan};
use crate::handlers::row_key::Key;
use crate::handlers::source::{self, Parts, Source};
use crate::handlers::spending::Spent;
use crate::handlers::verdict;
use crate::outcome::HandlerError;

/// Until the rest of a text that has been embedded in part.
const SOON: Duration = Duration::from_secs(1);

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

/// The parts of a text with what became of them.
struct Answers {
    pieces: Vec<Piece>,
    /// By place; those that are there already have none.
    vectors: HashMap<usize, Vec<f32>>,
    /// The parts that the model will never take.
    faults: HashMap<usize, HandlerError>,
    /// Why others have to wait.
    late: Option<HandlerError>,
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
        let hook = self.documents.scope.hook;
        let options = plan::options(hook, provider.pack_limits(hook.text("model")).input_tokens);
        let source = row.source.readable()?;
        let hash = hash_of_all(source, &options, recipe);
        // Chunks that somebody has taken away come back.
        let is_there = if source.is_empty() {
            row.chunks.is_empty()
        } else {
            row.hash.as_ref() == Some(&hash) && !row.chunks.is_empty()
        };
        if is_there {
            return Ok(Some(Made::Nothing));
        }
        let Some(text) = self.text(&row.source, source).await? else {
            return Ok(None);
        };
        let answers = self.answers(&row, &text, &options, spent).await;
        self.write(source, &hash, answers).await
    }

    async fn text(&self, row: &Source, source: &str) -> Result<Option<String>, HandlerError> {
        if source.is_empty() {
            return Ok(Some(String::new()));
        }
        let text = source::text(self, self.documents.files, row, source, self.time()).await?;
        Ok(text.map(|text| text.text))
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
            .map_err(|_| HandlerError::transient("the extension is of another version than this worker"))
    }

    /// Embeds the parts that are not there yet; equal ones once.
    async fn answers(&self, row: &Row, text: &str, options: &ChunkOptions, spent: &mut Spent) -> Answers {
        let Documents {
            scope,
            provider,
            recipe,
            ..
        } = self.documents;
        let pieces = pieces(text, options, recipe);
        let missing = missing(&pieces, &row.chunks);
        let mut inputs: Vec<String> = Vec::new();
        let mut asked = HashMap::new();
        for place in &missing {
            let piece = &pieces[*place];
            asked.entry(piece.hash.as_str()).or_insert_with(|| {
                inputs.push(piece.input());
                inputs.len() - 1
            });
        }
        let (hook, tenant) = (scope.hook, scope.user_id);
        let answered = requests::embed(provider, hook, tenant, recipe.dimensions, &inputs, self.time()).await;
        spent.add(answered.spent);
        let (mut vectors, mut faults, mut late) = (HashMap::new(), HashMap::new(), None);
        for place in missing {
            match &answered.vectors[asked[pieces[place].hash.as_str()]] {
                Ok(vector) => drop(vectors.insert(place, vector.clone())),
                Err(error @ HandlerError::Permanent { .. }) => drop(faults.insert(place, error.clone())),
                Err(passing) => late = Some(passing.clone()),
            }
        }
        Answers {
            pieces,
            vectors,
            faults,
            late,
        }
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
        match (
            answers.late,
            answers.faults.into_iter().min_by_key(|(place, _)| *place),
        ) {
            (Some(late), _) => Err(deferred(late)),
            (None, Some((place, HandlerError::Permanent { message, status }))) => {
                Err(HandlerError::Permanent {
                    message: format!("{message} (in chunk {place}; the others are embedded)"),
                    status,
                })
            }
            (None, _) => Ok(Some(Made::Vector)),
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
    /// The chunks as `zerodb._do_chunk_write` takes them, and the vectors one after another.
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

/// The places of the parts that no chunk is there for: of equal ones, as many as there are too few.
fn missing(pieces: &[Piece], present: &[String]) -> Vec<usize> {
    let mut left = HashMap::<&str, usize>::new();
    for hash in present {
        *left.entry(hash).or_default() += 1;
    }
    let mut is_missing = |piece: &Piece| match left.get_mut(piece.hash.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    let places = pieces.iter().enumerate();
    places
        .filter_map(|(place, piece)| is_missing(piece).then_some(place))
        .collect()
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

    fn piece(hash: &str) -> Piece {
        Piece {
            content: hash.into(),
            heading: None,
            hash: hash.into(),
        }
    }

    #[test]
    fn only_parts_without_a_chunk_are_missing() {
        let pieces = ["a", "b", "a", "c", "a"].map(piece);
        let present = |hashes: &[&str]| {
            missing(
                &pieces,
                &hashes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            )
        };
        assert_eq!(present(&[]), [0, 1, 2, 3, 4]);
        assert_eq!(present(&["a", "c", "a", "x"]), [1, 4]);
        assert!(present(&["a", "a", "a", "b", "c"]).is_empty());
    }
}
