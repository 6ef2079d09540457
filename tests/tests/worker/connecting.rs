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

/// The name of a hook, the URL it asks, and what its delivery says in the end.
type Case = (&'static str, String, &'static str);

/// Endpoints over TLS, one of which shows a certificate that is right.
struct OverTls {
    good: TlsReceiver,
    untrusted: TlsReceiver,
    wrong_name: TlsReceiver,
    expired: TlsReceiver,
}

impl OverTls {
    fn start(ours: &Authority) -> Result<Self> {
        Ok(Self {
            good: TlsReceiver::start(&ours.certificate("localhost", true)?)?,
            untrusted: TlsReceiver::start(&Authority::new()?.certificate("localhost", true)?)?,
            wrong_name: TlsReceiver::start(&ours.certificate("elsewhere.example", true)?)?,
            expired: TlsReceiver::start(&ours.certificate("localhost", false)?)?,
        })
    }

    fn cases(&self) -> Vec<Case> {
        let https = |receiver: &TlsReceiver| format!("https://localhost:{}/", receiver.port);
        let (untrusted, wrong_name) = (https(&self.untrusted), https(&self.wrong_name));
        let plain_to_tls = format!("http://localhost:{}/", self.good.port);
        vec![
            ("good", https(&self.good), "completed"),
            (
                "untrusted",
                untrusted,
                "could not connect: certificate not trusted",
            ),
            (
                "wrong-name",
                wrong_name,
                "could not connect: certificate is for another host",
            ),
            (
                "expired",
                https(&self.expired),
                "could not connect: certificate expired",
            ),
            ("plain-to-tls", plain_to_tls, "the connection broke: "),
        ]
    }
}

/// Endpoints that speak no TLS, no HTTP, or not at all.
struct Odd {
    plain: RawReceiver,
    closes: RawReceiver,
    junk: RawReceiver,
    silent: RawReceiver,
    never_accepts: TcpListener,
}

impl Odd {
    fn start() -> Result<Self> {
        let refusal = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        Ok(Self {
            plain: RawReceiver::start(refusal, Then::Close)?,
            closes: RawReceiver::start("", Then::Close)?,
            junk: RawReceiver::start("SSH-2.0-OpenSSH_9.2\r\n", Then::Close)?,
            silent: RawReceiver::start("", Then::Hold)?,
            never_accepts: TcpListener::bind(("127.0.0.1", 0))?,
        })
    }

    fn cases(&self) -> Result<Vec<Case>> {
        let (nobody, no_host) = (
            "http://127.0.0.1:1/".to_owned(),
            "http://no-such-host.invalid/".to_owned(),
        );
        let tls_to_plain = self.plain.url().replace("http://", "https://");
        let never_accepts = format!("https://localhost:{}/", self.never_accepts.local_addr()?.port());
        let closed = "the connection broke: the endpoint closed the connection before it answered";
        Ok(vec![
            ("refused", nobody, "could not connect: connection refused"),
            ("no-host", no_host, "could not connect: host not found"),
            (
                "tls-to-plain",
                tls_to_plain,
                "could not connect: the endpoint does not speak TLS",
            ),
            ("closes", self.closes.url(), closed),
            (
                "junk",
                self.junk.url(),
                "the connection broke: the answer is not HTTP/1.1",
            ),
            ("silent", self.silent.url(), "no answer within 3000 ms"),
            (
                "never-accepts",
                never_accepts,
                "could not connect: no connection in time",
            ),
        ])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_for_each_way_of_not_connecting() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let ours = Authority::new()?;
        let (over_tls, odd) = (OverTls::start(&ours)?, Odd::start()?);
        let cases = [over_tls.cases(), odd.cases()?].concat();
        for (name, url, _) in &cases {
            // What never ends is waited for briefly, all else for longer than a busy machine takes.
            let is_endless = ["silent", "never-accepts"].contains(name);
            let timeout = if is_endless { 3000 } else { 20_000 };
            let config = json!({"url": url, "retry_count": 0, "timeout_ms": timeout});
            session.run(&webhook_hook(name, config)).await?;
        }
        let roots = ours.file()?;
        let roots = roots.path().to_str().unwrap_or_default();
        let arguments = ["--lease-s", "3", "--poll-ms", "200"];
        let _worker = Worker::start_with(&database.worker_url(), &arguments, &[("SSL_CERT_FILE", roots)])?;
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        let ended = "SELECT count(*) FROM zerodb.deliveries WHERE state IN ('completed', 'discarded')";
        session.becomes(ended, cases.len()).await?;
        for (name, url, expected) in &cases {
            let error = error_of(&session, name).await?;
            assert!(error.contains(expected), "{name}: {error}");
            assert!(!error.contains(url.as_str()), "{name} shows the URL: {error}");
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workers_file_names_authorities_and_the_clients_certificate() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let ours = Authority::new()?;
        let receiver = TlsReceiver::start_for(&ours.certificate("localhost", true)?, Some(&ours))?;
        let config = json!({"url": format!("https://localhost:{}/", receiver.port), "retry_count": 0});
        session.run(&webhook_hook("mutual", config)).await?;
        let (roots, (shown, key)) = (ours.file()?, ours.client()?);
        let path = |file: &tempfile::NamedTempFile| file.path().to_string_lossy().into_owned();
        let start = |block: String| -> Result<(Worker, tempfile::NamedTempFile)> {
            let mut file = tempfile::NamedTempFile::new()?;
            std::io::Write::write_all(&mut file, block.as_bytes())?;
            let arguments = ["--config", &path(&file), "--lease-s", "3", "--poll-ms", "200"];
            Ok((Worker::start_with(&database.worker_url(), &arguments, &[])?, file))
        };
        let ended = async |state: &str, count: i64| -> Result<()> {
            let ended = format!("SELECT count(*) FROM zerodb.deliveries WHERE state = '{state}'");
            session.becomes(&ended, count).await
        };
        // Neither the authority nor the certificate; then the authority alone; then both.
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        {
            let _worker = start(String::new())?;
            ended("discarded", 1).await?;
            assert!(
                error_of(&session, "mutual")
                    .await?
                    .contains("certificate not trusted")
            );
        }
        let authority = format!("webhooks:\n  ca_file: '{}'\n", path(&roots));
        session.run("INSERT INTO doc (size) VALUES (2)").await?;
        {
            let _worker = start(authority.clone())?;
            ended("discarded", 2).await?;
        }
        session.run("INSERT INTO doc (size) VALUES (3)").await?;
        let own = format!(
            "  client_certificate: '{}'\n  client_key: '{}'\n",
            path(&shown),
            path(&key)
        );
        let _worker = start(authority + &own)?;
        ended("completed", 1).await
    })
    .await
}
