//! Webhooks with `include_content`: the text of the row as the hook's owner may read it, and nowhere but the request.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use zerodb_hooks_harness::receivers::Request;
use zerodb_hooks_harness::{Database, Receiver, SOON, Session, on_every_server};

use crate::setup::{worker, worker_with};

const TEXT: &str = "Zahnräder \"laufen\" leise";
/// The configs of hooks by name, which is their path.
const FORMS: &[(&str, &str)] = &[
    ("native", r#"{"include_content": true}"#),
    ("cloud", r#"{"include_content": true, "format": "cloudevents"}"#),
    (
        "binary",
        r#"{"include_content": true, "format": "cloudevents_binary"}"#,
    ),
    (
        "template",
        r#"{"include_content": true, "body_template": "{\"id\": {{ id }}, \"text\": \"{{ content }}\", \"cut\": \"{{ content_truncated }}\"}"}"#,
    ),
    ("without", r#"{"include_content": false}"#),
];
const ASKED: &str = r#"{"include_content": true}"#;
const TENANT: &str = "aaaaaaaa-0000-4000-8000-000000000001";

/// A table `name` (id, content, user_id, hidden) whose inserts are `note.made`.
async fn notes(session: &Session, name: &str) -> Result<()> {
    session
        .run(&format!(
            "CREATE TABLE {name} (id bigint PRIMARY KEY, content text, user_id uuid, hidden boolean NOT NULL DEFAULT false);
            SELECT zerodb.register_event_type('note.made', 'app', '{{id}}', 'a note'); SELECT zerodb.watch('{name}', 'note.made')"
        ))
        .await
}

/// Makes a hook of this config and name, whose receiver is at the path of the name.
async fn hook(session: &Session, name: &str, config: &str, receiver: &Receiver) -> Result<()> {
    let url = receiver.url(&format!("/{name}"));
    session
        .run(&format!(
            "SELECT zerodb.create_hook('note.made', '{name}', '{config}'::jsonb || '{{\"url\": \"{url}\"}}', hook_type => 'webhook')"
        ))
        .await
}

/// The JSON of the body of the request to a path about the row.
fn body(requests: &[Request], path: &str, id: i64) -> Result<Value> {
    let mut bodies = requests
        .iter()
        .filter(|request| request.path == path)
        .filter_map(|request| request.json().ok());
    let of = |body: &Value| body["id"] == json!(id) || body["data"]["id"] == json!(id);
    bodies
        .find(of)
        .with_context(|| format!("no request to {path} about {id}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_of_the_row_is_in_each_form_of_the_request_and_nowhere_else() -> Result<()> {
    on_every_server(async |database| {
        let (session, receiver) = (database.session().await?, Receiver::start()?);
        notes(&session, "note").await?;
        for (name, config) in FORMS {
            hook(&session, name, config, &receiver).await?;
        }
        let worker = worker_with(&database, &["--log", "debug"])?;
        session
            .run(&format!("INSERT INTO note VALUES (1, '{TEXT}')"))
            .await?;
        let requests = receiver.wait_for(FORMS.len(), SOON).await?;
        session.idle().await?;
        let sent = |path| body(&requests, path, 1);
        let data = json!({"id": 1, "content": TEXT});
        assert_eq!(
            (&sent("/native")?["data"], &sent("/cloud")?["data"]),
            (&data, &data)
        );
        assert_eq!(sent("/binary")?, data);
        assert_eq!(sent("/template")?, json!({"id": 1, "text": TEXT, "cut": ""}));
        assert_eq!(sent("/without")?["data"], json!({"id": 1}));
        assert!(!worker.stderr().contains("Zahnr"), "{}", worker.stderr());
        for table in ["outbox", "deliveries", "attempts", "audit"] {
            let told = format!("SELECT count(*) FROM zerodb.{table} AS t WHERE t::text LIKE '%Zahnr%'");
            assert_eq!(session.number(&told).await?, 0, "{table}");
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_is_cut_with_a_word_about_it_and_a_row_that_is_gone_has_none() -> Result<()> {
    on_every_server(async |database| {
        let (session, receiver) = (database.session().await?, Receiver::start()?);
        notes(&session, "note").await?;
        hook(&session, "all", ASKED, &receiver).await?;
        let _worker = worker(&database)?;
        session
            .run(
                "INSERT INTO note VALUES (1, 'x' || repeat('ä', 600000)), (2, NULL);
                BEGIN; INSERT INTO note VALUES (3, 'x'); DELETE FROM note WHERE id = 3; COMMIT;
                SELECT zerodb.emit('note.made', '{\"id\": 4}'), zerodb.emit('note.made', '{\"id\": 5, \"content\": \"its own\"}')",
            )
            .await?;
        let requests = receiver.wait_for(5, SOON).await?;
        let data = |id| anyhow::Ok(body(&requests, "/all", id)?["data"].clone());
        let cut = format!("x{}", "ä".repeat(1024 * 1024 / 2 - 1));
        assert_eq!(data(1)?, json!({"id": 1, "content": cut, "content_truncated": true}));
        for id in 2..=4 {
            assert_eq!(data(id)?, json!({"id": id, "content": null}));
        }
        assert_eq!(data(5)?["content"], "its own");
        Ok(())
    })
    .await
}

/// A role of a tenant, with a hook of its own: it may read what the policy of one table shows, of another all columns
/// but the text, and of one all; but that is a stranger's.
async fn tenant(database: &Database, admin: &Session, receiver: &Receiver) -> Result<()> {
    let role = database.create_role("reader").await?;
    admin.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
    let session = database.session_as(&role).await?;
    session.run(&format!("SET zerodb.user_id = '{TENANT}'")).await?;
    hook(&session, "his", ASKED, receiver).await?;
    let other = database.create_role("other").await?;
    admin
        .run(&format!(
            "ALTER TABLE open ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own ON open USING (NOT hidden AND user_id::text = current_setting('zerodb.user_id', true));
            GRANT SELECT ON open, strange TO {role}; GRANT SELECT (id, user_id, hidden) ON half TO {role};
            GRANT CREATE ON SCHEMA public TO {other}; ALTER TABLE strange OWNER TO {other}"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hooks_owner_may_not_read_is_not_sent() -> Result<()> {
    on_every_server(async |database| {
        let (session, receiver) = (database.session().await?, Receiver::start()?);
        for table in ["open", "closed", "half", "strange"] {
            notes(&session, table).await?;
        }
        tenant(&database, &session, &receiver).await?;
        let _worker = worker(&database)?;
        session
            .run(&format!(
                "INSERT INTO open VALUES (1, 'read', '{TENANT}', false), (2, 'hidden', '{TENANT}', true);
                INSERT INTO closed VALUES (3, 'no grant', '{TENANT}'); INSERT INTO half VALUES (4, 'no column', '{TENANT}');
                INSERT INTO strange VALUES (5, 'of an owner who is not trusted', '{TENANT}');
                BEGIN; INSERT INTO open VALUES (6, 'passed on', '{TENANT}');
                UPDATE open SET user_id = gen_random_uuid() WHERE id = 6; COMMIT"
            ))
            .await?;
        let requests = receiver.wait_for(6, SOON).await?;
        session.idle().await?;
        assert_eq!(body(&requests, "/his", 1)?["data"]["content"], json!("read"));
        for id in 2..=6 {
            let data = body(&requests, "/his", id)?["data"].clone();
            assert_eq!(data.get("content"), Some(&Value::Null), "{data}");
        }
        Ok(())
    })
    .await
}

/// A role that the policies do not hold for, such as the table's owner, still sends no other tenant's row.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_went_to_another_tenant_is_not_sent_by_the_owner_of_the_table() -> Result<()> {
    zerodb_hooks_harness::on_main_server(async |database| {
        let (session, receiver) = (database.session().await?, Receiver::start()?);
        notes(&session, "note").await?;
        hook(&session, "all", ASKED, &receiver).await?;
        session
            .run(&format!(
                "BEGIN; INSERT INTO note VALUES (1, 'x', '{TENANT}'), (2, 'y', '{TENANT}');
                UPDATE note SET user_id = gen_random_uuid() WHERE id = 1; COMMIT"
            ))
            .await?;
        let shown = preview(&database, "all", 2).await?;
        assert!(shown.contains(r#"\"content\":\"y\""#), "{shown}");
        let _worker = worker(&database)?;
        let requests = receiver.wait_for(2, SOON).await?;
        assert_eq!(
            body(&requests, "/all", 1)?["data"].get("content"),
            Some(&Value::Null)
        );
        assert_eq!(body(&requests, "/all", 2)?["data"]["content"], json!("y"));
        Ok(())
    })
    .await
}

/// What `preview` shows of the event about a row.
async fn preview(database: &Database, hook: &str, id: i64) -> Result<String> {
    let session = database.session().await?;
    let event = session
        .text(&format!(
            "SELECT id FROM zerodb.events WHERE data ->> 'id' = '{id}'"
        ))
        .await?;
    let mut command = tokio::process::Command::from(zerodb_hooks_harness::programs::worker::command()?);
    let command = command.args(["preview", hook, "--json", "--allow-private-addresses", "--event"]);
    let output = command
        .arg(event)
        .env("DATABASE_URL", database.worker_url())
        .output()
        .await?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}
