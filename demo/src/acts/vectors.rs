//! Vectors: one statement that stores several has an event for each, and one for the batch.

use anyhow::{Context, Result};

use crate::follow::{Sent, deliveries};
use crate::screen::{self, Tone};
use crate::stage::Stage;
use crate::texts;

/// Vectors in the statement.
const COUNT: usize = 6;

/// The cast works for a column of pgvector's type and for one of real[].
const INSERT: &str = "
INSERT INTO zerodb_store.vectors (content, source, embedding, embedding_model)
SELECT v.content, 'demo', v.embedding::real[], 'hashed word counts'
FROM unnest($1::text[], $2::text[]) AS v (content, embedding) RETURNING id";

const EVENTS: &str = "
SELECT e.id, e.event, e.data FROM zerodb.events AS e WHERE e.event LIKE 'zerodb.vector.%' ORDER BY e.id";

pub async fn play(stage: &mut Stage) -> Result<()> {
    let column = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = 'zerodb_store.vectors'::regclass AND attname = 'embedding'";
    let column = stage.session.text(column).await?;
    screen::section(
        &format!("Vectors: {COUNT} rows in one statement, into a column of type {column}"),
        &["Hashed word counts of the paragraphs, computed here: not a model's embeddings."],
    );
    let documents = texts::documents();
    let some: Vec<_> = documents.iter().flat_map(texts::paragraphs).take(COUNT).collect();
    let embeddings: Vec<_> = some.iter().map(|text| texts::vector(text)).collect();
    let sent = Sent::now();
    let stored = stage
        .session
        .client
        .query(INSERT, &[&some, &embeddings])
        .await
        .context("the vectors")?
        .len();
    sent.answered(&format!(
        "INSERT INTO zerodb_store.vectors … {stored} rows of {} dimensions",
        texts::DIMENSIONS
    ));
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
    if let Some(id) = &batch {
        deliveries(&stage.session, &sent, id).await?;
    }
    let logged = stage.logged("vectors stored at once");
    screen::row(
        Tone::Good,
        "log",
        &format!("the worker's log: {}", logged.clone().unwrap_or_default()),
        "",
    );
    stage.expect(events.len() == stored + 1, || {
        format!(
            "{} events, not {} + 1, for {stored} vectors",
            events.len(),
            stored
        )
    });
    stage.expect(batch.is_some() && logged.is_some(), || {
        "the batch of vectors was not logged".into()
    });
    Ok(())
}
