//! Secrets belong to somebody: to users and hosts that the worker's file names, and to nobody by their name alone.
//! None is written into a hook.

use std::io::Write;

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use zerodb_hooks_harness::{Receiver, Result, SOON, Session, Worker, eventually, on_every_server};

use crate::actors::{MALLORY, Stage, VICTIM};

const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const VARIABLES: &[(&str, &str)] = &[
    ("ZERODB_SECRET_WEBHOOK", SIGNING),
    ("ZERODB_SECRET_KEY", "sk_live_victim"),
    ("ZERODB_PROVIDER_MODEL", "sk_live_model"),
    ("ZERODB_SECRET_MODEL", "sk_live_old_model"),
];

fn make(name: &str, config: &Value) -> String {
    let config = config.to_string().replace('\'', "''");
    format!("SELECT zerodb.create_hook('app.thing', '{name}', '{config}', hook_type => 'webhook')")
}

fn file(text: &str) -> Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// The error of the hook's delivery, once it is given up.
async fn refusal(session: &Session, hook: &str) -> Result<String> {
    let query = format!(
        "SELECT d.last_error FROM zerodb.deliveries d JOIN zerodb.zerodb_hooks h ON h.id = d.hook_id
         WHERE h.hook_name = '{hook}' AND d.state = 'discarded' AND d.attempts = 1 LIMIT 1"
    );
    eventually(SOON, async || session.text(&query).await.ok()).await
}

const EMIT: &str = "SELECT zerodb.emit('app.thing', '{\"id\": 1}')";

