//! `zerodb-hooks listen` as an endpoint that is bad in the ways it is told to be, seen by the worker's own webhooks.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use zerodb_hooks_harness::{Database, PgVersion, Worker};

use crate::setup::{watched_table, webhook_hook};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct Listener {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
    url: String,
}

impl Listener {
    fn start(arguments: &[&str]) -> Result<Self> {
        let mut command = zerodb_hooks_harness::programs::worker::command()?;
        let mut child = command
            .args(["listen", "--port", "0", "--json", "--secret", SECRET])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = BufReader::new(child.stdout.take().context("a pipe")?);
        let mut line = String::new();
        said.read_line(&mut line)?;
        let announced: Value = serde_json::from_str(&line)?;
        let url = announced["url"].as_str().context("where it listens")?.to_owned();
        Ok(Self { child, said, url })
    }

    /// The next request, as it says.
    fn next(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_closes_fails_and_waits_as_it_is_told_and_verifies_signatures() -> Result<()> {
    let database = Database::create(PgVersion::main()).await?;
    let session = database.session().await?;
    watched_table(&session).await?;
    let mut closes = Listener::start(&["--close", "--fail-first", "1"])?;
    let mut slow = Listener::start(&["--status", "500", "--delay", "2s"])?;
    let mut fails = Listener::start(&["--status", "500"])?;
    for (name, url, extra) in [
        (
            "closes",
            &closes.url,
            json!({"retry_count": 1, "retry_delay_ms": 1}),
        ),
        ("slow", &slow.url, json!({"retry_count": 0, "timeout_ms": 500})),
        ("fails", &fails.url, json!({"retry_count": 0})),
    ] {
        let mut config = json!({ "url": url });
        config
            .as_object_mut()
            .context("an object")?
            .extend(extra.as_object().context("an object")?.clone());
        session.run(&webhook_hook(name, config)).await?;
    }
    let secret = [("ZERODB_SECRET_WEBHOOK", SECRET)];
    let _worker = Worker::start_with(&database.worker_url(), &["--poll-ms", "200"], &secret)?;
    session.run("INSERT INTO doc (size) VALUES (1)").await?;
    session.completed(1).await?;
    session.discarded(2).await?;
    let error = async |hook: &str| {
        session
            .text(&format!(
                "SELECT string_agg(a.error, '|' ORDER BY a.attempt) FROM zerodb.attempts AS a
                 JOIN zerodb.deliveries AS d ON d.id = a.delivery_id
                 JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id WHERE h.hook_name = '{hook}'"
            ))
            .await
    };
    assert!(
        error("closes")
            .await?
            .contains("closed the connection before it answered")
    );
    assert!(error("slow").await?.contains("no answer within 500 ms"));
    assert!(error("fails").await?.contains("answered 500"));
    let (first, second) = (closes.next()?, closes.next()?);
    assert_eq!((&first["status"], &second["status"]), (&Value::Null, &json!(204)));
    assert_eq!(
        (&first["signature"], &first["webhook_id"]),
        (&json!("ok"), &second["webhook_id"])
    );
    assert_eq!(fails.next()?["status"], 500);
    drop(slow.child.kill());
    Ok(())
}
