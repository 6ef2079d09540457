//! Signing secrets that the product makes: shown once, kept sealed, with both signatures while they change; and secrets
//! in the text of a body.

use std::process::Output;

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use zerodb_hooks_harness::{Receiver, SOON, Worker, on_every_server};

use crate::setup::{watched_table, webhook_hook};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn show(url: &str, key: &str) -> Result<Output> {
    let mut command = zerodb_hooks_harness::programs::worker::command()?;
    command
        .args(["secret", "web", "--database-url", url])
        .env("ZERODB_SEALING_KEY", key);
    Ok(command.output()?)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_made_shown_once_and_never_in_the_clear() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        watched_table(&session).await?;
        session.run(&webhook_hook("web", json!({"url": receiver.url("/")}))).await?;
        let (key, url) = (STANDARD.encode([9; 32]), database.worker_url());
        assert!(text(&show(&url, &key)?.stderr).contains("no secret of its own"));
        let rotate = |grace: &str| format!("SELECT zerodb.rotate_secret(id, '{grace}') FROM zerodb.zerodb_hooks");
        assert_eq!(session.number(&rotate("1 h")).await?, 1);
        // With another key nothing is shown, and the secret can be shown still.
        let first = text(&show(&url, &key)?.stdout);
        assert!(first.starts_with("whsec_"), "{first}");
        assert!(text(&show(&url, &key)?.stderr).contains("shown before"));
        let variables = [("ZERODB_SECRET_WEBHOOK", SECRET), ("ZERODB_SEALING_KEY", key.as_str())];
        let worker = Worker::start_with(&url, &["--poll-ms", "200", "--log", "trace"], &variables)?;
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        let request = receiver.wait_for(1, SOON).await?.remove(0);
        for secret in [SECRET, &first] {
            standardwebhooks::Webhook::new(secret)?.verify(&request.body, &request.headers)?;
        }
        // A grace of 0 ends what was before.
        assert_eq!(session.number(&rotate("0")).await?, 2);
        session.run("INSERT INTO doc (size) VALUES (2)").await?;
        let request = receiver.wait_for(2, SOON).await?.remove(1);
        let second = text(&show(&url, &key)?.stdout);
        standardwebhooks::Webhook::new(&second)?.verify(&request.body, &request.headers)?;
        for secret in [SECRET, &first] {
            assert!(standardwebhooks::Webhook::new(secret)?.verify(&request.body, &request.headers).is_err());
        }
        let dump = database.cluster.client_program("pg_dump").arg(&database.name).output()?;
        let dump = String::from_utf8_lossy(&dump.stdout).into_owned();
        assert!(dump.contains("signing_secret"), "the sealed secrets are part of a dump");
        for secret in [&first, &second, &key] {
            let bare = secret.trim_start_matches("whsec_");
            assert!(!dump.contains(bare) && !worker.stderr().contains(bare) && !worker.stdout().contains(bare));
            let stored = format!("SELECT count(*) FROM zerodb.signing_secret AS s WHERE s::text LIKE '%{bare}%' OR encode(s.sealed, 'escape') LIKE '%{bare}%'");
            assert_eq!(session.number(&stored).await?, 0);
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_rotated_or_read_says_so() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        watched_table(&session).await?;
        session
            .run("SELECT zerodb.create_hook('doc.created', 'line', '{}', hook_type => 'log')")
            .await?;
        session
            .run(&webhook_hook(
                "web",
                json!({"url": receiver.url("/"), "retry_count": 0}),
            ))
            .await?;
        let rotate = |name: &str, grace: &str| {
            format!(
                "SELECT zerodb.rotate_secret(id, {grace}) FROM zerodb.zerodb_hooks WHERE hook_name = '{name}'"
            )
        };
        for (statement, code) in [
            (rotate("line", "'1 h'"), "22023"),
            (rotate("web", "'-1 s'"), "22023"),
            (rotate("web", "'31 days'"), "22023"),
            (
                "SELECT zerodb.rotate_secret(gen_random_uuid())".to_owned(),
                "P0002",
            ),
        ] {
            assert_eq!(session.error(&statement).await?.code, code, "{statement}");
        }
        for _ in 0..4 {
            session.run(&rotate("web", "'1 h'")).await?;
        }
        assert_eq!(session.error(&rotate("web", "'1 h'")).await?.code, "54000");
        let _worker = Worker::start_with(&database.worker_url(), &["--poll-ms", "200"], &[])?;
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        let error = "SELECT last_error FROM zerodb.deliveries WHERE state = 'pending' AND attempts = 0 AND last_error IS NOT NULL";
        session
            .becomes(&format!("SELECT count(*) FROM ({error}) AS d"), 1)
            .await?;
        assert!(
            session
                .text(error)
                .await?
                .contains("set ZERODB_SEALING_KEY where the worker runs")
        );
        assert_eq!(receiver.requests().len(), 0, "nothing leaves unsigned");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_may_hold_secrets_that_an_event_cannot_name() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        watched_table(&session).await?;
        let template = r#"{"routing_key": "${ZERODB_SECRET_PD}", "text": "{{ body }}"}"#;
        session.run("SELECT zerodb.register_event_type('doc.note', 'app', '{body}', 'a note')").await?;
        let config = json!({"url": receiver.url("/"), "body_template": template}).to_string();
        session.run(&format!("SELECT zerodb.create_hook('doc.note', 'pd', '{config}', hook_type => 'webhook')")).await?;
        for (template, code) in [
            ("{\"a\": \"${HOME}\"}", "22023"),
            ("{\"a\": \"${ZERODB_PROVIDER_X}\"}", "22023"),
            ("{{ \"${ZERODB_SECRET_PD}\"|upper }}", "22023"),
        ] {
            let config = json!({"url": receiver.url("/"), "body_template": template}).to_string();
            let make = format!("SELECT zerodb.create_hook('doc.note', 'x', '{config}', hook_type => 'webhook')");
            assert_eq!(session.error(&make).await?.code, code, "{template}");
        }
        let secrets = [("ZERODB_SECRET_PD", "k\"3y"), ("ZERODB_SECRET_OTHER", "hush")];
        let _worker = Worker::start_with(&database.worker_url(), &["--poll-ms", "200"], &secrets)?;
        session
            .run("SELECT zerodb.emit('doc.note', '{\"body\": \"${ZERODB_SECRET_OTHER} ${ZERODB_SECRET_PD} \\\"\"}')")
            .await?;
        let request = receiver.wait_for(1, SOON).await?.remove(0);
        let text = "${ZERODB_SECRET_OTHER} ${ZERODB_SECRET_PD} \"";
        assert_eq!(request.json()?, json!({"routing_key": "k\"3y", "text": text}));
        Ok(())
    })
    .await
}
