//! Hooks with `"async": false`: after its COMMIT a session may wait for them, and is told which failed. They never make
//! a write fail or wait.

use anyhow::Result;
use serde_json::json;
use zerodb_hooks_harness::{Answer, Receiver, SOON, on_every_server};

use crate::setup::{watched_table, webhook_hook, worker};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_waits_for_its_sync_hooks_and_hears_which_failed() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let (good, bad, other) = (Receiver::start()?, Receiver::start()?, Receiver::start()?);
        watched_table(&session).await?;
        let sync = |url: String| json!({"url": url, "async": false, "retry_count": 1, "retry_delay_ms": 10});
        session.run(&webhook_hook("good", sync(good.url("/")))).await?;
        session.run(&webhook_hook("bad", sync(bad.url("/")))).await?;
        session
            .run(&webhook_hook("other", json!({"url": other.url("/")})))
            .await?;
        bad.always(Answer::Status(500));
        // Nobody waits for this one.
        other.always(Answer::Hang);
        assert_eq!(
            session.json("SELECT zerodb.await_hooks()").await?,
            json!({"hook_warnings": []})
        );
        let worker = worker(&database)?;
        session.run("INSERT INTO doc (size) VALUES (1), (2)").await?;
        let told = session.json("SELECT zerodb.await_hooks()").await?;
        let warnings = told["hook_warnings"].as_array().cloned().unwrap_or_default();
        assert_eq!(told.as_object().map(serde_json::Map::len), Some(1));
        assert_eq!(warnings.len(), 2, "{told}");
        for warning in &warnings {
            assert_eq!(
                (&warning["hook_name"], &warning["state"]),
                (&json!("bad"), &json!("discarded"))
            );
            assert_eq!(warning["attempts"], 2);
            assert_eq!(warning["error"], "the endpoint answered 500");
        }
        assert_eq!((good.requests().len(), bad.requests().len()), (2, 4));
        assert_eq!(session.number("SELECT count(*) FROM doc").await?, 2);
        assert!(worker.stderr().contains("WARN"), "{}", worker.stderr());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_retries_at_the_timeout_is_a_warning() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let bad = Receiver::start()?;
        bad.always(Answer::Status(500));
        watched_table(&session).await?;
        let config =
            json!({"url": bad.url("/"), "async": false, "retry_count": 1, "retry_delay_ms": 3_600_000});
        session.run(&webhook_hook("bad", config)).await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        session
            .becomes(
                "SELECT count(*) FROM zerodb.deliveries WHERE state = 'retryable'",
                1,
            )
            .await?;
        let told = session.json("SELECT zerodb.await_hooks('10 ms')").await?;
        assert_eq!(told["hook_warnings"][0]["state"], "retryable");
        assert_eq!(told["hook_warnings"][0]["error"], "the endpoint answered 500");
        let event = session.text("SELECT id FROM zerodb.events").await?;
        let told = session
            .json(&format!("SELECT zerodb.await_event('{event}', '10 ms')"))
            .await?;
        assert_eq!(
            (&told["pending"], &told["hook_warnings"][0]["state"]),
            (&json!(1), &json!("retryable"))
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_session_committed_last_counts() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let (held, answer) = Answer::held(200);
        let receiver = Receiver::start()?;
        receiver.always(answer);
        watched_table(&session).await?;
        let config = json!({"url": receiver.url("/"), "async": false, "timeout_ms": 60_000});
        session.run(&webhook_hook("sync", config)).await?;
        let _worker = worker(&database)?;
        let waits = async |session: &zerodb_hooks_harness::Session| -> Result<usize> {
            let told = session.json("SELECT zerodb.await_hooks('10 ms')").await?;
            Ok(told["hook_warnings"].as_array().map_or(0, Vec::len))
        };
        // Nothing of an aborted transaction, and nothing of a part that was rolled back.
        session
            .run("BEGIN; INSERT INTO doc (size) VALUES (1); ROLLBACK")
            .await?;
        assert_eq!(waits(&session).await?, 0);
        session
            .run("BEGIN; SAVEPOINT a; INSERT INTO doc (size) VALUES (2); ROLLBACK TO a; COMMIT")
            .await?;
        assert_eq!(waits(&session).await?, 0);
        session
            .run("BEGIN; SAVEPOINT a; INSERT INTO doc (size) VALUES (3); RELEASE a; COMMIT")
            .await?;
        receiver.wait_for(1, SOON).await?;
        assert_eq!(waits(&session).await?, 1);
        // A read, a rollback and an error change nothing.
        session
            .run("SELECT 1; BEGIN; INSERT INTO doc (size) VALUES (4); ROLLBACK")
            .await?;
        session.error("INSERT INTO nowhere VALUES (1)").await?;
        assert_eq!(waits(&session).await?, 1);
        // Another session has written nothing, and neither has whoever is next in this one.
        assert_eq!(waits(&database.session().await?).await?, 0);
        session
            .run("SET zerodb.user_id = 'aaaaaaaa-0000-4000-8000-000000000001'")
            .await?;
        assert_eq!(waits(&session).await?, 0);
        session.run("RESET zerodb.user_id").await?;
        assert_eq!(waits(&session).await?, 1);
        for open in [
            "INSERT INTO doc (size) VALUES (5)",
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        ] {
            let error = session
                .error(&format!("BEGIN; {open}; SELECT zerodb.await_hooks()"))
                .await?;
            assert_eq!(error.code, "55000", "{open}: {error:?}");
            session.run("ROLLBACK").await?;
        }
        // Prepared: it commits later, and perhaps in another session.
        session
            .run("BEGIN; INSERT INTO doc (size) VALUES (6); PREPARE TRANSACTION 'sync'")
            .await?;
        assert_eq!(waits(&session).await?, 1);
        session.run("ROLLBACK PREPARED 'sync'").await?;
        assert_eq!(waits(&session).await?, 1);
        drop(held);
        let told = session.json("SELECT zerodb.await_hooks()").await?;
        assert_eq!(told, json!({"hook_warnings": []}));
        Ok(())
    })
    .await
}