#[tokio::test(flavor = "multi_thread")]
async fn without_a_file_secrets_are_for_hooks_without_a_tenant() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let receiver = Receiver::start()?;
        let config = |reference: &str| json!({"url": receiver.url("/"), "headers": {"x-a": reference}});
        let hooks = [
            ("key", "${ZERODB_SECRET_KEY}"),
            ("signing", "${ZERODB_SECRET_WEBHOOK}"),
            ("guessed", "${ZERODB_SECRET_NO_SUCH}"),
        ];
        for (name, reference) in hooks {
            stage.mallory.run(&make(name, &config(reference))).await?;
        }
        let signed = json!({"url": receiver.url("/"), "secret": "${ZERODB_SECRET_WEBHOOK}"});
        stage.mallory.run(&make("signed", &signed)).await?;
        let whole = json!({"url": "${ZERODB_SECRET_KEY}"});
        stage.mallory.run(&make("url", &whole)).await?;
        stage
            .admin
            .run(&make("admins", &config("${ZERODB_SECRET_KEY}")))
            .await?;
        let _worker = Worker::start_with(&db.worker_url(), &[], VARIABLES)?;
        stage.mallory.run(EMIT).await?;
        for (name, variable) in [
            ("key", "KEY"),
            ("signing", "WEBHOOK"),
            ("guessed", "NO_SUCH"),
            ("signed", "WEBHOOK"),
            ("url", "KEY"),
        ] {
            let said = refusal(&stage.mallory, name).await?;
            let expected = format!(
                "the secret ZERODB_SECRET_{variable} is not bound to this hook's user in the worker's file"
            );
            assert_eq!(said, expected);
        }
        let received = receiver.wait_for(1, SOON).await?;
        assert_eq!(received.len(), 1);
        assert_eq!(received[0].header("x-a"), Some("sk_live_victim"));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_secret_goes_to_its_hosts_for_its_users_only() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let receiver = Receiver::start()?;
        let port = receiver.address.port();
        let named = |host: &str| {
            json!({"url": format!("http://{host}:{port}/"), "headers": {"authorization": "Bearer ${ZERODB_SECRET_KEY}"}})
        };
        stage.mallory.run(&make("mallorys", &named("127.0.0.1"))).await?;
        stage.victim.run(&make("victims", &named("127.0.0.1"))).await?;
        stage.victim.run(&make("elsewhere", &named("localhost"))).await?;
        stage.victim.run(&make("within", &named("127.0.0.1.${ZERODB_SECRET_KEY}.example"))).await?;
        stage.admin.run(&make("admins", &named("127.0.0.1"))).await?;
        let file = file(&format!("secrets:\n  KEY: {{ hosts: [127.0.0.1], users: [{VICTIM}] }}\n"))?;
        let path = file.path().to_string_lossy().into_owned();
        let worker = Worker::start_with(&db.worker_url(), &["--config", &path], VARIABLES)?;
        stage.mallory.run(EMIT).await?;
        stage.victim.run(EMIT).await?;
        let of_user = "the secret ZERODB_SECRET_KEY is not bound to this hook's user in the worker's file";
        assert_eq!(refusal(&stage.mallory, "mallorys").await?, of_user);
        let of_host = "the secret ZERODB_SECRET_KEY is not bound to this hook's host in the worker's file";
        assert_eq!(refusal(&stage.victim, "elsewhere").await?, of_host);
        refusal(&stage.victim, "within").await?;
        assert_eq!(refusal(&stage.admin, "admins").await?, of_user);
        let received = receiver.wait_for(1, SOON).await?;
        assert_eq!(received.len(), 1, "{received:?}");
        assert_eq!(received[0].header("authorization"), Some("Bearer sk_live_victim"));
        assert!(!worker.stderr().contains("sk_live"), "{}", worker.stderr());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_webhooks_are_signed_with_a_key_of_its_own() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let receiver = Receiver::start()?;
        stage
            .mallory
            .run(&make("mallorys", &json!({"url": receiver.url("/mallory")})))
            .await?;
        stage
            .admin
            .run(&make("admins", &json!({"url": receiver.url("/admin")})))
            .await?;
        let _worker = Worker::start_with(&db.worker_url(), &[], VARIABLES)?;
        stage.mallory.run(EMIT).await?;
        let received = receiver.wait_for(2, SOON).await?;
        let verifies = |key: &str, path: &str| -> Result<bool> {
            let request = received
                .iter()
                .find(|request| request.path == path)
                .expect("a request to the path");
            Ok(standardwebhooks::Webhook::new(key)?
                .verify(&request.body, &request.headers)
                .is_ok())
        };
        let key = |user: &str| -> Result<String> {
            let mut command = zerodb_hooks_harness::programs::worker::command()?;
            let output = command
                .args(["secret", "--user", user])
                .env("ZERODB_SECRET_WEBHOOK", SIGNING)
                .output()?;
            assert!(output.status.success(), "{output:?}");
            Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
        };
        assert!(verifies(SIGNING, "/admin")?);
        assert!(
            !verifies(SIGNING, "/mallory")?,
            "he can forge what the administrator's receiver trusts"
        );
        assert!(verifies(&key(MALLORY)?, "/mallory")?);
        assert!(!verifies(&key(VICTIM)?, "/mallory")?);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_providers_key_is_for_no_hook() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let receiver = Receiver::start()?;
        let config = json!({"url": receiver.url("/"), "headers": {"x-a": "${ZERODB_SECRET_MODEL}"}});
        stage.admin.run(&make("old", &config)).await?;
        let new = json!({"url": receiver.url("/"), "headers": {"x-a": "${ZERODB_PROVIDER_MODEL}"}});
        assert_eq!(stage.admin.error(&make("new", &new)).await?.code, "22023");
        let file = file(
            "providers:\n  old: { url: 'https://a.example', api_key: '${ZERODB_SECRET_MODEL}' }\n  \
             new: { url: 'https://a.example', api_key: '${ZERODB_PROVIDER_MODEL}' }\ndefault_provider: old\n",
        )?;
        let path = file.path().to_string_lossy().into_owned();
        let _worker = Worker::start_with(&db.worker_url(), &["--config", &path], VARIABLES)?;
        stage.admin.run(EMIT).await?;
        let said = refusal(&stage.admin, "old").await?;
        assert_eq!(
            said,
            "the variable ZERODB_SECRET_MODEL is the key of a provider, which hooks cannot use"
        );
        assert!(receiver.requests().is_empty());
        Ok(())
    })
    .await
}

/// Configs that hold a credential, which is what follows `hush`.
const LITERAL: &[&str] = &[
    r#"{"url": "https://user:hush@a.example/"}"#,
    r#"{"url": "https://hush@a.example/"}"#,
    r#"{"url": "https://${ZERODB_SECRET_A}@a.example/"}"#,
    r#"{"url": "https://a.example/?key=hush"}"#,
    r#"{"url": "https://a.example/?x=1&TOKEN=hush"}"#,
    r#"{"url": "https://a.example/?x=1;token=hush"}"#,
    r#"{"url": "https://a.example?%6Bey=hush"}"#,
    r#"{"url": "https://a.example/?api_key=hush"}"#,
    r#"{"url": "https://a.example/?apiKey=hush"}"#,
    r#"{"url": "https://a.example/?access-token=hush"}"#,
    r#"{"url": "https://a.example/?client_secret=hush"}"#,
    r#"{"url": "https://a.example/?signature=hush"}"#,
    r#"{"url": "https://a.example/?password=hush"}"#,
    r##"{"url": "https://a.example/#token=hush"}"##,
    r#"{"url": "https://a", "headers": {"authorization": "Bearer hush"}}"#,
    r#"{"url": "https://a", "headers": {"AUTHORIZATION": "hush"}}"#,
    r#"{"url": "https://a", "headers": {"cookie": "hush"}}"#,
    r#"{"url": "https://a", "headers": {"X-Api-Key": "hush"}}"#,
    r#"{"url": "https://a", "headers": {"x-goog-api-key": "hush"}}"#,
    r#"{"url": "https://a", "headers": {"ocp-apim-subscription-key": "hush"}}"#,
    r#"{"url": "https://a", "headers": {"private-token": "hush"}}"#,
    r#"{"url": "https://a", "headers": {"x-my-secret": "hush"}}"#,
    r#"{"url": "https://a", "headers": {"x-password": "hush"}}"#,
    r#"{"url": "https://a", "headers": {"x-any": "Bearer hush"}}"#,
    r#"{"url": "https://a", "headers": {"x-any": "basic hush"}}"#,
    r#"{"url": "https://a", "secret": "hush"}"#,
];

