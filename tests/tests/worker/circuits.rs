//! The circuit breakers of webhooks' endpoints and the limits of hooks: what is not sent costs no attempt, workers
//! share what they know, and each change is told once.

use anyhow::Result;
use serde_json::json;
use zerodb_hooks_harness::{Answer, Receiver, Session, on_main_server};

use crate::setup::{watched_table, webhook_hook, worker};

const ALICE: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const BOB: &str = "bbbbbbbb-0000-4000-8000-000000000002";

fn told(event: &str) -> String {
    format!("SELECT count(*) FROM zerodb.events WHERE event = '{event}'")
}

async fn write(session: &Session, documents: i64, user: &str) -> Result<()> {
    session
        .run(&format!(
            "INSERT INTO doc (body, user_id) SELECT 'x', {user} FROM generate_series(1, {documents})"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_endpoint_uses_up_no_attempts_and_is_told_once_by_all_workers() -> Result<()> {
    on_main_server(async |database| {
        let (session, receiver) = (database.session().await?, Receiver::start()?);
        watched_table(&session).await?;
        let config = json!({"url": receiver.url("/x"), "retry_count": 50, "retry_delay_ms": 1, "concurrency": 2});
        session.run(&webhook_hook("web", &config)).await?;
        receiver.always(Answer::Status(503));
        let _workers = (worker(&database)?, worker(&database)?);
        write(&session, 60, "NULL").await?;
        session.becomes(&told("on_circuit_breaker_open"), 1).await?;
        // All but those that were on their way and the probes.
        let waits = "SELECT count(*) > 40 FROM zerodb.deliveries WHERE state = 'pending' AND attempts = 0 AND last_error LIKE 'circuit_open: %'";
        session.becomes(waits, "t").await?;
        session.becomes("SELECT count(*) > 1 FROM zerodb.endpoint WHERE openings > 1", "f").await?;
        receiver.always(Answer::Status(200));
        session.completed(60).await?;
        session.becomes(&told("on_circuit_breaker_close"), 1).await?;
        let failed = session.number("SELECT count(*) FROM zerodb.attempts WHERE outcome = 'failed'").await?;
        assert!((5..40).contains(&failed), "{failed} requests of the 60 deliveries failed");
        let opened = session.json("SELECT data FROM zerodb.events WHERE event = 'on_circuit_breaker_open'").await?;
        assert_eq!(opened, json!({"provider": receiver.url(""), "failure_count": opened["failure_count"], "last_error": "the endpoint answered 503"}));
        assert_eq!(session.text("SELECT DISTINCT circuit FROM zerodb.endpoints").await?, "closed");
        assert_eq!(session.number(&told("on_circuit_breaker_open")).await?, 1);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_user_opens_the_circuit_of_another() -> Result<()> {
    on_main_server(async |database| {
        let (session, receiver) = (database.session().await?, Receiver::start()?);
        watched_table(&session).await?;
        let config = json!({"url": receiver.url("/shared"), "retry_count": 50, "retry_delay_ms": 1});
        for user in [ALICE, BOB] {
            session
                .run(&format!("SELECT zerodb.create_hook('doc.created', 'own', '{config}', hook_type => 'webhook', user_id => '{user}')"))
                .await?;
        }
        // A hook of every user has a circuit for each of them.
        session.run(&webhook_hook("all", &config)).await?;
        receiver.always(Answer::Status(500));
        let _worker = worker(&database)?;
        write(&session, 20, &format!("'{ALICE}'")).await?;
        session.becomes("SELECT count(*) FROM zerodb.endpoints WHERE circuit <> 'closed'", 2).await?;
        // Alice's endpoints stay away for an hour.
        session.run("UPDATE zerodb.endpoint SET paused_until = now() + interval '1 hour'").await?;
        receiver.always(Answer::Status(200));
        write(&session, 5, &format!("'{BOB}'")).await?;
        let of_bob = "SELECT count(*) FROM zerodb.deliveries AS d JOIN zerodb.events AS e ON e.id = d.event_id
            WHERE d.state = 'completed' AND e.user_id = ";
        session.becomes(&format!("{of_bob} '{BOB}'"), 10).await?;
        let opened = "SELECT string_agg(coalesce(user_id::text, 'nobody'), ' ' ORDER BY user_id) FROM zerodb.events WHERE event = 'on_circuit_breaker_open'";
        assert_eq!(session.text(opened).await?, format!("{ALICE} nobody"));
        assert_eq!(session.number("SELECT count(*) FROM zerodb.endpoints WHERE circuit = 'open'").await?, 2);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_any_kind_closes_the_circuit_for_the_other_hooks_of_the_endpoint() -> Result<()> {
    on_main_server(async |database| {
        let (session, receiver) = (database.session().await?, Receiver::start()?);
        watched_table(&session).await?;
        let config = json!({"url": receiver.url("/x"), "retry_count": 2, "retry_delay_ms": 1});
        session.run(&webhook_hook("web", &config)).await?;
        receiver.always(Answer::Status(503));
        let _worker = worker(&database)?;
        write(&session, 30, "NULL").await?;
        session.becomes(&told("on_circuit_breaker_open"), 1).await?;
        // It is back, and refuses what it is sent: each of them is given up, and none waits for a probe of another.
        receiver.always(Answer::Status(404));
        session
            .becomes(
                "SELECT count(*) FROM zerodb.deliveries WHERE state = 'discarded'",
                30,
            )
            .await?;
        session.becomes(&told("on_circuit_breaker_close"), 1).await?;
        assert_eq!(
            session
                .text("SELECT DISTINCT circuit FROM zerodb.endpoints")
                .await?,
            "closed"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_refuses_for_its_rate_is_told_once_and_left_alone_for_its_time() -> Result<()> {
    on_main_server(async |database| {
        let (session, receiver) = (database.session().await?, Receiver::start()?);
        watched_table(&session).await?;
        let config = json!({"url": receiver.url("/"), "retry_count": 50, "retry_delay_ms": 1, "concurrency": 1});
        session.run(&webhook_hook("web", &config)).await?;
        receiver.always(Answer::Full {
            status: 429,
            header: ("retry-after", "5".into()),
            body: String::new(),
        });
        let _workers = (worker(&database)?, worker(&database)?);
        write(&session, 20, "NULL").await?;
        session.becomes(&told("on_rate_limited"), 1).await?;
        let waits = "SELECT count(*) >= 10 FROM zerodb.deliveries WHERE attempts = 0 AND last_error LIKE 'rate_limited: %'";
        session.becomes(waits, "t").await?;
        let limited = session.json("SELECT data FROM zerodb.events WHERE event = 'on_rate_limited'").await?;
        assert_eq!(limited["operation"], format!("webhook at {}", receiver.url("")));
        assert_eq!(limited["retry_after"].as_f64(), Some(5.0));
        receiver.always(Answer::Status(200));
        session.completed(20).await?;
        assert_eq!(session.number(&told("on_rate_limited")).await?, 1);
        assert_eq!(session.number(&told("on_circuit_breaker_open")).await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_keeps_its_own_limit_whatever_the_number_of_workers() -> Result<()> {
    on_main_server(async |database| {
        let (session, receiver) = (database.session().await?, Receiver::start()?);
        watched_table(&session).await?;
        let limited = json!({"url": receiver.url("/limited"), "rate_limit": 60});
        session.run(&webhook_hook("limited", &limited)).await?;
        session.run(&webhook_hook("free", json!({"url": receiver.url("/free")}))).await?;
        let _workers = (worker(&database)?, worker(&database)?);
        write(&session, 5, "NULL").await?;
        session.completed(10).await?;
        let paths = receiver.look(|seen| seen.iter().filter(|request| request.path == "/limited").count());
        assert_eq!(paths, 5);
        // By the server's book: a second and a bit between any two.
        let spaced = "SELECT count(*) FROM (SELECT a.at - lag(a.at) OVER (ORDER BY a.seq) AS gap FROM zerodb.endpoint_admission AS a
            WHERE starts_with(a.name, 'hook:')) AS g WHERE g.gap >= interval '1 second'";
        assert_eq!(session.number(spaced).await?, 4);
        assert_eq!(session.number("SELECT max(attempts) FROM zerodb.deliveries").await?, 1);
        assert_eq!(session.number("SELECT count(*) FROM zerodb.endpoints").await?, 0, "a limit of a hook is no endpoint");
        Ok(())
    })
    .await
}
