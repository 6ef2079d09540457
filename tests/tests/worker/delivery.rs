//! Commit ⇒ delivered; rollback ⇒ nothing; and what can be asked about it.

use anyhow::Result;
use zerodb_hooks_harness::{Answer, Receiver, SOON, on_every_server};

use crate::setup::{recording_hook, watched_table, webhook_hook, worker, worker_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_committed_write_is_delivered_and_a_rolled_back_one_is_not() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (body) VALUES ('kept')").await?;
        session
            .run("BEGIN; INSERT INTO doc (body) VALUES ('lost'); ROLLBACK")
            .await?;
        session
            .run("BEGIN; SAVEPOINT a; INSERT INTO doc (body) VALUES ('lost'); ROLLBACK TO a; COMMIT")
            .await?;
        session
            .error("INSERT INTO doc (id, body) OVERRIDING SYSTEM VALUE VALUES (9, 'x'), (9, 'twice')")
            .await?;
        session.run("INSERT INTO doc (body) VALUES ('kept too')").await?;
        session.idle().await?;
        let kept = session
            .texts("SELECT d.body FROM seen AS s JOIN doc AS d ON d.id = s.doc_id ORDER BY d.id")
            .await?;
        assert_eq!(kept, ["kept", "kept too"]);
        assert_eq!(session.number("SELECT count(*) FROM seen").await?, 2);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_transaction_is_delivered_once_it_is_committed() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        let _worker = worker(&database)?;
        // The worker is parked by now, or will be: either way NOTIFY must not get into the prepared transaction.
        session.run("INSERT INTO doc (body) VALUES ('first')").await?;
        session.idle().await?;
        session
            .run("BEGIN; INSERT INTO doc (body) VALUES ('prepared'); PREPARE TRANSACTION 'late'")
            .await?;
        session.run("INSERT INTO doc (body) VALUES ('after')").await?;
        session.becomes("SELECT count(*) FROM seen", 2).await?;
        session.run("COMMIT PREPARED 'late'").await?;
        session.becomes("SELECT count(*) FROM seen", 3).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn await_event_tells_what_became_of_an_event() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        session
            .run("SELECT zerodb.create_hook('doc.created', 'broken', '{\"url\": \"http://127.0.0.1:1/\", \"retry_count\": 0}', hook_type => 'webhook')")
            .await?;
        let _worker = worker(&database)?;
        let id = session.text("SELECT zerodb.emit('doc.created', '{\"doc_id\": 7}')").await?;
        let progress = session.json(&format!("SELECT zerodb.await_event('{id}', '30 s')")).await?;
        assert_eq!(progress["completed"], 1);
        assert_eq!(progress["pending"], 0);
        assert_eq!(progress["hook_warnings"][0]["hook_name"], "broken");
        let error = progress["hook_warnings"][0]["error"].as_str().unwrap_or_default();
        assert!(error.starts_with("could not connect: connection refused"), "{error}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_in_the_ledger_unless_only_failures_are_asked_for() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        session
            .run(&format!(
                "ALTER DATABASE {} SET zerodb.record_attempts = 'failures'",
                database.name
            ))
            .await?;
        let mut first = worker(&database)?;
        session.run("INSERT INTO doc (body) VALUES ('a')").await?;
        session.idle().await?;
        assert_eq!(session.number("SELECT count(*) FROM zerodb.attempts").await?, 0);
        first.kill9()?;
        session
            .run(&format!(
                "ALTER DATABASE {} RESET zerodb.record_attempts",
                database.name
            ))
            .await?;
        let _second = worker(&database)?;
        session.run("INSERT INTO doc (body) VALUES ('b')").await?;
        session
            .becomes(
                "SELECT count(*) FROM zerodb.attempts WHERE outcome = 'completed' AND attempt = 1",
                1,
            )
            .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_hook_runs_as_many_at_once_as_its_concurrency_says() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        receiver.always(Answer::Hang);
        watched_table(&session).await?;
        let config = format!(
            r#"{{"url": "{}", "concurrency": 60, "timeout_ms": 60000}}"#,
            receiver.url("/")
        );
        session.run(&webhook_hook("slow", &config)).await?;
        let _worker = worker_with(&database, &["--in-flight", "100"])?;
        session
            .run("INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, 90)")
            .await?;
        // None of them ends: what one that ends would make room for does not come.
        receiver.wait_for(60, SOON).await?;
        Ok(())
    })
    .await
}
