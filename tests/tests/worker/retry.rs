//! Failures: what is tried again, when, and what is given up.

use std::time::Duration;

use anyhow::Result;
use zerodb_hooks_harness::{Answer, Receiver, SOON, on_every_server};

use crate::setup::{watched_table, webhook_hook, worker};

fn hook(receiver: &Receiver, more: &str) -> String {
    let config = format!(
        r#"{{"url": "{}", "retry_delay_ms": 50{more}}}"#,
        receiver.url("/hook")
    );
    webhook_hook("web", &config)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_endpoint_is_tried_again_until_it_answers() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        receiver.then([Answer::Status(500), Answer::Drop, Answer::Status(404)]);
        watched_table(&session).await?;
        session.run(&hook(&receiver, r#", "retry_count": 5"#)).await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (body) VALUES ('x')").await?;
        let requests = receiver.wait_for(4, SOON).await?;
        session.idle().await?;
        let ids: std::collections::HashSet<_> = requests
            .iter()
            .map(|request| request.header("webhook-id"))
            .collect();
        assert_eq!(ids.len(), 1, "the id is the same on every attempt");
        let ledger = session
            .texts(
                "SELECT outcome || ' ' || coalesce(status::text, '-') FROM zerodb.attempts ORDER BY attempt",
            )
            .await?;
        assert_eq!(ledger, ["failed 500", "failed -", "failed 404", "completed 200"]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_given_up_after_the_last_attempt_and_at_once_when_the_endpoint_is_gone() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        watched_table(&session).await?;
        session.run(&hook(&receiver, r#", "retry_count": 2"#)).await?;
        let _worker = worker(&database)?;
        receiver.always(Answer::Status(503));
        session
            .run("INSERT INTO doc (body) VALUES ('three attempts')")
            .await?;
        session
            .becomes(
                "SELECT count(*) FROM zerodb.deliveries WHERE state = 'discarded' AND attempts = 3",
                1,
            )
            .await?;
        receiver.always(Answer::Status(410));
        session
            .run("INSERT INTO doc (body) VALUES ('one attempt')")
            .await?;
        session
            .becomes(
                "SELECT count(*) FROM zerodb.deliveries WHERE state = 'discarded' AND attempts = 1",
                1,
            )
            .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_hangs_is_left_at_the_timeout_and_does_not_hold_up_others() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let (hanging, well) = (Receiver::start()?, Receiver::start()?);
        hanging.always(Answer::Hang);
        watched_table(&session).await?;
        session
            .run(&hook(&hanging, r#", "timeout_ms": 3000, "retry_count": 0"#))
            .await?;
        session.run(&hook(&well, "").replace("'web'", "'well'")).await?;
        let _worker = worker(&database)?;
        session
            .run("INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, 30)")
            .await?;
        well.wait_for(30, SOON).await?;
        session.discarded(30).await?;
        let error = session
            .text("SELECT DISTINCT last_error FROM zerodb.deliveries WHERE state = 'discarded'")
            .await?;
        assert_eq!(error, "no answer within 3000 ms");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_heeded() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        let later = Answer::Full {
            status: 429,
            header: ("retry-after", "2".into()),
            body: String::new(),
        };
        receiver.then([later]);
        watched_table(&session).await?;
        session.run(&hook(&receiver, "")).await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (body) VALUES ('x')").await?;
        let requests = receiver.wait_for(2, SOON).await?;
        assert!(requests[1].at - requests[0].at >= Duration::from_millis(1900));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sql_function_that_fails_writes_nothing_and_is_tried_again() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        session
            .run(
                r#"CREATE TABLE tried (n integer);
                 CREATE SEQUENCE tries;
                 CREATE FUNCTION flaky(event jsonb) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
                     INSERT INTO public.tried VALUES (1);
                     IF nextval('public.tries') < 3 THEN RAISE EXCEPTION 'not yet'; END IF;
                 END $$;
                 SELECT zerodb.create_hook('doc.created', 'flaky', '{"function": "public.flaky"}', hook_type => 'sql')"#,
            )
            .await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (body) VALUES ('x')").await?;
        session.becomes("SELECT count(*) FROM zerodb.deliveries WHERE state = 'completed' AND attempts = 3", 1).await?;
        assert_eq!(session.number("SELECT count(*) FROM tried").await?, 1);
        Ok(())
    })
    .await
}
