//! The health of a hook as `on_hook_failure` tells it: failing, exhausted, discarded, disabled, recovered, each once
//! for all workers, and never about itself.

use anyhow::Result;
use zerodb_hooks_harness::{Answer, Receiver, Session, on_main_server};

use crate::setup::{watched_table, webhook_hook, worker};

/// How many events of the kind there are about a hook.
fn told(kind: &str, hook: &str) -> String {
    format!(
        "SELECT count(*) FROM zerodb.events WHERE event = 'on_hook_failure' AND data ->> 'kind' = '{kind}'
            AND data ->> 'hook_name' = '{hook}'"
    )
}

/// A webhook hook whose endpoint is tried once for each event.
async fn once(session: &Session, name: &str, receiver: &Receiver, more: &str) -> Result<()> {
    let config = format!(r#"{{"url": "{}", "retry_count": 0{more}}}"#, receiver.url("/"));
    session.run(&webhook_hook(name, &config)).await
}

async fn write(session: &Session, documents: i64) -> Result<()> {
    session
        .run(&format!(
            "INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, {documents})"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_fails_and_comes_back_is_told_once_by_all_workers() -> Result<()> {
    on_main_server(async |database| {
        let (session, receiver) = (database.session().await?, Receiver::start()?);
        watched_table(&session).await?;
        once(&session, "web", &receiver, "").await?;
        // A hook of the meta-event that fails itself makes nothing of it.
        session
            .run("CREATE FUNCTION fail(event jsonb) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
                SELECT zerodb.create_hook('on_hook_failure', 'meta', '{\"function\": \"public.fail\", \"max_attempts\": 1}', hook_type => 'sql')")
            .await?;
        let _workers = (worker(&database)?, worker(&database)?);
        // An answer, so no circuit opens.
        receiver.always(Answer::Status(404));
        write(&session, 12).await?;
        session.becomes(&told("failing", "web"), 1).await?;
        session.becomes(&told("exhausted", "web"), 12).await?;
        session.becomes("SELECT count(*) FROM zerodb.hook_status WHERE hook_name = 'web' AND failing_since IS NOT NULL", 1).await?;
        receiver.always(Answer::Status(301));
        write(&session, 1).await?;
        session.becomes(&told("discarded", "web"), 1).await?;
        receiver.always(Answer::Status(200));
        write(&session, 3).await?;
        session.becomes(&told("recovered", "web"), 1).await?;
        session.idle().await?;
        write(&session, 3).await?;
        session.completed(6).await?;
        for kind in ["failing", "recovered"] {
            assert_eq!(session.number(&told(kind, "web")).await?, 1, "{kind}");
        }
        let meta = "SELECT count(*) FROM zerodb.events WHERE event = 'on_hook_failure' AND data ->> 'hook_name' = 'meta'";
        assert_eq!(session.number(meta).await?, 0);
        assert_eq!(session.number("SELECT count(*) FROM zerodb.hook_health").await?, 0);
        let failing = session.json("SELECT data FROM zerodb.events WHERE event = 'on_hook_failure' AND data ->> 'kind' = 'failing'").await?;
        assert_eq!((&failing["event"], &failing["last_error"]), (&"doc.created".into(), &"the endpoint answered 404".into()), "{failing}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_succeeds_at_a_later_attempt_is_a_recovery() -> Result<()> {
    on_main_server(async |database| {
        let (session, receiver) = (database.session().await?, Receiver::start()?);
        watched_table(&session).await?;
        let config = format!(
            r#"{{"url": "{}", "retry_count": 20, "retry_delay_ms": 1}}"#,
            receiver.url("/")
        );
        session.run(&webhook_hook("web", &config)).await?;
        receiver.then(vec![Answer::Status(404); 6]);
        let _worker = worker(&database)?;
        write(&session, 1).await?;
        session.completed(1).await?;
        session.becomes(&told("failing", "web"), 1).await?;
        session.becomes(&told("recovered", "web"), 1).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_fails_for_days_is_switched_off_and_its_return_is_told() -> Result<()> {
    on_main_server(async |database| {
        let (session, receiver) = (database.session().await?, Receiver::start()?);
        watched_table(&session).await?;
        once(&session, "web", &receiver, r#", "disable_after_hours": 48"#).await?;
        once(&session, "patient", &receiver, r#", "disable_after_hours": 0"#).await?;
        receiver.always(Answer::Status(404));
        let _workers = (worker(&database)?, worker(&database)?);
        write(&session, 12).await?;
        session.becomes("SELECT count(*) FROM zerodb.hook_health", 2).await?;
        session.run("UPDATE zerodb.hook_health SET failing_since = now() - interval '47 hours'").await?;
        write(&session, 12).await?;
        session.discarded(48).await?;
        assert_eq!(session.number(&told("disabled", "web")).await?, 0, "two days are not over");
        session.run("UPDATE zerodb.hook_health SET failing_since = now() - interval '49 hours'").await?;
        write(&session, 20).await?;
        session.becomes(&told("disabled", "web"), 1).await?;
        let fault = session.text("SELECT fault FROM zerodb.hook_status WHERE hook_name = 'web' AND NOT is_active").await?;
        assert!(fault.starts_with("no attempt succeeded since ") && fault.ends_with("the endpoint answered 404"), "{fault}");
        assert_eq!(session.number("SELECT count(*) FROM zerodb.zerodb_hooks WHERE is_active AND hook_name = 'patient'").await?, 1);
        receiver.always(Answer::Status(200));
        session.run("SELECT zerodb.update_hook(id, is_active => true) FROM zerodb.zerodb_hooks WHERE hook_name = 'web'").await?;
        write(&session, 1).await?;
        session.becomes(&told("recovered", "web"), 1).await?;
        assert_eq!(session.number(&told("disabled", "web")).await?, 1);
        assert_eq!(session.number(&told("disabled", "patient")).await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_is_switched_on_again_gets_its_time_anew() -> Result<()> {
    on_main_server(async |database| {
        let (session, receiver) = (database.session().await?, Receiver::start()?);
        watched_table(&session).await?;
        once(&session, "web", &receiver, "").await?;
        receiver.always(Answer::Status(410));
        let _worker = worker(&database)?;
        write(&session, 1).await?;
        session.becomes(&told("disabled", "web"), 1).await?;
        session
            .run("UPDATE zerodb.hook_health SET failing_since = now() - interval '1 year'")
            .await?;
        receiver.always(Answer::Status(404));
        session
            .run("SELECT zerodb.update_hook(id, is_active => true) FROM zerodb.zerodb_hooks")
            .await?;
        write(&session, 15).await?;
        session.becomes(&told("failing", "web"), 1).await?;
        session.idle().await?;
        assert_eq!(
            session
                .number("SELECT count(*) FROM zerodb.zerodb_hooks WHERE is_active")
                .await?,
            1
        );
        Ok(())
    })
    .await
}
