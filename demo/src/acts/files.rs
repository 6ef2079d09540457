//! Files: one event each, one delivery for each hook that wants it.

use anyhow::Result;
use tokio_postgres::types::ToSql;

use crate::follow::{Sent, follow};
use crate::screen::{self, Tone};
use crate::stage::Stage;
use crate::texts;

const INSERT: &str =
    "INSERT INTO zerodb_store.files (file_name, content_type, content) VALUES ($1, $2, $3) RETURNING id";

const SUMMARY: &str = "SELECT summary, summary_model FROM zerodb_store.files WHERE id = $1";

pub async fn play(stage: &mut Stage) -> Result<()> {
    screen::section(
        "Files: the documents of this project, one INSERT each",
        &[
            "Right of a write: its round trip, by the client's clock. + counts from the moment it was sent:",
            "to the event's timestamp, and to the end of the delivery (finished_at), by the server's clock.",
        ],
    );
    for document in texts::documents() {
        let sent = Sent::now();
        let values: [&(dyn ToSql + Sync); 3] = [&document.name, &document.content_type(), &document.text];
        let id: String = stage.session.client.query_one(INSERT, &values).await?.get(0);
        let size = screen::kib(document.text.len());
        sent.answered(&format!(
            "INSERT INTO zerodb_store.files …  {:<16} {size:>9}",
            document.name
        ));
        follow(&stage.session, &sent, "file_id", &id).await?;
        let row = stage.session.client.query_one(SUMMARY, &[&id]).await?;
        let (summary, model): (Option<String>, Option<String>) = (row.get(0), row.get(1));
        let summary = summary.unwrap_or_default();
        screen::row(
            Tone::Good,
            "summary",
            &screen::clip(&summary, 75),
            &model.unwrap_or_default(),
        );
        stage.expect(!summary.is_empty(), || {
            format!("{} has no summary", document.name)
        });
        stage.written.push(id);
    }
    Ok(())
}
