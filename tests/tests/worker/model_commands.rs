//! The operator's commands that know models: recall, backfills and the doctor's look at them.

use std::process::Output;

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::NamedTempFile;
use zerodb_hooks_harness::model_endpoint::{Fault, ModelEndpoint};
use zerodb_hooks_harness::on_every_server;

use crate::models::{embedded_store, provider_file, worker_of};
use crate::setup::worker;

async fn run(url: &str, file: Option<&NamedTempFile>, arguments: &[&str]) -> Result<Output> {
    let mut command = tokio::process::Command::from(zerodb_hooks_harness::programs::worker::command()?);
    command.args(arguments).env("DATABASE_URL", url);
    if let Some(file) = file {
        command.arg("--config").arg(file.path());
    }
    Ok(command.output().await?)
}

fn json(output: &Output) -> Result<Value> {
    serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_embedded_by_the_model_of_the_rows() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        embedded_store(&session, "{}").await?;
        session
            .run("INSERT INTO zerodb_store.vectors (id, content) VALUES ('a', 'the cat sat on the mat'), ('b', 'tax law')")
            .await?;
        let file = provider_file(&endpoint, &[])?;
        let search = ["recall", "tax law", "--source", "vectors", "--json"];
        let before = run(&database.url(), Some(&file), &search).await?;
        assert!(
            said(&before).contains("holds no vector yet"),
            "{}",
            said(&before)
        );
        assert_eq!(json(&before)?["found"][0]["found_by"], "words");
        let _worker = worker_of(&database, &file)?;
        session.becomes("SELECT count(embedding) FROM zerodb_store.vectors", 2).await?;
        let found = json(&run(&database.url(), Some(&file), &search).await?)?;
        // The endpoint's vector of the same text is the same.
        assert_eq!(
            (&found["found"][0]["id"], &found["found"][0]["found_by"]),
            (&Value::from("b"), &Value::from("both"))
        );
        assert!(
            found["found"][0]["similarity"].as_f64().context("a number")? > 0.999,
            "{found}"
        );
        let other = run(
            &database.url(),
            Some(&file),
            &["recall", "x", "--source", "vectors", "--model", "other"],
        )
        .await?;
        assert!(
            said(&other).contains("holds vectors of test-model"),
            "{}",
            said(&other)
        );
        let wrong = run(&database.url(), Some(&file), &["recall", "x", "--source", "nothing"]).await?;
        assert_eq!(wrong.status.code(), Some(1));
        assert!(said(&wrong).contains("Give zeromemory"), "{}", said(&wrong));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_model_the_store_is_searched_all_the_same() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        embedded_store(&session, "{}").await?;
        session
            .run("INSERT INTO zerodb_store.vectors (id, content) VALUES ('a', 'the cat sat on the mat')")
            .await?;
        let _worker = worker(&database)?;
        session
            .becomes("SELECT count(embedding) FROM zerodb_store.vectors", 1)
            .await?;
        let found = run(&database.url(), None, &["recall", "cat", "--source", "vectors"]).await?;
        assert!(said(&found).contains("both"), "{}", said(&found));
        let none = run(&database.url(), None, &["recall", "xylophone"]).await?;
        assert_eq!(said(&none), "Nothing fits.\n");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn backfills_are_watched_until_they_have_ended() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let none = run(&database.url(), None, &["backfills"]).await?;
        assert!(
            said(&none).starts_with("There are no backfills here."),
            "{}",
            said(&none)
        );
        session.run("SELECT zerodb.create_store(dimensions => 8)").await?;
        session
            .run("INSERT INTO zerodb_store.vectors (content) SELECT 'text ' || g FROM generate_series(1, 1500) AS g")
            .await?;
        session
            .run("SELECT zerodb.backfill(id) FROM zerodb.create_hook('zerodb.vector.stored', 'auto_embed')")
            .await?;
        let _worker = worker(&database)?;
        let watched = run(&database.url(), None, &["backfills", "--watch", "--json"]).await?;
        let lines = String::from_utf8(watched.stdout)?;
        let last: Value = serde_json::from_str(lines.lines().last().context("a line")?)?;
        let one = &last["backfills"][0];
        assert_eq!(
            (&one["state"], &one["seen"], &one["done"]),
            (&"finished".into(), &1500.into(), &1500.into())
        );
        let table = run(&database.url(), None, &["backfills"]).await?;
        assert!(
            said(&table).contains("zerodb_store.vectors"),
            "{}",
            said(&table)
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tries_the_models_of_hooks() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        let none = run(&database.url(), None, &["doctor"]).await?;
        assert!(
            said(&none).contains("no active hook uses one"),
            "{}",
            said(&none)
        );
        session.run("SELECT zerodb.create_store(dimensions => 8)").await?;
        session
            .run(r#"SELECT zerodb.create_hook('zerodb.vector.stored', 'auto_embed', '{"provider": "mock", "dimensions": 8}'),
                zerodb.create_hook('zeromemory.remembered', 'auto_graph', '{"provider": "mock"}')"#)
            .await?;
        let without = run(&database.url(), None, &["doctor"]).await?;
        assert!(
            said(&without).contains("no file of the worker is given"),
            "{}",
            said(&without)
        );
        let file = provider_file(&endpoint, &[])?;
        let well = run(&database.url(), Some(&file), &["doctor"]).await?;
        assert_eq!(well.status.code(), Some(0), "{}", said(&well));
        assert!(said(&well).contains("2 answer"), "{}", said(&well));
        assert_eq!(endpoint.requests().len(), 2, "each is asked once");
        endpoint.embeddings.always(Fault::Unauthorized);
        let refused = run(&database.url(), Some(&file), &["doctor"]).await?;
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        assert!(
            said(&refused).contains("auto_embed") && said(&refused).contains("401"),
            "{}",
            said(&refused)
        );
        session.idle().await
    })
    .await
}
