//! auto_embed in chunks: long texts and files are found by their parts; an edit pays for what it touched, and parts go
//! with their row.

use anyhow::Result;
use zerodb_hooks_harness::model_endpoint::{Fault, ModelEndpoint};
use zerodb_hooks_harness::{SOON, Session, eventually, on_every_server};

use crate::models::{holds, provider_file, served_by, worker_of};
use crate::setup::worker;

const PDF: &[u8] = include_bytes!("../../../documents/tests/fixtures/bread.pdf");
pub const CHUNKS: &str = "SELECT count(*) FROM docs_chunks WHERE embedding IS NOT NULL";
/// Every chunk has the number of its place, from 0 on.
pub const UNNUMBERED: &str = "SELECT count(*) FROM (SELECT chunk, row_number() OVER (PARTITION BY source_id ORDER BY chunk) - 1 AS n FROM docs_chunks) AS c WHERE chunk <> n";

/// A section with a heading and a paragraph of its own words.
pub fn section(about: &str) -> String {
    format!(
        "# About {about}\n\n{}\n\n",
        format!("The {about} is well known here. ").repeat(6)
    )
}

/// A watched table of documents with a table of chunks of eight dimensions, and an auto_embed hook. Returns the hook.
pub async fn documents(session: &Session, config: &str) -> Result<String> {
    session
        .run("CREATE TABLE docs (id bigint PRIMARY KEY, body text);
            SELECT zerodb.create_chunk_table('docs', dimensions => 8);
            SELECT zerodb.register_event_type('doc.stored', 'documents', ARRAY['doc_id'], 'A document was stored');
            SELECT zerodb.watch('docs', 'doc.stored', '{\"doc_id\": \"id\"}', '{insert,update}', '{body}')")
        .await?;
    session
        .text(&format!(
            "SELECT id FROM zerodb.create_hook('doc.stored', 'auto_embed', '{config}')"
        ))
        .await
}

pub const CUT: &str =
    r#"{"content": "body", "chunk_table": "docs_chunks", "chunk_tokens": 90, "chunk_overlap": 0}"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_pays_for_the_parts_that_it_touched() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        documents(&session, CUT).await?;
        let _worker = served_by(&database, &endpoint, &[])?;
        let text = |names: &[&str]| names.iter().map(|name| section(name)).collect::<String>();
        let all = [
            "bridge", "river", "tower", "market", "harbour", "school", "garden", "mill", "abbey", "forge",
        ];
        let with_castle: Vec<&str> = std::iter::once("castle").chain(all).collect();
        let store = async |text: String| {
            let upsert =
                "INSERT INTO docs VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET body = excluded.body";
            session.client.execute(upsert, &[&text]).await?;
            session.idle().await
        };
        store(text(&all)).await?;
        let first = session.number(CHUNKS).await?;
        assert!(first >= 10, "{first} chunks");
        let of_tower = "FROM docs_chunks WHERE content LIKE '%tower%' ORDER BY chunk LIMIT 1";
        let input = session
            .text(&format!("SELECT heading || E'\\n\\n' || content {of_tower}"))
            .await?;
        assert!(
            holds(&session, &format!("SELECT embedding {of_tower}"), &input).await?,
            "a part is embedded with the heading above it"
        );
        let sent = || endpoint.inputs_seen().sent.values().sum::<usize>();
        let before = sent();
        // A new section in front moves all the others.
        store(text(&with_castle)).await?;
        assert!(
            (1..=4).contains(&(sent() - before)),
            "{} parts were sent",
            sent() - before
        );
        assert_eq!(session.number(UNNUMBERED).await?, 0);
        let headings = "SELECT count(DISTINCT heading) FROM docs_chunks";
        assert_eq!(session.number(headings).await?, 11);
        // The same again, and fewer: nothing to pay for.
        let before = sent();
        store(text(&with_castle)).await?;
        assert_eq!(sent(), before);
        store(text(&with_castle[..3])).await?;
        assert!(sent() - before <= 2, "{} parts were sent", sent() - before);
        assert_eq!(session.number(headings).await?, 3);
        assert_eq!(session.number(UNNUMBERED).await?, 0);
        session.run("UPDATE docs SET body = NULL").await?;
        session.becomes("SELECT count(*) FROM docs_chunks", 0).await?;
        store(text(&["castle"])).await?;
        assert!(session.number(CHUNKS).await? > 0, "it comes back");
        session
            .run("DROP TABLE docs_chunks; SELECT zerodb.create_chunk_table('docs', dimensions => 8)")
            .await?;
        store(text(&["harbour"])).await?;
        session
            .becomes("SELECT count(DISTINCT heading) FROM docs_chunks", 1)
            .await?;
        session.run("DELETE FROM docs").await?;
        assert_eq!(
            session.number("SELECT count(*) FROM docs_chunks").await?,
            0,
            "parts go with their row"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_the_store_are_found_by_their_parts() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        session
            .run("SELECT zerodb.create_store(dimensions => 256); SELECT zerodb.create_hook('zerodb.file.uploaded', 'auto_embed')")
            .await?;
        let insert = "INSERT INTO zerodb_store.files (id, file_name, content_type, content_bytes) VALUES ('bread', 'bread.pdf', 'application/pdf', $1)";
        session.client.execute(insert, &[&PDF]).await?;
        session
            .run("INSERT INTO zerodb_store.files (id, file_name, content) VALUES ('tax', 'tax.txt', 'The tax office opens at nine. Bring your papers.')")
            .await?;
        let _worker = worker(&database)?;
        session.becomes("SELECT count(DISTINCT file_id) FROM zerodb_store.file_chunks", 2).await?;
        let found = session.texts("SELECT metadata ->> 'file_id' FROM zerodb.recall('how hot is the oven for bread', source => 'files')").await?;
        assert_eq!(found.first().map(String::as_str), Some("bread"), "{found:?}");
        let found = session.texts("SELECT id FROM zerodb.recall('papers for the tax office', source => 'files', \"limit\" => 1)").await?;
        assert_eq!(found, ["tax#0"]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_the_model_refuses_leaves_the_others() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        endpoint
            .embeddings
            .behave(|behaviour| behaviour.poison(|text| text.contains("river")));
        documents(&session, CUT).await?;
        let _worker = served_by(&database, &endpoint, &[])?;
        let text: String = ["bridge", "river", "tower"].map(section).concat();
        session
            .client
            .execute("INSERT INTO docs VALUES (1, $1)", &[&text])
            .await?;
        session.discarded(1).await?;
        let error = session.text("SELECT last_error FROM zerodb.deliveries").await?;
        assert!(
            error.starts_with("bad_request: ") && error.contains("in chunk"),
            "{error}"
        );
        let present = session
            .text("SELECT string_agg(DISTINCT heading, ',' ORDER BY heading) FROM docs_chunks")
            .await?;
        assert_eq!(present, "About bridge,About tower");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_embedded_before_an_outage_is_not_paid_for_again() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        documents(&session, CUT).await?;
        let _worker = served_by(&database, &endpoint, &["max_batch: 2"])?;
        session
            .run("INSERT INTO docs VALUES (1, 'An older text.')")
            .await?;
        session.becomes(CHUNKS, 1).await?;
        // The model works for two requests, then not, then again.
        let names: Vec<String> = (0..12).map(|n| format!("place{n}")).collect();
        let text: String = names.iter().map(|name| section(name)).collect();
        endpoint.embeddings.fail_after(2, Fault::Unavailable);
        session
            .client
            .execute("UPDATE docs SET body = $1", &[&text])
            .await?;
        eventually(SOON, async || {
            (session.number(CHUNKS).await.ok()? >= 3).then_some(())
        })
        .await?;
        let old = "SELECT count(*) FROM docs_chunks WHERE content = 'An older text.'";
        assert_eq!(
            session.number(old).await?,
            1,
            "the old part stays until the new ones are there"
        );
        endpoint.embeddings.heal();
        session
            .becomes("SELECT count(DISTINCT heading) FROM docs_chunks", 12)
            .await?;
        session.idle().await?;
        assert_eq!(
            (session.number(UNNUMBERED).await?, session.number(old).await?),
            (0, 0)
        );
        let paid = endpoint.inputs_seen().answered;
        assert!(
            paid.len() >= 13 && paid.values().all(|times| *times == 1),
            "{paid:?}"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_a_text_that_has_changed_meanwhile_are_not_written() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        let answers = endpoint.embeddings.hold();
        documents(&session, CUT).await?;
        let _worker = served_by(&database, &endpoint, &[])?;
        session
            .run("INSERT INTO docs VALUES (1, 'The first text.')")
            .await?;
        endpoint.wait_for_requests(1, SOON).await?;
        session
            .run("SET lock_timeout = '1ms'; UPDATE docs SET body = 'The second text.'")
            .await?;
        drop(answers);
        // Whatever is written, and when, the first text is never there.
        eventually(SOON, async || {
            let found = session.texts("SELECT content FROM docs_chunks").await.ok()?;
            assert_ne!(found, ["The first text."]);
            (!found.is_empty()).then_some(())
        })
        .await?;
        session.idle().await?;
        assert_eq!(
            session.texts("SELECT content FROM docs_chunks").await?,
            ["The second text."]
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_cuts_what_was_there_before() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        session
            .run("CREATE TABLE docs (id bigint PRIMARY KEY, body text); INSERT INTO docs SELECT g, 'Text ' || g FROM generate_series(1, 100) AS g")
            .await?;
        session
            .run("SELECT zerodb.create_chunk_table('docs', dimensions => 8);
                SELECT zerodb.register_event_type('doc.stored', 'documents', ARRAY['doc_id'], 'A document was stored');
                SELECT zerodb.watch('docs', 'doc.stored', '{\"doc_id\": \"id\"}', '{insert,update}', '{body}')")
            .await?;
        let hook = session.text(&format!("SELECT id FROM zerodb.create_hook('doc.stored', 'auto_embed', '{CUT}')")).await?;
        let file = provider_file(&endpoint, &[])?;
        let mut worker = worker_of(&database, &file)?;
        session.run(&format!("SELECT zerodb.backfill('{hook}')")).await?;
        eventually(SOON, async || (session.number(CHUNKS).await.ok()? >= 20).then_some(())).await?;
        worker.kill9()?;
        let _worker = worker_of(&database, &file)?;
        session.becomes("SELECT count(*) FROM zerodb.backfills WHERE state = 'finished'", 1).await?;
        assert_eq!(session.number("SELECT count(DISTINCT source_id) FROM docs_chunks").await?, 100);
        assert_eq!(session.number("SELECT count(*) FROM docs_chunks").await?, 100);
        let requests = endpoint.requests().len();
        session.run(&format!("SELECT zerodb.reembed('{hook}')")).await?;
        session.becomes("SELECT count(*) FROM zerodb.backfills WHERE state = 'finished'", 1).await?;
        assert_eq!(endpoint.requests().len(), requests, "what has not changed is not sent again");
        session
            .run(&format!("TRUNCATE docs_chunks; SELECT zerodb.backfill('{hook}')"))
            .await?;
        session.becomes(CHUNKS, 100).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_when_the_hook_is_made() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        documents(&session, CUT).await?;
        session.run("CREATE TABLE other (id int)").await?;
        for (config, says) in [
            (
                r#"{"content": "body", "chunk_table": "other"}"#,
                "no table of chunks",
            ),
            (
                r#"{"content": "body", "chunk_table": "docs_chunks", "dimensions": 9}"#,
                "dimensions",
            ),
            (
                r#"{"template": "{{ body }}", "chunk_table": "docs_chunks"}"#,
                "exclude each other",
            ),
            (r#"{"content": "body", "chunk_tokens": 1}"#, "chunk_tokens"),
        ] {
            let error = session
                .error(&format!(
                    "SELECT zerodb.create_hook('doc.stored', 'auto_embed', '{config}')"
                ))
                .await?;
            assert_eq!(error.code, "22023", "{config}: {error:?}");
            assert!(error.message.contains(says), "{config}: {}", error.message);
        }
        let error = session.error("SELECT zerodb.create_chunk_table('other')").await?;
        assert_eq!(error.code, "22023");
        Ok(())
    })
    .await
}
