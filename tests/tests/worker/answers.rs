//! What an answer means for a delivery: its status, and how long it asks to be left alone.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use serde_json::json;
use zerodb_hooks_harness::{Answer, RawReceiver, Receiver, Then, on_every_server};

use crate::setup::{watched_table, webhook_hook, worker};

/// What follows a status: the name, the bytes of the answer without its status, and what comes then.
const BODIES: &[(&str, &str, Then)] = &[
    (
        "short",
        "content-length: 500\r\n\r\nnot five hundred bytes",
        Then::Close,
    ),
    (
        "cut",
        "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        Then::Close,
    ),
    (
        "no chunks",
        "transfer-encoding: chunked\r\n\r\nthis is no chunk\r\n",
        Then::Close,
    ),
    (
        "slow",
        "content-length: 500\r\n\r\nthe rest never comes",
        Then::Hold,
    ),
    (
        "events",
        "content-type: text/event-stream\r\n\r\ndata: hello\n\n",
        Then::Hold,
    ),
    (
        "junk",
        "content-encoding: gzip\r\ncontent-length: 4\r\n\r\njunk",
        Then::Close,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_status_decides_whatever_follows_it() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let mut receivers = Vec::new();
        for (status, outcome) in [("200 OK", "completed "), ("204 No Content", "completed "), ("500 Oops", "discarded the endpoint answered 500")] {
            for (name, body, then) in BODIES {
                let receiver = RawReceiver::start(format!("HTTP/1.1 {status}\r\n{body}"), *then)?;
                let name = format!("{}-{}", name.replace(' ', "-"), &status[..3]);
                let config = json!({"url": receiver.url(), "retry_count": 0, "timeout_ms": 20_000});
                session.run(&webhook_hook(&name, &config)).await?;
                receivers.push((name, receiver, outcome));
            }
        }
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        session.idle().await?;
        for (name, receiver, outcome) in receivers {
            let ended = session
                .text(&format!("SELECT d.state || ' ' || coalesce(d.last_error, '') FROM zerodb.deliveries AS d JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id WHERE h.hook_name = '{name}'"))
                .await?;
            assert_eq!((receiver.requests(), ended.as_str()), (1, outcome), "{name}");
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_body_after_a_success_is_a_success() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        receiver.always(Answer::Endless(200));
        watched_table(&session).await?;
        session
            .run(&webhook_hook("web", json!({"url": receiver.url("/")})))
            .await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        session.completed(1).await?;
        assert_eq!(receiver.requests().len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interim_answer_is_no_answer() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let interim = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
        let receiver = RawReceiver::start(
            format!("{interim}{interim}HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
            Then::Hold,
        )?;
        watched_table(&session).await?;
        session
            .run(&webhook_hook("web", json!({"url": receiver.url()})))
            .await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        session.completed(1).await?;
        assert_eq!(receiver.requests(), 1);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_is_kept_whether_it_is_in_seconds_or_a_date() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let now = jiff::Timestamp::try_from(SystemTime::now())?;
        let date = |at: jiff::Timestamp| jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at);
        let later = date(now + Duration::from_secs(7200))?;
        // An endpoint whose clock is a day behind.
        let behind = date(now - Duration::from_secs(86_400))?;
        let its_later = date(now - Duration::from_secs(86_400 - 7200))?;
        let waits = [
            ("seconds", 429, "retry-after: 7200".to_owned()),
            ("fraction", 503, "retry-after: 7199.5".to_owned()),
            ("date", 429, format!("retry-after: {later}")),
            ("date-503", 503, format!("retry-after: {later}")),
            ("clock", 503, format!("date: {behind}\r\nretry-after: {its_later}")),
        ];
        let mut receivers = Vec::new();
        for (name, status, headers) in waits {
            let receiver = RawReceiver::start(format!("HTTP/1.1 {status} Wait\r\n{headers}\r\ncontent-length: 0\r\n\r\n"), Then::Close)?;
            session.run(&webhook_hook(name, json!({"url": receiver.url(), "retry_delay_ms": 1000}))).await?;
            receivers.push(receiver);
        }
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        let waiting = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'retryable'
            AND next_attempt_at BETWEEN clock_timestamp() + interval '1 hour' AND clock_timestamp() + interval '121 minutes'";
        session.becomes(waiting, 5).await
    })
    .await
}
