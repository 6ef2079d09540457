//! auto_summarize on files: each kind is read, by a child process; what is wrong with a file is said and stops nothing
//! else.

use std::io::{Cursor, Write};

use anyhow::{Context, Result};
use zerodb_hooks_harness::model_endpoint::ModelEndpoint;
use zerodb_hooks_harness::programs::worker;
use zerodb_hooks_harness::{SOON, Session, eventually, on_every_server};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::auto_summarize::{file, summarized_store};
use crate::models::served_by;
use crate::setup::worker as local_worker;

const PDF: &[u8] = include_bytes!("../../../documents/tests/fixtures/bread.pdf");
const DOCX: &[u8] = include_bytes!("../../../documents/tests/fixtures/bread.docx");
const WITH_PASSWORD: &[u8] = include_bytes!("../../../documents/tests/fixtures/bread_with_password.pdf");
const MARKDOWN: &str = "# Bread\n\nHeat the oven to 240 °C. Then *wait* for an hour, and for another one.\n";
const HTML: &str = "<html><script>alert(1)</script><body><h1>Bread</h1><p>Heat the oven to 240&nbsp;°C. \
                    Then wait for an hour, and for another one.</p></body></html>";

/// Stores a file by its bytes.
async fn store(session: &Session, id: &str, name: &str, content_type: &str, bytes: &[u8]) -> Result<()> {
    let insert =
        "INSERT INTO zerodb_store.files (id, file_name, content_type, content_bytes) VALUES ($1, $2, $3, $4)";
    session
        .client
        .execute(insert, &[&id, &name, &content_type, &bytes])
        .await?;
    Ok(())
}

/// A DOCX that inflates to more than a thousand times its size.
fn bomb() -> Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("word/document.xml", SimpleFileOptions::default())?;
    archive.write_all(b"<w:document><w:body><w:p><w:t>")?;
    for _ in 0..64 {
        archive.write_all(&[b'0'; 1 << 20])?;
    }
    Ok(archive.finish()?.into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_every_kind_of_file_is_summarised() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        endpoint.script(|_| "Somebody bakes.".into());
        summarized_store(&session, r#"{"max_length": 20}"#).await?;
        let _worker = served_by(&database, &endpoint, &[])?;
        let octets = "application/octet-stream";
        for (id, name, content_type, bytes) in [
            ("text", "bread.txt", "text/plain", MARKDOWN.as_bytes()),
            ("markdown", "bread.md", octets, MARKDOWN.as_bytes()),
            ("html", "bread", "text/html; charset=utf-8", HTML.as_bytes()),
            ("pdf", "bread.pdf", octets, PDF),
            ("docx", "bread.docx", octets, DOCX),
        ] {
            store(&session, id, name, content_type, bytes).await?;
            session
                .becomes(
                    &format!("SELECT count(summary) FROM zerodb_store.files WHERE id = '{id}'"),
                    1,
                )
                .await?;
            let request = endpoint.chat_requests().pop().context("a request")?;
            let text = request.user().replace('\u{a0}', " ");
            assert!(text.contains("Heat the oven to 240 °C."), "{id}: {text}");
            assert!(!text.contains("alert(") && !text.contains("<p>"), "{id}: {text}");
        }
        assert_eq!(file(&session, "pdf").await?["summary"], "Somebody bakes.");
        // A page that was stored as text is read as a page, another text as what it is.
        let insert =
            "INSERT INTO zerodb_store.files (id, file_name, content_type, content) VALUES ($1, $2, $3, $4)";
        for (id, name, content_type, content) in [
            ("page", "bread.html", octets, HTML),
            ("extracted", "bread.pdf", "application/pdf", MARKDOWN),
        ] {
            session
                .client
                .execute(insert, &[&id, &name, &content_type, &content])
                .await?;
            session
                .becomes(
                    &format!("SELECT count(summary) FROM zerodb_store.files WHERE id = '{id}'"),
                    1,
                )
                .await?;
            let request = endpoint.chat_requests().pop().context("a request")?;
            assert!(
                request.user().contains("Heat the oven") && !request.user().contains("alert("),
                "{id}"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_file_is_said_and_the_next_one_done() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        summarized_store(&session, "{}").await?;
        let mut worker = local_worker(&database)?;
        let bomb = bomb()?;
        let broken = &PDF[..300];
        for (class, name, bytes) in [
            ("malformed_document", "a.pdf", broken),
            ("zip_bomb", "a.docx", &bomb),
            ("empty_document", "a.txt", b""),
            ("encrypted_document", "a.pdf", WITH_PASSWORD),
            ("unsupported_type", "a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ] {
            store(&session, class, name, "application/octet-stream", bytes).await?;
        }
        session
            .run(
                "INSERT INTO zerodb_store.files (id, file_name, storage_uri) VALUES ('unreadable_source', 'a', 's3://bucket/a');
                 INSERT INTO zerodb_store.files (id, file_name, content_bytes)
                 VALUES ('input_too_large', 'a', convert_to(repeat('x', 64 * 1024 * 1024 + 1), 'UTF8'))",
            )
            .await?;
        store(&session, "fine", "bread.md", "text/markdown", MARKDOWN.as_bytes()).await?;
        session.becomes("SELECT count(summary) FROM zerodb_store.files", 1).await?;
        session.discarded(7).await?;
        let found = session
            .rows(
                "SELECT e.data ->> 'file_id' AS file, d.last_error AS error, d.attempts FROM zerodb.deliveries AS d
                 JOIN zerodb.events AS e ON e.id = d.event_id WHERE d.state = 'discarded'",
            )
            .await?;
        for row in &found {
            let (class, error) = (row["file"].as_str().unwrap_or_default(), row["error"].as_str().unwrap_or_default());
            assert!(error.starts_with(&format!("{class}: ")), "{row}");
            assert_eq!(row["attempts"], 1, "trying again cannot help: {row}");
        }
        assert!(worker.is_running());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_read_in_parts() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        summarized_store(&session, "{}").await?;
        let _worker = local_worker(&database)?;
        // Blanks, because they cost a parser least.
        let page = format!(
            "<html><body><p>Alice met Bob.</p>{}</body></html>",
            " ".repeat(4 << 20)
        );
        store(&session, "large", "large.html", "text/html", page.as_bytes()).await?;
        session
            .becomes("SELECT count(summary) FROM zerodb_store.files", 1)
            .await?;
        assert_eq!(file(&session, "large").await?["summary"], "Alice met Bob.");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parser_s_command_is_not_for_people() -> Result<()> {
    let help = worker::command()?.arg("--help").output()?;
    assert!(!String::from_utf8_lossy(&help.stdout).contains("  parse"));
    let mut alone = worker::command()?.arg("parse").spawn()?;
    let ended = eventually(SOON, async || alone.try_wait().ok().flatten()).await?;
    assert_eq!(ended.code(), Some(3), "it does not begin without limits");
    Ok(())
}
