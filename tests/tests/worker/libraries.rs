//! The official libraries of receivers read what the worker sends: Standard Webhooks of Python, JavaScript and Rust,
//! and CloudEvents of Python and JavaScript.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use zerodb_hooks_harness::receivers::webhook::Request;
use zerodb_hooks_harness::{Receiver, SOON, Worker, on_every_server};

use crate::setup::{watched_table, webhook_hook};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PRIVATE: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The readers that are there: each is a program with its arguments. `dev/webhook_libraries.sh` installs the libraries.
fn readers() -> Vec<(&'static str, Command)> {
    let home = PathBuf::from(std::env::var_os("DEV_HOME").unwrap_or_default()).join("webhook_libraries");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/worker");
    let mut found = Vec::new();
    let python = home.join("python/bin/python");
    if python.exists() {
        let mut command = Command::new(python);
        command.arg(scripts.join("read_webhooks.py"));
        found.push(("Python", command));
    }
    if home.join("node_modules").exists() {
        let mut command = Command::new("node");
        command
            .arg(scripts.join("read_webhooks.js"))
            .env("NODE_PATH", home.join("node_modules"));
        found.push(("JavaScript", command));
    }
    if found.len() < 2 {
        println!(
            "SKIPPED for want of dev/webhook_libraries.sh, in part: {} of 2 readers",
            found.len()
        );
    }
    found
}

/// A request for the readers, with the secrets by which it must verify.
fn line(request: &Request, secrets: &[&str], cloudevent: Option<&str>) -> Value {
    use base64::Engine;
    let headers: serde_json::Map<String, Value> = request
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.into())))
        .collect();
    let body = base64::engine::general_purpose::STANDARD.encode(&request.body);
    json!({"headers": headers, "body": body, "secrets": secrets, "cloudevent": cloudevent})
}

/// What each reader says of the requests.
fn read(lines: &[Value]) -> Result<Vec<(&'static str, Value)>> {
    let mut file = tempfile::NamedTempFile::new()?;
    for line in lines {
        writeln!(file, "{line}")?;
    }
    let mut said = Vec::new();
    for (name, mut command) in readers() {
        let output = command.arg(file.path()).output()?;
        ensure!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let answer = serde_json::from_slice(&output.stdout).with_context(|| name)?;
        said.push((name, answer));
    }
    Ok(said)
}

/// Bodies of a seed: texts of any signs, numbers, nesting.
const RANDOM_EVENTS: &str = "
    SELECT count(zerodb.emit('doc.created', jsonb_build_object('doc_id', n, 'size', (random() * 1e9)::bigint,
        'text', (SELECT string_agg(chr(CASE WHEN c < 55295 THEN c + 1 ELSE c + 2049 END), '')
            FROM (SELECT (random() * 60000)::int AS c FROM generate_series(1, (random() * 40)::int + n % 2)) AS signs),
        'nested', jsonb_build_array(random(), jsonb_build_object('k' || n, NULL)), 'long', repeat('é', n % 500))))
    FROM generate_series(%from, %to) AS n";

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_bodies_verify_also_while_the_secret_changes() -> Result<()> {
    const BODIES: usize = 1000;
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        watched_table(&session).await?;
        let config = json!({"url": receiver.url("/"), "secret": "${ZERODB_SECRET_BOTH}"});
        session.run(&webhook_hook("web", &config)).await?;
        let (both, sealing) = (format!("{SECRET} {PRIVATE}"), base64_key());
        let variables = [
            ("ZERODB_SECRET_BOTH", both.as_str()),
            ("ZERODB_SEALING_KEY", &sealing),
        ];
        let _worker = Worker::start_with(&database.worker_url(), &["--poll-ms", "200"], &variables)?;
        let events = |from: usize, to: usize| {
            RANDOM_EVENTS
                .replace("%from", &from.to_string())
                .replace("%to", &to.to_string())
        };
        session.run(&events(1, BODIES / 2)).await?;
        receiver.wait_for(BODIES / 2, SOON).await?;
        session
            .run("SELECT zerodb.rotate_secret(id) FROM zerodb.zerodb_hooks")
            .await?;
        session.run(&events(BODIES / 2 + 1, BODIES)).await?;
        let requests = receiver.wait_for(BODIES, SOON).await?;
        let made = shown(&database.worker_url(), &sealing)?;
        ensure!(made.starts_with("whsec_"), "{made}");
        let mut lines = Vec::new();
        for (number, request) in requests.iter().enumerate() {
            let secrets = if number < BODIES / 2 {
                vec![SECRET]
            } else {
                vec![SECRET, &made]
            };
            for secret in &secrets {
                standardwebhooks::Webhook::new(secret)?.verify(&request.body, &request.headers)?;
            }
            let signatures = request.header("webhook-signature").unwrap_or_default();
            assert!(
                signatures.split(' ').any(|one| one.starts_with("v1a,")),
                "{signatures}"
            );
            lines.push(line(request, &secrets, None));
        }
        for (name, answer) in read(&lines)? {
            assert_eq!(answer["verified"], BODIES + BODIES / 2, "{name}");
        }
        Ok(())
    })
    .await
}

fn base64_key() -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode([7; 32])
}

/// What `zerodb-hooks secret web` prints.
fn shown(url: &str, key: &str) -> Result<String> {
    let output = zerodb_hooks_harness::programs::worker::command()?
        .args(["secret", "web", "--database-url", url])
        .env("ZERODB_SEALING_KEY", key)
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn cloud_events_are_read_in_each_form() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        watched_table(&session).await?;
        for (form, format) in [("structured", "cloudevents"), ("binary", "cloudevents_binary"), ("batch", "cloudevents_batch")] {
            let config = json!({"url": receiver.url(&format!("/{form}")), "format": format});
            session.run(&webhook_hook(form, config)).await?;
        }
        let _worker = Worker::start_with(&database.worker_url(), &["--poll-ms", "200"], &[])?;
        session
            .run(&format!(
                "SET zerodb.traceparent = '{TRACE}';
                 SELECT zerodb.emit('doc.created', jsonb_build_object('doc_id', n, 'text', 'é \" %', 'bank_id', 'b \"1\" é %'))
                 FROM generate_series(1, 5) AS n"
            ))
            .await?;
        let requests = receiver.wait_for(15, SOON).await?;
        let lines: Vec<Value> = requests.iter().map(|one| line(one, &[], Some(&one.path[1..]))).collect();
        for (name, answer) in read(&lines)? {
            let events = answer["events"].as_array().context("a list")?;
            assert_eq!(events.len(), 15, "{name}");
            for event in events {
                assert_eq!((&event[1], &event[2]), (&json!("doc.created"), &json!("/zerodb/app")), "{name}");
                assert_eq!(event[4], "0af7651916cd43dd8448eb211c80319c", "{name}");
                // The library for JavaScript leaves the signs of a header to its reader.
                let as_sent = name == "JavaScript" && event[3] == "b%20%221%22%20%C3%A9%20%25";
                assert!(as_sent || event[3] == "b \"1\" é %", "{name}: {}", event[3]);
                assert_eq!(event[5]["text"], "é \" %", "{name}");
            }
        }
        Ok(())
    })
    .await
}
