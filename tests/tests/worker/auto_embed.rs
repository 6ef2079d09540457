//! auto_embed: vectors follow their texts, on the store and on any table; nothing is paid twice, nothing stale is
//! written.

use std::time::Duration;

use anyhow::{Result, ensure};
use zerodb_hooks_harness::model_endpoint::ModelEndpoint;
use zerodb_hooks_harness::{SOON, eventually, on_every_server};

use crate::models::{embedded_store, holds, provider_file, served_by, vector_in, worker_of};
use crate::setup::{open_transactions_end, worker};

const EMBEDDED: &str = "SELECT count(embedding) FROM zerodb_store.vectors";

#[tokio::test(flavor = "multi_thread")]
async fn without_any_model_the_local_provider_fills_vectors() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        embedded_store(&session, "{}").await?;
        session
            .run("INSERT INTO zerodb_store.vectors (id, content) VALUES ('a', 'the cat sat on the mat'), ('b', 'a cat on a mat'), ('c', 'tax law')")
            .await?;
        let _worker = worker(&database)?;
        session.becomes(EMBEDDED, 3).await?;
        let found = vector_in(&session, "SELECT embedding FROM zerodb_store.vectors WHERE id = 'a'").await?;
        let length: f32 = found.iter().map(|x| x * x).sum();
        assert!((length - 1.0).abs() < 1e-3, "{length}");
        assert_eq!(
            session.texts("SELECT DISTINCT embedding_model FROM zerodb_store.vectors").await?,
            ["lexical-v1"]
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_changed_is_not_sent_again() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        embedded_store(&session, "{}").await?;
        let _worker = served_by(&database, &endpoint, &[])?;
        session
            .run("INSERT INTO zerodb_store.vectors (id, content) SELECT 'v' || g, 'text ' || g % 100 FROM generate_series(1, 1000) AS g")
            .await?;
        session.becomes(EMBEDDED, 1000).await?;
        session.idle().await?;
        let seen = endpoint.inputs_seen();
        let sent: usize = seen.sent.values().sum();
        assert!(sent <= 100 * seen.batches.len(), "equal texts of a request are sent once: {sent}");
        let requests = endpoint.requests().len();
        let event_count = session.event_count().await?;
        assert_eq!(event_count, 1000, "a vector that is written back is no event");
        session
            .run("UPDATE zerodb_store.vectors SET metadata = '{\"a\": 1}'; UPDATE zerodb_store.vectors SET content = content || ''")
            .await?;
        session.run("UPDATE zerodb_store.vectors SET content = 'now something else' WHERE id = 'v7'").await?;
        session.idle().await?;
        assert_eq!(endpoint.requests().len(), requests + 1);
        let of = "SELECT embedding FROM zerodb_store.vectors WHERE id = 'v7'";
        assert!(holds(&session, of, "now something else").await?);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vector_that_the_application_gives_is_its_own() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        embedded_store(&session, "{}").await?;
        let _worker = served_by(&database, &endpoint, &[])?;
        session
            .run("INSERT INTO zerodb_store.vectors (id, content, embedding) VALUES ('mine', 'x', '{1,0,0,0,0,0,0,0}'::real[]), ('empty', ' ', NULL)")
            .await?;
        session.idle().await?;
        let found = vector_in(&session, "SELECT embedding FROM zerodb_store.vectors WHERE id = 'mine'").await?;
        assert_eq!(found[0], 1.0);
        assert!(endpoint.requests().is_empty());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_changes_while_it_is_embedded_wins_and_waits_for_nobody() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        let answers = endpoint.embeddings.hold();
        embedded_store(&session, "{}").await?;
        let _worker = served_by(&database, &endpoint, &[])?;
        session
            .run("INSERT INTO zerodb_store.vectors (id, content) VALUES ('a', 'first')")
            .await?;
        endpoint.wait_for_requests(1, SOON).await?;
        // A lock of the worker's would make this fail.
        session
            .run(
                "SET lock_timeout = '1ms'; UPDATE zerodb_store.vectors SET content = 'second' WHERE id = 'a'",
            )
            .await?;
        open_transactions_end(&session).await?;
        drop(answers);
        let of = "SELECT embedding FROM zerodb_store.vectors WHERE id = 'a'";
        // Whatever is written, and when, it is never the vector of the first text.
        eventually(SOON, async || {
            session.number(EMBEDDED).await.ok().filter(|count| *count == 1)?;
            assert!(!holds(&session, of, "first").await.ok()?);
            Some(())
        })
        .await?;
        session.idle().await?;
        assert!(holds(&session, of, "second").await?);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn any_table_any_key_and_a_template() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        session
            .run(
                "CREATE TABLE article (site text, no integer, title text, body text, v real[], PRIMARY KEY (site, no));
                 SELECT zerodb.register_event_type('article.written', 'app', '{site,article_id}', 'an article');
                 SELECT zerodb.watch('article', 'article.written', '{\"article_id\": \"no\"}', '{insert,update}', '{title,body}');
                 SELECT zerodb.create_hook('article.written', 'auto_embed', '{\"target_column\": \"v\", \"dimensions\": 16,
                     \"template\": \"{{ title }}: {{ body }}\"}')",
            )
            .await?;
        let _worker = served_by(&database, &endpoint, &[])?;
        session
            .run("INSERT INTO article (site, no, title, body) VALUES ('a', 1, 'One', 'x'), ('a', 2, 'Two', 'y'), ('b', 1, 'Other', 'z')")
            .await?;
        session.becomes("SELECT count(v) FROM article", 3).await?;
        assert!(holds(&session, "SELECT v FROM article WHERE site = 'a' AND no = 2", "Two: y").await?);
        session.idle().await?;
        let requests = endpoint.requests().len();
        session.run("UPDATE article SET body = body || '' , title = 'Two' WHERE no = 2; UPDATE article SET title = 'Uno' WHERE site = 'b'").await?;
        session.idle().await?;
        assert!(holds(&session, "SELECT v FROM article WHERE site = 'b'", "Uno: z").await?);
        assert_eq!(endpoint.requests().len(), requests + 1, "the hash is kept though the table has no column for it");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_cannot_fit_its_table_is_refused() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        session.run("SELECT zerodb.create_store(dimensions => 8)").await?;
        for (config, code) in [
            (r#"{"dimensions": 1024}"#, "22023"),
            (r#"{"target_column": "nowhere"}"#, "42703"),
            (r#"{"content": "nowhere"}"#, "42703"),
        ] {
            let make = format!("SELECT zerodb.create_hook('zerodb.vector.stored', 'auto_embed', '{config}')");
            let error = session.error(&make).await?;
            assert_eq!(error.code, code, "{config}");
            assert!(error.hint.is_some(), "{config}");
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_workers_lose_nothing() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        endpoint.embeddings.behave(|behaviour| behaviour.latency = Duration::from_millis(100));
        embedded_store(&session, "{}").await?;
        let file = provider_file(&endpoint, &["max_batch: 16"])?;
        session
            .run("INSERT INTO zerodb_store.vectors (id, content) SELECT 'v' || g, 'text ' || g FROM generate_series(1, 600) AS g")
            .await?;
        for killed in 1..=3 {
            let mut worker = worker_of(&database, &file)?;
            let some = killed * 100;
            eventually(SOON, async || (session.number(EMBEDDED).await.ok()? >= some).then_some(())).await?;
            worker.kill9()?;
        }
        let _worker = worker_of(&database, &file)?;
        session.becomes(EMBEDDED, 600).await?;
        session.idle().await?;
        let seen = endpoint.inputs_seen();
        let sent: usize = seen.sent.values().sum();
        // At each kill at most eight requests were under way.
        ensure!(sent <= 600 + 3 * 8 * 16, "{sent} texts were sent for 600 rows");
        Ok(())
    })
    .await
}
