//! Backfills: rows that were there before the hook, another model, workers that die in the middle.

use std::time::Duration;

use anyhow::Result;
use zerodb_hooks_harness::model_endpoint::ModelEndpoint;
use zerodb_hooks_harness::{SOON, eventually, on_every_server};

use crate::models::{embedded_store, provider_file, served_by, worker_of};

const FINISHED: &str = "SELECT count(*) FROM zerodb.backfills WHERE state = 'finished'";

#[tokio::test(flavor = "multi_thread")]
async fn rows_from_before_the_hook_are_embedded() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        endpoint.embeddings.behave(|behaviour| behaviour.poison(|text| text == "text 77"));
        session.run("SELECT zerodb.create_store(dimensions => 8)").await?;
        session
            .run("INSERT INTO zerodb_store.vectors (id, content) SELECT 'v' || g, 'text ' || g FROM generate_series(1, 2500) AS g")
            .await?;
        let hook = session.text("SELECT id FROM zerodb.create_hook('zerodb.vector.stored', 'auto_embed')").await?;
        let _worker = served_by(&database, &endpoint, &["max_batch: 256"])?;
        assert_eq!(session.number(&format!("SELECT zerodb.backfill('{hook}')")).await?, 1);
        session.becomes(FINISHED, 1).await?;
        let progress = session.text("SELECT concat_ws(' ', total, seen, done, failed, percent) FROM zerodb.backfills").await?;
        assert_eq!(progress, "2500 2500 2499 1 100.0");
        let failure = session.text("SELECT key::text || ' ' || error FROM zerodb.backfill_failure").await?;
        assert!(failure.starts_with("[\"v77\"] bad_request"), "{failure}");
        assert_eq!(session.number("SELECT count(embedding) FROM zerodb_store.vectors").await?, 2499);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_model_reaches_every_row_through_three_kills() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        let hook = embedded_store(&session, r#"{"model": "old"}"#).await?;
        session
            .run("INSERT INTO zerodb_store.vectors (id, content) SELECT 'v' || g, 'text ' || g FROM generate_series(1, 8000) AS g")
            .await?;
        let file = provider_file(&endpoint, &["max_batch: 256"])?;
        let of_model = |model: &str| format!("SELECT count(*) FROM zerodb_store.vectors WHERE embedding_model = '{model}'");
        let mut worker = worker_of(&database, &file)?;
        session.becomes(&of_model("old"), 8000).await?;
        let before: usize = endpoint.inputs_seen().sent.values().sum();
        endpoint.embeddings.behave(|behaviour| behaviour.latency = Duration::from_millis(100));
        session
            .run(&format!(
                "SELECT zerodb.update_hook('{hook}', '{{\"model\": \"new\"}}'); SELECT zerodb.reembed('{hook}')"
            ))
            .await?;
        for killed in 1..=3 {
            let some = killed * 1500;
            eventually(SOON, async || (session.number(&of_model("new")).await.ok()? >= some).then_some(())).await?;
            worker.kill9()?;
            worker = worker_of(&database, &file)?;
        }
        session.becomes(FINISHED, 1).await?;
        assert_eq!(session.number(&of_model("new")).await?, 8000);
        let sent = endpoint.inputs_seen().sent.values().sum::<usize>() - before;
        // At each kill at most four pages were under way whose vectors were not written yet.
        assert!(sent <= 8000 + 3 * 4 * 1000, "{sent} texts were sent for 8000 rows");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_embedding_hook_with_a_table_has_a_backfill() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let other = session
            .text("SELECT id FROM zerodb.create_hook('*', 'see', '{}', hook_type => 'log')")
            .await?;
        let error = session
            .error(&format!("SELECT zerodb.backfill('{other}')"))
            .await?;
        assert_eq!(error.code, "22023");
        let alone = session
            .text("SELECT id FROM zerodb.create_hook('zerodb.vector.stored', 'auto_embed')")
            .await?;
        let error = session
            .error(&format!("SELECT zerodb.backfill('{alone}')"))
            .await?;
        assert_eq!(error.code, "22023");
        let error = session.error("SELECT zerodb.reembed(gen_random_uuid())").await?;
        assert_eq!(error.code, "P0002");
        Ok(())
    })
    .await
}
