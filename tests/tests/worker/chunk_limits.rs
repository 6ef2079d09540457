//! auto_embed in chunks, and texts that are too long for the model, or cut in another way than others.

use anyhow::Result;
use zerodb_hooks_harness::model_endpoint::{ModelEndpoint, TokenLimit};
use zerodb_hooks_harness::on_every_server;

use crate::chunks::{CHUNKS, CUT, UNNUMBERED, documents, section};
use crate::models::{provider_file, served_by, worker_of};
use crate::setup::worker;

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_too_long_for_the_model_is_halved_and_nothing_is_lost() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        // It counts more tokens than anybody would estimate.
        endpoint.embeddings.behave(|behaviour| {
            behaviour.token_limit = Some(TokenLimit::Tei(90));
            behaviour.bytes_per_token = 2;
        });
        documents(&session, CUT).await?;
        let file = provider_file(&endpoint, &[])?;
        let mut worker = worker_of(&database, &file)?;
        let text = |first: &str| {
            let names = [first, "river", "tower", "market", "harbour"];
            names.iter().map(|name| section(name)).collect::<String>()
        };
        let upsert = "INSERT INTO docs VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body";
        let store = async |id: i64, text: String| {
            session.client.execute(upsert, &[&id, &text]).await?;
            session.idle().await
        };
        store(1, text("bridge")).await?;
        assert_eq!(session.in_state("discarded").await?, 0);
        let words = "SELECT count(*) FROM docs_chunks AS c, regexp_matches(c.content, 'is well known here', 'g') WHERE source_id = 1";
        assert_eq!(session.number(words).await?, 30, "all of the text is there");
        assert_eq!(session.number(UNNUMBERED).await?, 0);
        let longer = "SELECT count(*) FROM docs_chunks WHERE octet_length(coalesce(heading, '') || content) > 180";
        assert_eq!(session.number(longer).await?, 0);
        // The next text is cut smaller from the start, and another worker, which has not learned that, pays for no
        // part twice.
        let refused = || {
            let seen = endpoint.inputs_seen();
            seen.sent.keys().filter(|text| text.len() > 180).map(|text| seen.sent[text]).sum::<usize>()
        };
        let before = refused();
        assert!(before > 0);
        store(2, text("castle").replace("here", "now")).await?;
        assert_eq!(refused(), before, "nothing that is too long was sent again");
        worker.kill9()?;
        let _worker = worker_of(&database, &file)?;
        store(1, text("meadow")).await?;
        let paid = endpoint.inputs_seen().answered;
        assert!(paid.values().all(|times| *times == 1), "{paid:?}");
        assert_eq!(session.number(words).await?, 30);
        assert_eq!(session.number(UNNUMBERED).await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_cut_anew_when_the_model_says_how_much_it_takes() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        endpoint
            .embeddings
            .behave(|behaviour| behaviour.token_limit = Some(TokenLimit::Tei(40)));
        documents(&session, CUT).await?;
        let _worker = served_by(&database, &endpoint, &[])?;
        let text: String = ["bridge", "river", "tower"].map(section).concat();
        let upsert = "INSERT INTO docs VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET body = excluded.body";
        session.client.execute(upsert, &[&text]).await?;
        session.idle().await?;
        assert_eq!(session.in_state("discarded").await?, 0);
        let chunks = session.number(CHUNKS).await?;
        let requests = endpoint.requests().len();
        session.client.execute(upsert, &[&format!("{text} ")]).await?;
        session.idle().await?;
        assert_eq!(session.number(CHUNKS).await?, chunks);
        assert_eq!(endpoint.requests().len(), requests, "the next cut is the same");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_too_long_says_where_long_texts_go() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        endpoint
            .embeddings
            .behave(|behaviour| behaviour.token_limit = Some(TokenLimit::Tei(40)));
        crate::models::embedded_store(&session, "{}").await?;
        let _worker = served_by(&database, &endpoint, &[])?;
        session
            .run("INSERT INTO zerodb_store.vectors (content) VALUES (repeat('Much to say. ', 100))")
            .await?;
        session.discarded(1).await?;
        let error = session.text("SELECT last_error FROM zerodb.deliveries").await?;
        assert!(
            error.starts_with("input_too_long: ") && error.contains("create_chunk_table"),
            "{error}"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_markdown_has_headings() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        session
            .run("SELECT zerodb.create_store(dimensions => 32);
                SELECT zerodb.create_hook('zerodb.file.uploaded', 'auto_embed', '{\"chunk_tokens\": 90, \"chunk_overlap\": 0}')")
            .await?;
        let program = "# TODO remove this\nimport os\n\n# begin\ndef main():\n    return os.getcwd()\n\n".repeat(9);
        let page = format!("---\ntitle: Opening hours\n---\n\n{}", "The office opens at nine. ".repeat(30));
        let files = [
            ("py", "main.py", "text/x-python", &program),
            ("yaml", "conf.yaml", "application/yaml", &program),
            ("notes", "notes.txt", "text/plain", &program),
            ("md", "page.md", "text/markdown", &page),
        ];
        for (id, name, content_type, text) in files {
            for (form, column) in [("text", "content"), ("bytes", "content_bytes")] {
                let value = if form == "text" { "$4::text" } else { "convert_to($4::text, 'UTF8')" };
                let insert = format!("INSERT INTO zerodb_store.files (id, file_name, content_type, {column}) VALUES ($1, $2, $3, {value})");
                session.client.execute(&insert, &[&format!("{id} {form}"), &name, &content_type, text]).await?;
            }
        }
        let _worker = worker(&database)?;
        session.becomes("SELECT count(DISTINCT file_id) FROM zerodb_store.file_chunks", 8).await?;
        session.idle().await?;
        let headings = "SELECT file_id || ': ' || heading FROM zerodb_store.file_chunks WHERE heading IS NOT NULL GROUP BY 1 ORDER BY 1";
        assert_eq!(session.texts(headings).await?, ["md bytes: Opening hours", "md text: Opening hours"]);
        let metadata = "SELECT count(*) FROM zerodb_store.file_chunks WHERE content LIKE '%title:%'";
        assert_eq!(session.number(metadata).await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_follow_the_key_of_their_row() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        documents(&session, CUT).await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO docs VALUES (1, 'A text about cats.')").await?;
        session.becomes(CHUNKS, 1).await?;
        let of = async |key: i64| session.number(&format!("SELECT count(*) FROM docs_chunks WHERE source_id = {key}")).await;
        session.run("UPDATE docs SET id = 2").await?;
        assert_eq!(of(2).await?, 1);
        // As it was made before.
        session
            .run("ALTER TABLE docs_chunks DROP CONSTRAINT docs_chunks_source_id_fkey,
                ADD CONSTRAINT docs_chunks_source_id_fkey FOREIGN KEY (source_id) REFERENCES docs (id) ON DELETE CASCADE")
            .await?;
        assert_eq!(session.error("UPDATE docs SET id = 3").await?.code, "23503");
        session.run("SELECT zerodb.create_chunk_table('docs', dimensions => 8)").await?;
        session.run("UPDATE docs SET id = 3").await?;
        assert_eq!(of(3).await?, 1);
        let error = session.error("SELECT zerodb.create_chunk_table('docs', dimensions => 9)").await?;
        assert_eq!(error.code, "42P07", "that is another table");
        Ok(())
    })
    .await
}
