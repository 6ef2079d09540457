//! Receivers that mean harm: each has its own class of error, within the hook's deadline, and costs no more than that.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use anyhow::Result;
use serde_json::json;
use zerodb_hooks_harness::{Answer, RawReceiver, Receiver, Session, Then, on_every_server};

use crate::setup::{watched_table, webhook_hook, worker};

/// Sends the begin of an answer, and then one more byte whenever the other side has taken the last one, for ever.
struct Dripping {
    port: u16,
}

impl Dripping {
    fn start(begin: &'static [u8], drop: &'static [u8]) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || {
            for mut connection in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || {
                    let _ = connection.read(&mut [0; 8192]);
                    let _ = connection.write_all(begin);
                    while connection.write_all(drop).is_ok() {
                        // As slow as a read that nobody answers.
                        let _ = connection.set_read_timeout(Some(std::time::Duration::from_millis(100)));
                        let _ = connection.read(&mut [0; 1]);
                    }
                });
            }
        });
        Ok(Self { port })
    }
}

async fn ended(session: &Session, name: &str) -> Result<String> {
    session
        .text(&format!(
            "SELECT d.state || ': ' || coalesce(d.last_error, '') FROM zerodb.deliveries AS d
             JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id WHERE h.hook_name = '{name}'"
        ))
        .await
}

/// The name of a hook, its endpoint, and how its delivery begins to end.
type Case = (&'static str, RawReceiver, &'static str);

fn cases() -> Result<Vec<Case>> {
    let raw = |answer: &str, then| RawReceiver::start(answer.as_bytes(), then);
    let large_head = format!(
        "HTTP/1.1 200 OK\r\n{}",
        "x-filler: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(250_000)
    );
    let hints = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n".repeat(20_000);
    let bomb = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 10485760\r\n\r\n\u{1f}\u{8b}";
    Ok(vec![
        (
            "large-head",
            raw(&large_head, Then::Hold)?,
            "discarded: the connection broke: the answer's headers are too large",
        ),
        (
            "hints",
            raw(&hints, Then::Hold)?,
            "discarded: no answer within 3000 ms",
        ),
        ("bomb", raw(bomb, Then::Hold)?, "completed: "),
        (
            "junk-chunks",
            raw(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
                Then::Close,
            )?,
            "completed: ",
        ),
        (
            "junk-status",
            raw("HTTP/1.1 99999 Odd\r\n\r\n", Then::Close)?,
            "discarded: the connection broke: the answer is not HTTP/1.1",
        ),
        (
            "old",
            raw("HTTP/1.0 200 OK\r\n\r\nbody", Then::Close)?,
            "completed: ",
        ),
        (
            "cut-head",
            raw("HTTP/1.1 200 O", Then::Close)?,
            "discarded: the connection broke: ",
        ),
        (
            "broken-body",
            raw("HTTP/1.1 500 No\r\ncontent-length: 99\r\n\r\nx", Then::Close)?,
            "discarded: the endpoint answered 500",
        ),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_has_its_own_class() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let cases = cases()?;
        let hook = |url: String| json!({"url": url, "retry_count": 0, "timeout_ms": 3000});
        for (name, receiver, _) in &cases {
            session.run(&webhook_hook(name, hook(receiver.url()))).await?;
        }
        let slow_head = Dripping::start(b"HTTP/1.1 200 OK\r\nx-a: ", b"y")?;
        let slow_body = Dripping::start(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b"y")?;
        for (name, slow) in [("slow-head", &slow_head), ("slow-body", &slow_body)] {
            session
                .run(&webhook_hook(
                    name,
                    hook(format!("http://127.0.0.1:{}/", slow.port)),
                ))
                .await?;
        }
        let endless = Receiver::start()?;
        endless.always(Answer::Endless(200));
        session
            .run(&webhook_hook("endless", hook(endless.url("/"))))
            .await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        let all = "SELECT count(*) FROM zerodb.deliveries WHERE state IN ('completed', 'discarded')";
        session.becomes(all, cases.len() + 3).await?;
        for (name, _, expected) in &cases {
            let said = ended(&session, name).await?;
            assert!(said.starts_with(expected), "{name}: {said}");
        }
        assert_eq!(
            ended(&session, "slow-head").await?,
            "discarded: no answer within 3000 ms"
        );
        for name in ["slow-body", "endless"] {
            assert_eq!(ended(&session, name).await?, "completed: ");
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_followed_and_gone_switches_off() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let (away, gone) = (Receiver::start()?, Receiver::start()?);
        let mut redirects = Vec::new();
        for status in [300, 301, 302, 303, 307, 308] {
            let receiver = Receiver::start()?;
            let header = ("location", away.url("/"));
            receiver.always(Answer::Full {
                status,
                header,
                body: String::new(),
            });
            let config = json!({"url": receiver.url("/"), "headers": {"x-key": "${ZERODB_SECRET_A}"}});
            let config = if status == 300 {
                json!({"url": receiver.url("/")})
            } else {
                config
            };
            session.run(&webhook_hook(&format!("r{status}"), config)).await?;
            redirects.push(receiver);
        }
        gone.always(Answer::Status(410));
        session
            .run(&webhook_hook("gone", json!({"url": gone.url("/")})))
            .await?;
        let _worker = zerodb_hooks_harness::Worker::start_with(
            &database.worker_url(),
            &["--poll-ms", "200"],
            &[("ZERODB_SECRET_A", "k3y")],
        )?;
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        session
            .becomes(
                "SELECT count(*) FROM zerodb.deliveries WHERE state = 'discarded'",
                7,
            )
            .await?;
        assert!(redirects.iter().all(|receiver| receiver.requests().len() == 1));
        assert_eq!(away.requests().len(), 0);
        session
            .becomes(
                "SELECT count(*) FROM zerodb.zerodb_hooks WHERE hook_name = 'gone' AND NOT is_active",
                1,
            )
            .await?;
        let reason = session.text("SELECT reason FROM zerodb.hook_fault").await?;
        assert_eq!(reason, "the endpoint answered 410: it is gone for good");
        session.run("INSERT INTO doc (size) VALUES (2)").await?;
        session
            .becomes(
                "SELECT count(*) FROM zerodb.deliveries WHERE state = 'discarded'",
                13,
            )
            .await?;
        assert_eq!(gone.requests().len(), 1);
        Ok(())
    })
    .await
}
