//! One memory and its part of the graph, as the actions `zerodb._do_graph_…` read and write them. Each call is one
//! short transaction. Decides nothing.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::resolution::Offer;
use crate::row_key;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::{Context, verdict};

/// The memory that an event is about.
pub struct Memory<'a> {
    pub context: &'a Context,
    pub delivery: &'a Delivery,
    id: String,
}

/// A memory that is there.
#[derive(Debug, Deserialize)]
pub struct MemoryRow {
    /// `None` where it is too long.
    pub content: Option<String>,
    pub size: u64,
    pub content_hash: String,
    /// The person or thing that the memory is about, where the table says so.
    pub subject: Option<String>,
    pub extraction: Option<LastExtraction>,
    /// The dimensions of the vectors of names; `None` where they cannot be searched.
    pub dimensions: Option<usize>,
}

/// The last extraction, in the ledger.
#[derive(Debug, Deserialize)]
pub struct LastExtraction {
    pub content_hash: String,
    pub prompt_version: i32,
    pub model: String,
}

impl<'a> Memory<'a> {
    /// # Errors
    /// Permanent, when the event is about no memory.
    pub fn new(context: &'a Context, delivery: &'a Delivery) -> Result<Self, HandlerError> {
        let event = &delivery.event;
        if event.relid == 0 {
            return Err(HandlerError::permanent(
                "no_row: an event that was emitted is about no row; watch the table of memories instead",
            ));
        }
        let named = ["memory_id", "memory_ids", "id"];
        let id = named.iter().find_map(|field| one(&event.data.field(field)?));
        match id {
            Some(id) => Ok(Self {
                context,
                delivery,
                id,
            }),
            None => Err(HandlerError::permanent(format!(
                "no_row: events of type {} name no memory; hook zerodb.memory.* or zeromemory.*",
                event.event_type
            ))),
        }
    }

    /// `None` where there is no such memory.
    ///
    /// # Errors
    /// See `verdict::of_table`; so for all of these.
    pub async fn read(&self) -> Result<Option<MemoryRow>, HandlerError> {
        let read = self.act("graph_read", json!({}), None).await?;
        if read["found"] == json!(false) {
            return Ok(None);
        }
        expected(read).map(Some)
    }

    /// The entities that the names may mean. `vectors` are those of the names that have an index among them.
    pub async fn offers(
        &self,
        names: Value,
        vectors: Option<&NameVectors<'_>>,
    ) -> Result<Vec<Offer>, HandlerError> {
        let args = json!({
            "entities": names,
            "dimensions": vectors.map(|vectors| vectors.dimensions),
            "embedding_model": vectors.map(|vectors| vectors.model),
        });
        expected(self.act("graph_candidates", args, vectors).await?)
    }

    /// False where the memory no longer says what was read; nothing is then written.
    pub async fn write(
        &self,
        written: Value,
        vectors: Option<&NameVectors<'_>>,
    ) -> Result<bool, HandlerError> {
        let answer = self.act("graph_write", written, vectors).await?;
        Ok(answer["stale"] == json!(false))
    }

    /// Takes the memory's part of the graph back, unless the memory is there again.
    pub async fn retract(&self) -> Result<(), HandlerError> {
        self.act("graph_retract", json!({}), None).await.map(|_answer| ())
    }

    async fn act(
        &self,
        action: &str,
        mut args: Value,
        vectors: Option<&NameVectors<'_>>,
    ) -> Result<Value, HandlerError> {
        let (hook, event) = (&self.delivery.hook, &self.delivery.event);
        args["memory_id"] = json!(self.id);
        args["user_id"] = json!(event.user_id);
        args["project_id"] = json!(event.project_id);
        let vectors = vectors.map(|vectors| vectors.all.as_slice());
        let store = &self.context.store;
        let answer = store.as_owner(hook.id, event.relid, action, &args, vectors).await;
        answer.map_err(|error| verdict::of_table(&error))
    }
}

/// NameVectors of names, one after another.
pub struct NameVectors<'a> {
    pub all: Vec<f32>,
    pub dimensions: usize,
    pub model: &'a str,
}

/// An id that is a text or a number.
fn one(id: &RawValue) -> Option<String> {
    let is_one = id
        .get()
        .starts_with(|first: char| matches!(first, '"' | '-' | '0'..='9'));
    row_key::text(id).filter(|_| is_one)
}

fn expected<T: DeserializeOwned>(answer: Value) -> Result<T, HandlerError> {
    serde_json::from_value(answer).map_err(|error| verdict::of_answer(&error))
}
