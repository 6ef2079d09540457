//! What zerodb.hook_status says of hooks that call models: what waits and failed and why, how much is done, what it
//! cost.

use anyhow::Result;
use serde_json::json;
use zerodb_hooks_harness::model_endpoint::{Fault, ModelEndpoint};
use zerodb_hooks_harness::on_every_server;

use crate::models::{embedded_store, served_by};

#[tokio::test(flavor = "multi_thread")]
async fn it_counts_what_waits_what_failed_and_what_is_done() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        endpoint.embeddings.behave(|behaviour| behaviour.poison(|text| text == "bad"));
        let hook = embedded_store(&session, "{}").await?;
        session.run("SELECT id FROM zerodb.create_hook('*', 'other', hook_type => 'log')").await?;
        session
            .run("INSERT INTO zerodb_store.vectors (content) SELECT 'text ' || g FROM generate_series(1, 7) AS g UNION ALL SELECT 'bad'")
            .await?;
        // One that does not fit most of its tables keeps nobody from counting.
        let misfit = r#"{"chunk_table": "zerodb_store.file_chunks"}"#;
        session
            .run(&format!("SELECT id FROM zerodb.create_hook('zerodb.*', 'auto_embed', '{misfit}')"))
            .await?;
        let status = format!(
            "SELECT pending, deferred, discarded, errors, total, done, coverage_percent, oldest_pending_age IS NULL AS idle, tokens > 0 AS paid
            FROM zerodb.hook_status WHERE hook_id = '{hook}'"
        );
        let _worker = served_by(&database, &endpoint, &[])?;
        session.becomes("SELECT count(embedding) FROM zerodb_store.vectors", 7).await?;
        session.idle().await?;
        // The worker counts rows now and then.
        session.becomes(&format!("SELECT count(*) FROM zerodb.hook_status WHERE hook_id = '{hook}' AND done = 7 AND tokens > 0"), 1).await?;
        assert_eq!(
            session.rows(&status).await?,
            [json!({"pending": 0, "deferred": 0, "discarded": 1, "errors": {"bad_request": 1}, "total": 8, "done": 7,
                "coverage_percent": "87.50".parse::<serde_json::Number>()?, "idle": true, "paid": true})]
        );
        endpoint.embeddings.always(Fault::Unauthorized);
        session.run("INSERT INTO zerodb_store.vectors (content) VALUES ('waits'), ('waits too')").await?;
        session.becomes(&format!("SELECT deferred FROM zerodb.hook_status WHERE hook_id = '{hook}'"), 2).await?;
        let waits = session.rows(&format!("SELECT pending, discarded, errors, oldest_pending_age > '0' AS waits FROM zerodb.hook_status WHERE hook_id = '{hook}'")).await?;
        assert_eq!(waits, [json!({"pending": 2, "discarded": 1, "errors": {"bad_request": 1, "unauthorized": 2}, "waits": true})]);
        let others = "SELECT count(*) FROM zerodb.hook_status WHERE hook_name = 'other' AND pending = 0 AND errors = '{}'";
        assert_eq!(session.number(others).await?, 1, "another hook has none of it");
        Ok(())
    })
    .await
}
