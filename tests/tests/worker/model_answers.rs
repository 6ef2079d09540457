//! Answers of models as they come, and models that are not there: what becomes of a memory, whom hooks tell, and who
//! says so.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use zerodb_hooks_harness::model_endpoint::{Fault, Hint, ModelEndpoint};
use zerodb_hooks_harness::{SOON, Session, eventually, on_every_server};

use crate::models::{embedded_store, served_by};

const EMBEDDED: &str = "SELECT count(embedding) FROM zerodb_store.vectors";

async fn store(session: &Session, id: &str) -> Result<()> {
    let insert = format!("INSERT INTO zerodb_store.vectors (id, content) VALUES ('{id}', 'text {id}')");
    session.run(&insert).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_of_any_script_is_stored_and_one_bad_item_costs_itself_only() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        endpoint.script(|_| {
            let graph = json!({
                "entities": [{"id": "0", "name": "Анна", "type": "human"}, {"id": 1, "name": "Почта"}, {"id": 2, "name": null}, "李明"],
                "relations": [
                    {"source": 0, "predicate": "работает в", "target": "1", "fact": "Анна работает в Почте.", "confidence": "0.9"},
                    {"source": "李明", "predicate": "工作于", "target": 1},
                    {"source": 1, "predicate": "gründete", "target": 0, "confidence": null},
                    {"source": 0, "predicate": "knows", "target": 99},
                ],
            });
            format!("Here it is:\n```json\n{graph}\n```")
        });
        session.run("SELECT zerodb.create_store(dimensions => 8)").await?;
        session
            .text("SELECT id FROM zerodb.create_hook('zeromemory.*', 'auto_graph', '{\"max_attempts\": 1}')")
            .await?;
        let _worker = served_by(&database, &endpoint, &[])?;
        session.text("SELECT zerodb.remember('Анна работает в Почте.', 'Анна')").await?;
        session.becomes("SELECT count(*) FROM zerodb_store.extractions", 1).await?;
        let stated = "SELECT source || ' ' || predicate || ' ' || target FROM zerodb.graph_neighbors('Почта') ORDER BY 1";
        let mut found = session.texts(stated).await?;
        found.sort();
        assert_eq!(found, ["Анна РАБОТАЕТ_В Почта", "Почта GRÜNDETE Анна", "李明 工作于 Почта"]);
        let by_predicate = "SELECT source FROM zerodb.graph_neighbors('Почта', predicates => '{工作于}')";
        assert_eq!(session.texts(by_predicate).await?, ["李明"]);
        session
            .run("INSERT INTO zerodb_store.predicates (predicate, inverse) VALUES ('НАНЯЛА', 'РАБОТАЕТ_В')")
            .await?;
        for refused in ["works_at", "1ST", "_A", "A B", "A\u{a0}B", "", &"Я".repeat(65)] {
            let insert = format!("INSERT INTO zerodb_store.predicates (predicate) VALUES ('{refused}')");
            assert!(session.run(&insert).await.is_err(), "{refused}");
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_an_older_version_takes_predicates_of_any_script_after_create_store() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        session
            .run(
                "SELECT zerodb.create_store(dimensions => 8);
                 ALTER TABLE zerodb_store.relations DROP CONSTRAINT relations_predicate_check,
                     ADD CONSTRAINT relations_predicate_check CHECK (predicate ~ '^[A-Z][A-Z0-9_]{0,63}$');
                 ALTER TABLE zerodb_store.predicates DROP CONSTRAINT predicates_inverse_check,
                     ADD CONSTRAINT predicates_inverse_check CHECK (inverse ~ '^[A-Z][A-Z0-9_]{0,63}$');
                 SELECT zerodb.create_store(dimensions => 8);
                 INSERT INTO zerodb_store.entities (id, canonical_name, norm_name, sorted_name) VALUES (1, 'A', 'a', 'a'), (2, 'B', 'b', 'b');
                 INSERT INTO zerodb_store.relations (source_id, predicate, target_id) VALUES (1, 'ВСТРЕТИЛА', 2);
                 INSERT INTO zerodb_store.predicates (predicate, inverse) VALUES ('TEACHES', '学习于')",
            )
            .await?;
        let narrow = "SELECT count(*) FROM pg_constraint WHERE pg_get_constraintdef(oid) LIKE '%[A-Z][A-Z%'";
        assert_eq!(session.number(narrow).await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_are_told_of_an_endpoint_once() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let told = |event: &str| format!("SELECT count(*) FROM zerodb.events WHERE event = '{event}'");
        embedded_store(&session, r#"{"max_attempts": 50}"#).await?;
        let endpoint = ModelEndpoint::start()?;
        endpoint.embeddings.always(Fault::ServerError);
        let _worker = served_by(&database, &endpoint, &["max_batch: 1"])?;
        for id in 0..14 {
            store(&session, &id.to_string()).await?;
        }
        session.becomes(&told("on_circuit_breaker_open"), 1).await?;
        let event = "SELECT data FROM zerodb.events WHERE event = 'on_circuit_breaker_open'";
        let data = session.json(event).await?;
        assert_eq!(data["provider"], "mock");
        assert!(
            data["failure_count"].as_i64() >= Some(5) && data["last_error"].is_string(),
            "{data}"
        );
        endpoint.embeddings.heal();
        session.becomes(&told("on_circuit_breaker_close"), 1).await?;
        session.idle().await?;
        let event = "SELECT data FROM zerodb.events WHERE event = 'on_circuit_breaker_close'";
        assert!(session.json(event).await?["recovery_duration"].as_f64() > Some(0.0));
        endpoint
            .embeddings
            .fail_next(3, Fault::RateLimited(Hint::RetryAfter, Duration::from_secs(1)));
        for id in 14..20 {
            store(&session, &id.to_string()).await?;
        }
        session.becomes(EMBEDDED, 20).await?;
        let event = "SELECT data FROM zerodb.events WHERE event = 'on_rate_limited'";
        assert_eq!(
            session.json(event).await?,
            json!({"bank_id": null, "operation": "embeddings at mock", "limit": null, "retry_after": 1.0})
        );
        for event in [
            "on_rate_limited",
            "on_circuit_breaker_open",
            "on_circuit_breaker_close",
        ] {
            assert_eq!(session.number(&told(event)).await?, 1, "{event}");
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_nobody_serves_is_said_when_the_hook_is_made_and_when_it_is_used() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        session.take_warnings();
        let hook = embedded_store(&session, r#"{"model": "bge-m3"}"#).await?;
        let warned = |session: &Session| {
            let warnings = session.take_warnings();
            warnings.iter().any(|warning| warning.severity == "WARNING" && warning.message.contains("bge-m3"))
        };
        assert!(warned(&session));
        let doctor = async || -> Result<Value> {
            let mut command = tokio::process::Command::from(zerodb_hooks_harness::programs::worker::command()?);
            command.args(["doctor", "--json"]).env("DATABASE_URL", database.url());
            let said: Value = serde_json::from_slice(&command.output().await?.stdout)?;
            let checks = said["checks"].as_array().context("checks")?;
            let check = checks.iter().find(|check| check["check"] == "served models");
            check.cloned().context("the check of served models")
        };
        let said = doctor().await?;
        assert_eq!(said["result"], "warning");
        assert!(said["message"].as_str().is_some_and(|message| message.contains("bge-m3")), "{said}");
        let mut worker = crate::setup::worker(&database)?;
        store(&session, "a").await?;
        session.becomes(EMBEDDED, 1).await?;
        let named = |log: &str| log.contains("no provider is configured") && log.contains("bge-m3");
        eventually(SOON, async || named(&(worker.stdout() + &worker.stderr())).then_some(())).await?;
        worker.kill9()?;
        session
            .run(&format!("SELECT zerodb.update_hook('{hook}', hook_config => '{{\"provider\": \"local\", \"model\": \"bge-m3\"}}')"))
            .await?;
        assert!(!warned(&session));
        assert_eq!(doctor().await?["result"], "ok");
        Ok(())
    })
    .await
}
