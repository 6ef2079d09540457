//! What a webhook receiver gets.

use anyhow::Result;
use serde_json::json;
use zerodb_hooks_harness::{Answer, Receiver, SOON, Worker, on_every_server};

use crate::setup::{watched_table, webhook_hook, worker, worker_with};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_the_signed_envelope() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        watched_table(&session).await?;
        let config = json!({"url": receiver.url("/in?x=1"), "headers": {"Authorization": "Bearer ${ZERODB_SECRET_TOKEN}"}});
        session.run(&webhook_hook("web", &config)).await?;
        let secrets = [("ZERODB_SECRET_WEBHOOK", SECRET), ("ZERODB_SECRET_TOKEN", "t0ken")];
        let _worker = Worker::start_with(&database.worker_url(), &[], &secrets)?;
        session.run(&format!("SET zerodb.traceparent = '{TRACE}'; INSERT INTO doc (size) VALUES (3)")).await?;
        let request = receiver.wait_for(1, SOON).await?.remove(0);
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/in?x=1"));
        assert_eq!(request.header("authorization"), Some("Bearer t0ken"));
        assert_eq!(request.header("traceparent"), Some(TRACE));
        assert_eq!(request.header("content-type"), Some("application/json"));
        let event = session.json("SELECT zerodb.event_json((SELECT id FROM zerodb.events))").await?;
        assert_eq!(request.json()?, event);
        standardwebhooks::Webhook::new(SECRET)?.verify(&request.body, &request.headers)?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn method_template_and_cloud_events_are_as_the_hook_says() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        watched_table(&session).await?;
        let hooks = [
            ("put", json!({"url": receiver.url("/put"), "method": "PUT", "body_template": "{\"text\": \"doc {{doc_id}} of {{size}}\"}"})),
            ("cloud", json!({"url": receiver.url("/cloud"), "format": "cloudevents"})),
        ];
        for (name, config) in hooks {
            session.run(&webhook_hook(name, &config)).await?;
        }
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (size) VALUES (9)").await?;
        let requests = receiver.wait_for(2, SOON).await?;
        let to = |path: &str| requests.iter().find(|request| request.path == path).expect("a request to the path");
        assert_eq!(to("/put").method, "PUT");
        assert_eq!(to("/put").json()?, json!({"text": "doc 1 of 9"}));
        assert!(to("/put").header("webhook-signature").is_none(), "no secret, no signature");
        let cloud = to("/cloud").json()?;
        assert_eq!((&cloud["specversion"], &cloud["type"]), (&json!("1.0"), &json!("doc.created")));
        assert_eq!(to("/cloud").header("content-type"), Some("application/cloudevents+json"));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn in_production_a_webhook_without_tls_is_refused_and_a_redirect_not_followed() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        watched_table(&session).await?;
        let config = json!({"url": receiver.url("/")});
        session.run(&webhook_hook("web", &config)).await?;
        let mut production = worker_with(&database, &["--production"])?;
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        session.becomes("SELECT count(*) FROM zerodb.deliveries WHERE state = 'discarded' AND last_error LIKE '%only https%'", 1).await?;
        assert!(receiver.requests().is_empty());
        production.kill9()?;
        let header = ("location", receiver.url("/elsewhere"));
        receiver.always(zerodb_hooks_harness::Answer::Full { status: 307, header, body: String::new() });
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (size) VALUES (2)").await?;
        session.discarded(2).await?;
        assert_eq!(receiver.requests().len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_set_is_named_and_never_shown_and_a_nonsense_config_is_discarded() -> Result<()>
{
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let config = json!({"url": "${ZERODB_SECRET_URL}", "retry_count": 0});
        session.run(&webhook_hook("web", &config)).await?;
        session
            .run(
                "ALTER TABLE zerodb.zerodb_hooks DISABLE TRIGGER ALL;
                 INSERT INTO zerodb.zerodb_hooks (user_id, event_type, hook_type, hook_name, hook_config)
                 VALUES ('00000000-0000-0000-0000-000000000000', 'doc.created', 'webhook', 'nonsense', '[1]');
                 ALTER TABLE zerodb.zerodb_hooks ENABLE TRIGGER ALL; ALTER TABLE zerodb.zerodb_hooks ENABLE ALWAYS TRIGGER tell_of_new",
            )
            .await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        session.discarded(2).await?;
        let errors = session.texts("SELECT last_error FROM zerodb.deliveries ORDER BY last_error").await?;
        assert_eq!(errors, ["hook_config must be a JSON object", "the secret ZERODB_SECRET_URL is not set where the worker runs"]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_astrocyte_event_has_its_own_envelope_and_a_log_hook_its_line() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        let web = json!({"url": receiver.url("/")});
        let line = json!({"level": "warning", "message": "PII: {{pii_type}} in {{bank_id}}"});
        session
            .run(&format!(
                "SELECT zerodb.create_hook('on_pii_detected', 'web', '{web}', hook_type => 'webhook');
                 SELECT zerodb.create_hook('on_pii_detected', 'line', '{line}', hook_type => 'log')"
            ))
            .await?;
        let worker = worker(&database)?;
        session
            .run(&format!(
                "SET zerodb.traceparent = '{TRACE}';
                 SELECT zerodb.emit('on_pii_detected', '{{\"pii_type\": \"email\", \"action_taken\": \"redact\"}}', bank_id => 'b7')"
            ))
            .await?;
        let request = receiver.wait_for(1, SOON).await?.remove(0);
        let event = session.json("SELECT zerodb.event_json((SELECT id FROM zerodb.events))").await?;
        assert_eq!(request.json()?, event);
        assert_eq!(event["bank_id"], "b7");
        assert_eq!(event["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        session.completed(2).await?;
        assert!(worker.stderr().contains("WARN") && worker.stderr().contains("PII: email in b7"), "{}", worker.stderr());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_event_keeps_bank_and_trace() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        let config = json!({"url": receiver.url("/"), "format": "cloudevents"});
        session.run(&format!("SELECT zerodb.create_hook('on_noisy_bank', 'cloud', '{config}', hook_type => 'webhook')")).await?;
        let _worker = worker(&database)?;
        session
            .run(&format!(
                "SET zerodb.traceparent = '{TRACE}'; SELECT zerodb.emit('on_noisy_bank', '{{\"signal\": \"s\"}}', bank_id => 'bank-7');
                 RESET zerodb.traceparent; SELECT zerodb.emit('on_noisy_bank', '{{\"signal\": \"t\"}}')"
            ))
            .await?;
        let requests = receiver.wait_for(2, SOON).await?;
        for request in requests {
            let event = request.json()?;
            let expected = if event["data"]["signal"] == "s" { (json!("bank-7"), json!(TRACE)) } else { (json!(null), json!(null)) };
            assert_eq!((event["bankid"].clone(), event["traceparent"].clone()), expected);
            assert_eq!(event.as_object().map(serde_json::Map::len), Some(if expected.0.is_null() { 7 } else { 10 }));
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_asked_first_where_the_hook_says_so() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let (consents, refuses) = (Receiver::start()?, Receiver::start()?);
        watched_table(&session).await?;
        let header = ("webhook-allowed-origin", "events.example.com".to_owned());
        let consent = |status| Answer::Full {
            status,
            header: header.clone(),
            body: String::new(),
        };
        consents.always(consent(200));
        for (name, receiver) in [("asked", &consents), ("unasked", &refuses)] {
            let config =
                json!({"url": receiver.url("/"), "handshake": true, "retry_count": 0, "concurrency": 1});
            session.run(&webhook_hook(name, config)).await?;
        }
        let mut file = tempfile::NamedTempFile::new()?;
        std::io::Write::write_all(&mut file, b"webhooks: { origin: events.example.com }\n")?;
        let path = file.path().to_string_lossy().into_owned();
        let _worker = worker_with(&database, &["--config", &path])?;
        session.run("INSERT INTO doc (size) VALUES (1), (2)").await?;
        session
            .becomes(
                "SELECT count(*) FROM zerodb.deliveries WHERE state IN ('completed', 'discarded')",
                4,
            )
            .await?;
        let methods = |receiver: &Receiver| -> Vec<String> {
            receiver
                .requests()
                .into_iter()
                .map(|request| request.method)
                .collect()
        };
        assert_eq!(methods(&consents), ["OPTIONS", "POST", "POST"]);
        assert_eq!(
            methods(&refuses),
            ["OPTIONS", "OPTIONS"],
            "a status is no consent"
        );
        assert_eq!(
            consents.requests()[0].header("webhook-request-origin"),
            Some("events.example.com")
        );
        let error = session
            .text("SELECT last_error FROM zerodb.deliveries WHERE state = 'discarded' LIMIT 1")
            .await?;
        assert!(error.contains("does not consent"), "{error}");
        Ok(())
    })
    .await
}
