//! Headers of a webhook: none that changes where the request goes, where it ends, or by whom it is signed.

use serde_json::{Value, json};
use zerodb_hooks_harness::{Receiver, Result, Worker, on_every_server};

use crate::actors::{MALLORY, Stage};

const RESERVED: &[&str] = &[
    "host",
    "Host",
    "content-length",
    "Content-Length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "proxy-authorization",
    "proxy-connection",
    "http2-settings",
    "webhook-id",
    "webhook-timestamp",
    "Webhook-Signature",
    "webhook-anything",
];

const NO_HEADERS: &[(&str, &str)] = &[
    ("", "a"),
    ("a b", "a"),
    ("a:", "a"),
    ("a\r\nx", "a"),
    ("ä", "a"),
    ("x\u{0}", "a"),
    (":path", "a"),
    ("x", "a\r\nx-evil: 1"),
    ("x", "a\nb"),
    ("x", "a\rb"),
    ("x", "a\u{1}b"),
    ("x", "a\u{7f}b"),
];

fn config(url: &str, name: &str, value: &str) -> Value {
    json!({"url": url, "headers": {name: value}, "body_template": "abcGET /smuggled HTTP/1.1"})
}

#[tokio::test]
async fn such_a_header_is_refused_when_the_hook_is_made() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let reserved = RESERVED.iter().map(|name| (*name, "3"));
        for (name, value) in reserved.chain(NO_HEADERS.iter().copied()) {
            let config = config("https://a.example", name, value).to_string();
            // A text of Postgres cannot hold it, so it never comes so far.
            let code = if name.contains('\0') { "22P05" } else { "22023" };
            let sql =
                format!("SELECT zerodb.create_hook('app.thing', 'h', $${config}$$, hook_type => 'webhook')");
            let refused = stage.mallory.error(&sql).await?;
            assert_eq!(refused.code, code, "{name}: {refused:?}");
        }
        let twice = r#"{"url": "https://a.example", "headers": {"X-A": "1", "x-a": "2"}}"#;
        let sql = format!("SELECT zerodb.create_hook('app.thing', 'h', '{twice}', hook_type => 'webhook')");
        assert_eq!(stage.mallory.error(&sql).await?.code, "22023");
        Ok(())
    })
    .await
}

/// Rows that were written before there was a check, or past it, and values that come from a secret.
#[tokio::test(flavor = "multi_thread")]
async fn such_a_header_is_refused_again_when_the_request_is_made() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let receiver = Receiver::start()?;
        stage.admin.run("ALTER TABLE zerodb.zerodb_hooks DISABLE TRIGGER check_hook").await?;
        let reserved = RESERVED.iter().map(|name| (*name, "3"));
        let odd = NO_HEADERS.iter().copied().filter(|(name, _)| !name.contains('\0'));
        let mut made = 0;
        for (name, value) in reserved.chain(odd) {
            let insert = "INSERT INTO zerodb.zerodb_hooks (user_id, event_type, hook_type, hook_name, hook_config)
                VALUES ($1::text::uuid, 'app.thing', 'webhook', 'h' || $2::int, $3)";
            let config = config(&receiver.url("/"), name, value);
            stage.admin.client.execute(insert, &[&MALLORY, &made, &config]).await?;
            made += 1;
        }
        let from_secret = config(&receiver.url("/"), "x-a", "${ZERODB_SECRET_LINES}").to_string();
        let sql = format!("SELECT zerodb.create_hook('app.thing', 's', $${from_secret}$$, hook_type => 'webhook')");
        stage.admin.run(&sql).await?;
        let _worker = Worker::start_with(&db.worker_url(), &[], &[("ZERODB_SECRET_LINES", "a\r\nx-evil: 1")])?;
        stage.mallory.run("SELECT zerodb.emit('app.thing', '{\"id\": 1}')").await?;
        let refused = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'discarded' AND attempts = 1 AND last_error LIKE 'the request %header%'";
        let expected = i64::from(made) + 1;
        let ended = stage.admin.becomes(refused, expected).await;
        let among = &refused["SELECT count(*) ".len()..];
        let others = format!(
            "SELECT state || ' ' || coalesce(last_error, '') FROM zerodb.deliveries WHERE id NOT IN (SELECT id {among})"
        );
        assert!(ended.is_ok(), "{:?}", stage.admin.texts(&others).await?);
        assert!(receiver.requests().is_empty(), "{:?}", receiver.requests());
        Ok(())
    })
    .await
}
