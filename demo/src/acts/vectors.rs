//! Vectors: one statement that stores several has an event for each, and one for the batch.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::follow::{Sent, deliveries};
use crate::screen::{self, Tone};
use crate::stage::Stage;
use crate::texts;

/// Vectors in the statement.
const COUNT: usize = 6;

/// Without embeddings: the hook fills them.
const INSERT: &str = "
INSERT INTO zerodb_store.vectors (content, source) SELECT v.content, 'demo' FROM unnest($1::text[]) AS v (content) RETURNING id";

const EMBEDDED: &str = "
SELECT count(embedding), min(embedding_model) FROM zerodb_store.vectors";

const EVENTS: &str = "
SELECT e.id, e.event, e.data FROM zerodb.events AS e WHERE e.event LIKE 'zerodb.vector.%' ORDER BY e.id";

pub async fn play(stage: &mut Stage) -> Result<()> {
    let column = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = 'zerodb_store.vectors'::regclass AND attname = 'embedding'";
    let column = stage.session.text(column).await?;
    screen::section(
        &format!("Vectors: {COUNT} rows in one statement, into a column of type {column}"),
        &[
            "Stored without an embedding: auto_embed fills the column. The local provider hashes words and parts",
            "of words, so it finds shared words and not meaning; a model is one entry of the worker's file.",
        ],
    );
    let documents = texts::documents();
    let some: Vec<_> = documents.iter().flat_map(texts::paragraphs).take(COUNT).collect();
    let sent = Sent::now();
    let stored = stage
        .session
        .client
        .query(INSERT, &[&some])
        .await
        .context("the vectors")?
        .len();
    sent.answered(&format!(
        "INSERT INTO zerodb_store.vectors … {stored} rows of {} dimensions",
        texts::DIMENSIONS
    ));
    let (events, batch) = show_events(stage).await?;
    if let Some(id) = &batch {
        deliveries(&stage.session, &sent, id).await?;
    }
    let logged = stage.logged("vectors stored at once");
    let line = format!("the worker's log: {}", logged.clone().unwrap_or_default());
    screen::row(Tone::Good, "log", &line, "");
    stage.wait_for_everything(Duration::from_secs(20)).await?;
    show_vectors(stage, stored).await?;
    stage.expect(events == stored + 1, || {
        format!("{events} events, not {stored} + 1, for {stored} vectors")
    });
    stage.expect(batch.is_some() && logged.is_some(), || {
        "the batch of vectors was not logged".into()
    });
    Ok(())
}

/// How many events there are of vectors, and which is that of the batch.
async fn show_events(stage: &Stage) -> Result<(usize, Option<String>)> {
    let events = stage.session.client.query(EVENTS, &[]).await?;
    let mut batch = None;
    for event in &events {
        let (id, name, data): (String, String, serde_json::Value) =
            (event.get(0), event.get(1), event.get(2));
        let about = data["vector_id"]
            .as_str()
            .map_or_else(|| format!("count {}", data["count"]), |id| screen::clip(id, 10));
        screen::row(Tone::Good, "event", &format!("{id}  {name}"), &about);
        if name == "zerodb.vector.batch_stored" {
            batch = Some(id);
        }
    }
    Ok((events.len(), batch))
}

async fn show_vectors(stage: &mut Stage, stored: usize) -> Result<()> {
    let row = stage.session.client.query_one(EMBEDDED, &[]).await?;
    let (embedded, model): (i64, Option<String>) = (row.get(0), row.get(1));
    let line = format!(
        "auto_embed: {embedded} of {stored} rows have a vector of {}",
        model.unwrap_or_default()
    );
    screen::row(Tone::Good, "embed", &line, "");
    stage.expect(
        usize::try_from(embedded).is_ok_and(|count| count == stored),
        || format!("{embedded} of {stored} vectors were embedded"),
    );
    Ok(())
}
