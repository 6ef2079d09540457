//! Each way of not reaching an endpoint has a reason of its own.

use std::net::TcpListener;

use anyhow::Result;
use serde_json::json;
use zerodb_hooks_harness::{RawReceiver, Session, Then, Worker, on_every_server};

use crate::certificates::{Authority, TlsReceiver};
use crate::setup::{watched_table, webhook_hook};

async fn error_of(session: &Session, name: &str) -> Result<String> {
    let error = format!(
        "SELECT d.state || ' ' || coalesce(d.last_error, '') FROM zerodb.deliveries AS d JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id WHERE h.hook_name = '{name}'"
    );
    session.text(&error).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_for_each_way_of_not_connecting() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let (ours, other) = (Authority::new()?, Authority::new()?);
        let good = TlsReceiver::start(&ours.certificate("localhost", true)?)?;
        let untrusted = TlsReceiver::start(&other.certificate("localhost", true)?)?;
        let wrong_name = TlsReceiver::start(&ours.certificate("elsewhere.example", true)?)?;
        let expired = TlsReceiver::start(&ours.certificate("localhost", false)?)?;
        let plain = RawReceiver::start("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", Then::Close)?;
        let closes = RawReceiver::start("", Then::Close)?;
        let junk = RawReceiver::start("SSH-2.0-OpenSSH_9.2\r\n", Then::Close)?;
        let silent = RawReceiver::start("", Then::Hold)?;
        let listens = TcpListener::bind(("127.0.0.1", 0))?;
        let https = |port: u16| format!("https://localhost:{port}/");
        let cases = [
            ("good", https(good.port), "completed"),
            ("refused", "http://127.0.0.1:1/".to_owned(), "could not connect: connection refused"),
            ("no-host", "http://no-such-host.invalid/".to_owned(), "could not connect: host not found"),
            ("untrusted", https(untrusted.port), "could not connect: certificate not trusted"),
            ("wrong-name", https(wrong_name.port), "could not connect: certificate is for another host"),
            ("expired", https(expired.port), "could not connect: certificate expired"),
            ("tls-to-plain", format!("https://{}/", &plain.url()["http://".len()..].trim_end_matches('/')), "could not connect: the endpoint does not speak TLS"),
            ("plain-to-tls", format!("http://localhost:{}/", good.port), "the connection broke: "),
            ("closes", closes.url(), "the connection broke: the endpoint closed the connection before it answered"),
            ("junk", junk.url(), "the connection broke: the answer is not HTTP/1.1"),
            ("silent", silent.url(), "no answer within 700 ms"),
            ("never-accepts", format!("https://localhost:{}/", listens.local_addr()?.port()), "could not connect: no connection in time"),
        ];
        for (name, url, _) in &cases {
            session.run(&webhook_hook(name, json!({"url": url, "retry_count": 0, "timeout_ms": if name.contains("e-") || *name == "silent" || name.starts_with("never") { 700 } else { 20_000 }}))).await?;
        }
        let roots = ours.file()?;
        let roots = roots.path().to_str().unwrap_or_default();
        let arguments = ["--lease-s", "3", "--poll-ms", "200"];
        let _worker = Worker::start_with(&database.worker_url(), &arguments, &[("SSL_CERT_FILE", roots)])?;
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        session.becomes("SELECT count(*) FROM zerodb.deliveries WHERE state IN ('completed', 'discarded')", i64::try_from(cases.len())?).await?;
        for (name, url, expected) in &cases {
            let error = error_of(&session, name).await?;
            assert!(error.contains(expected), "{name}: {error}");
            assert!(!error.contains(url.as_str()), "{name} shows the URL: {error}");
        }
        Ok(())
    })
    .await
}