/// References to what is no secret, or in a place that has none.
const FOREIGN: &[&str] = &[
    r#"{"url": "https://a.example/${HOME}"}"#,
    r#"{"url": "${DATABASE_URL}"}"#,
    r#"{"url": "https://a.example/?key=${API_KEY}"}"#,
    r#"{"url": "https://a", "headers": {"Authorization": "Bearer ${AUDIT_API_KEY}"}}"#,
    r#"{"url": "https://a", "headers": {"x-a": "${ZERODB_SECRET_}"}}"#,
    r#"{"url": "https://a", "headers": {"x-a": "${ZERODB_SECRET_a}"}}"#,
    r#"{"url": "https://a", "headers": {"x-a": "${ZERODB_SECRET_A"}}"#,
    r#"{"url": "https://a", "headers": {"x-a": "${ZERODB_PROVIDER_A}"}}"#,
    r#"{"url": "https://a", "headers": {"x-a": "${ZERODB_SECRET_A}${PATH}"}}"#,
    r#"{"url": "https://a", "body_template": "{{ \"${ZERODB_SECRET_A}\"|upper }}"}"#,
    r#"{"url": "https://a", "body_template": "{\"key\": \"${ZERODB_SECRET_A\"}"}"#,
    r#"{"url": "https://a", "body_template": "${HOME}"}"#,
];

const WELL: &[&str] = &[
    r#"{"url": "https://a.example/${ZERODB_SECRET_PATH}?key=${ZERODB_SECRET_KEY}&x=1"}"#,
    r#"{"url": "https://a.example/?monkey=1&page=2#top"}"#,
    r#"{"url": "${ZERODB_SECRET_URL}"}"#,
    r#"{"url": "https://a", "headers": {"authorization": "Bearer ${ZERODB_SECRET_A}", "x-api-key": "${ZERODB_SECRET_B}"}}"#,
    r#"{"url": "https://a", "headers": {"x-author": "me", "x-team": "search", "idempotency-key": "1"}}"#,
    r#"{"url": "https://a", "body_template": "{\"key\": \"${ZERODB_SECRET_A}\"}"}"#,
    r#"{"url": "https://a", "body_template": "it costs ${{ note }} and {{ id }}"}"#,
    r#"{"url": "https://a", "async": true, "include_content": false}"#,
];

#[tokio::test]
async fn a_credential_that_is_written_out_is_refused_and_so_is_another_variable() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        for config in LITERAL.iter().chain(FOREIGN) {
            let config: Value = serde_json::from_str(config)?;
            let refused = stage.mallory.error(&make("h", &config)).await?;
            assert_eq!(refused.code, "22023", "{config}: {refused:?}");
            assert!(!format!("{refused:?}").contains("hush"), "{refused:?}");
            let hint = refused.hint.as_deref().unwrap_or_default();
            assert!(
                hint.contains("${ZERODB_SECRET_") || hint.contains("header"),
                "{config}: {refused:?}"
            );
        }
        for (n, config) in WELL.iter().enumerate() {
            stage
                .mallory
                .run(&make(&format!("well.{n}"), &serde_json::from_str(config)?))
                .await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_too_long_is_refused() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let with = |key: &str, value: Value| {
            let mut config = json!({"url": "https://a.example"});
            config[key] = value;
            config
        };
        let headers: serde_json::Map<String, Value> =
            (0..65).map(|n| (format!("x-{n}"), json!("a"))).collect();
        for (key, value) in [
            ("when", json!(format!("$.id == \"{}\"", "x".repeat(4096)))),
            ("order_by", json!(format!("$.{}", "x".repeat(1024)))),
            ("url", json!(format!("https://a.example/{}", "x".repeat(8192)))),
            ("headers", json!({"x-a": "x".repeat(4097)})),
            ("headers", json!(headers)),
            ("body_template", json!("x".repeat((64 << 10) + 1))),
        ] {
            let refused = stage.mallory.error(&make("h", &with(key, value))).await?;
            assert_eq!(refused.code, "22023", "{key}: {refused:?}");
        }
        Ok(())
    })
    .await
}
