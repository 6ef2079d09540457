//! What a hook is checked for when it is made, a row for each kind of mistake; and that the doctor finds the same in
//! hooks that are there.

use serde_json::json;
use zerodb_hooks_harness::{Result, Session, on_every_server};

use crate::ALICE;

/// Event type, hook type, name, config; a part of the message and a part of the hint.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// Templates: their syntax, and their variables against the fields of the event type.
const TEMPLATES: &[Row] = &[
    (
        "on_retain",
        "log",
        "x",
        r#"{"message": "{{ oops"}"#,
        "\"message\" in hook_config is not a template",
        "Correct the template",
    ),
    (
        "on_retain",
        "webhook",
        "x",
        r#"{"url": "https://a.example", "body_template": "{% for %}"}"#,
        "\"body_template\" in hook_config is not a template",
        "Correct",
    ),
    (
        "on_retain",
        "log",
        "x",
        r#"{"message": "{{ bank_idd }}"}"#,
        "\"message\" in hook_config names 'bank_idd', which events of 'on_retain'",
        "Did you mean 'bank_id'?",
    ),
    (
        "on_retain",
        "log",
        "x",
        r#"{"message": "{{ data.query }}"}"#,
        "names 'query'",
        "Name a field of the event type",
    ),
    (
        "zerodb.vector.*",
        "log",
        "x",
        r#"{"message": "{{ vectr_id }}"}"#,
        "names 'vectr_id'",
        "Did you mean 'vector_id'?",
    ),
];

/// Names of secrets, with what to rename, and credentials that are written out.
const SECRETS: &[Row] = &[
    (
        "on_retain",
        "webhook",
        "x",
        r#"{"url": "https://a.example/${API_KEY}"}"#,
        "\"url\" in hook_config refers to a variable that is no secret",
        "Rename it: write ${ZERODB_SECRET_API_KEY}",
    ),
    (
        "on_retain",
        "webhook",
        "x",
        r#"{"url": "https://a.example", "headers": {"Authorization": "Bearer ${audit_key}"}}"#,
        "\"headers.Authorization\" in hook_config refers to a variable",
        "write ${ZERODB_SECRET_AUDIT_KEY}",
    ),
    (
        "on_retain",
        "webhook",
        "x",
        r#"{"url": "https://a.example", "headers": {"X-A": "${a-b}"}}"#,
        "\"headers.X-A\" in hook_config refers to a variable",
        "Write ${ZERODB_SECRET_NAME}",
    ),
    (
        "on_retain",
        "webhook",
        "x",
        r#"{"url": "https://a.example/?token=hush"}"#,
        "\"url\" in hook_config holds a literal secret",
        "${ZERODB_SECRET_NAME}",
    ),
    (
        "on_retain",
        "webhook",
        "x",
        r#"{"url": "https://me:hush@a.example/"}"#,
        "\"url\" in hook_config holds a user or password",
        "headers",
    ),
    (
        "on_retain",
        "webhook",
        "x",
        r#"{"url": "https://a.example", "headers": {"X-Api-Key": "hush"}}"#,
        "\"headers.X-Api-Key\" in hook_config holds a literal secret",
        "${ZERODB_SECRET_NAME}",
    ),
    (
        "on_retain",
        "webhook",
        "x",
        r#"{"url": "https://a.example", "headers": {"X-A": "Bearer hush"}}"#,
        "\"headers.X-A\" in hook_config holds a literal secret",
        "${ZERODB_SECRET_NAME}",
    ),
];

/// Names and values of headers, and in production only https.
const REQUESTS: &[Row] = &[
    (
        "on_retain",
        "webhook",
        "x",
        r#"{"url": "https://a.example", "headers": {"X A": "b"}}"#,
        "invalid value for \"headers\"",
        "Correct",
    ),
    (
        "on_retain",
        "webhook",
        "x",
        r#"{"url": "https://a.example", "headers": {"X-A": "b\r\nX-B: c"}}"#,
        "invalid value for \"headers.X-A\"",
        "Correct",
    ),
    (
        "on_retain",
        "webhook",
        "x",
        r#"{"url": "https://a.example", "headers": {"Content-Length": "1"}}"#,
        "a hook cannot set the header \"Content-Length\"",
        "Leave the header out",
    ),
    (
        "on_retain",
        "webhook",
        "x",
        r#"{"url": "http://a.example"}"#,
        "\"url\" in hook_config is not https",
        "Write https://",
    ),
    (
        "on_retain",
        "webhook",
        "x",
        r#"{"url": "HTTP://a.example"}"#,
        "\"url\" in hook_config is not https",
        "Write https://",
    ),
];

/// First-party handlers without a text of their own, and patterns that match nothing.
const EVENTS: &[Row] = &[
    (
        "on_bank_deleted",
        "first_party",
        "auto_embed",
        "{}",
        "auto_embed has nothing to work on",
        "watched table",
    ),
    (
        "zerodb.vector.deleted",
        "first_party",
        "auto_summarize",
        "{}",
        "auto_summarize has nothing to work on",
        "zerodb.file.uploaded",
    ),
    (
        "on_retian",
        "log",
        "x",
        "{}",
        "unknown event type 'on_retian'",
        "Did you mean 'on_retain'?",
    ),
    (
        "zerodb.vectors.*",
        "log",
        "x",
        "{}",
        "pattern 'zerodb.vectors.*' can match no event",
        "Did you mean 'zerodb.vector.*'?",
    ),
];

fn rows() -> impl Iterator<Item = &'static Row> {
    [TEMPLATES, SECRETS, REQUESTS, EVENTS].into_iter().flatten()
}

fn made(row: &Row) -> String {
    let (event_type, hook_type, name, config, ..) = row;
    format!("SELECT zerodb.create_hook('{event_type}', '{name}', '{config}', hook_type => '{hook_type}')")
}

async fn in_production(session: &Session) -> Result<()> {
    session
        .run("SELECT zerodb.create_store(dimensions => 8); SET zerodb.production = on")
        .await
}

#[tokio::test]
async fn a_hook_that_cannot_work_is_refused_with_its_key_and_what_to_do() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        in_production(&session).await?;
        session.run("SELECT zerodb.create_hook('on_retain', 'there', '{\"url\": \"https://a.example\"}', hook_type => 'webhook')").await?;
        for row in rows() {
            let (event_type, hook_type, _, config, message, hint) = row;
            let mut sentences = vec![made(row)];
            if (*event_type, *hook_type) == ("on_retain", "webhook") {
                sentences.push(format!("SELECT zerodb.update_hook(id, '{}') FROM zerodb.list_hooks()", config));
            }
            for sql in sentences {
                let error = session.error(&sql).await?;
                assert_eq!(error.code, "22023", "{sql}: {error:?}");
                assert!(error.message.contains(message), "{sql}: {error:?}");
                assert!(error.hint.as_ref().is_some_and(|said| said.contains(hint)), "{sql}: {error:?}");
                assert!(!format!("{error:?}").contains("hush"), "{error:?}");
            }
        }
        Ok(())
    })
    .await
}

/// What is right, and looks as if it were not.
#[tokio::test]
async fn a_hook_that_can_work_is_taken() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        in_production(&session).await?;
        session.run("SELECT zerodb.register_event_type('order.made', 'shop', '{total}', 'x')").await?;
        for (event_type, config) in [
            ("on_retain", json!({"message": "{% for tag in tags %}{{ loop.index }} {{ tag }}{% endfor %}{% set n = memory_id %}{{ n }}"})),
            ("on_retain", json!({"message": "{{ event_type }} {{ event_id }} {{ timestamp }} {{ channel }} {{ trace_id }} {{ data.memory_id }} {{ event.bank_id }}"})),
            // Of all types, and of prefixes that others can join, nothing is known.
            ("*", json!({"message": "{{ anything }}"})),
            ("order.*", json!({"message": "{{ anything }}"})),
            // A type of one's own may have more than is registered.
            ("order.made", json!({"message": "{{ customer }}"})),
            ("zerodb.*", json!({"message": "{{ vector_id }}{{ file_name }}{{ topic }}"})),
        ] {
            let config = config.to_string();
            session.run(&format!("SELECT zerodb.delete_hook((zerodb.create_hook('{event_type}', 'x', '{config}', hook_type => 'log')).id)")).await?;
        }
        for url in ["https://a.example", "HTTPS://a.example", "${ZERODB_SECRET_URL}", "https://a.example/http://b"] {
            session.run(&format!("SELECT zerodb.delete_hook((zerodb.create_hook('*', 'x', '{{\"url\": \"{url}\"}}', hook_type => 'webhook')).id)")).await?;
        }
        session.run("SET zerodb.production = off; SELECT zerodb.create_hook('*', 'x', '{\"url\": \"http://a.example\"}', hook_type => 'webhook')").await
    })
    .await
}

#[tokio::test]
async fn only_a_superuser_says_that_a_database_is_not_in_production() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let role = db.create_role("app").await?;
        session.run(&format!("SELECT zerodb.grant_user('{role}'); ALTER DATABASE {} SET zerodb.production = on", db.name)).await?;
        let app = db.session_as(&role).await?;
        app.run(&format!("SET zerodb.user_id = '{ALICE}'")).await?;
        let create = "SELECT zerodb.create_hook('on_retain', 'x', '{\"url\": \"http://a.example\"}', hook_type => 'webhook')";
        // From here on its library is loaded.
        assert_eq!(app.error(create).await?.code, "22023");
        for sql in ["SET zerodb.production = off", "SELECT set_config('zerodb.production', 'off', true)"] {
            assert_eq!(app.error(sql).await?.code, "42501", "{sql}");
            assert_eq!(app.error(create).await?.code, "22023");
        }
        // Nor by a value that was there before.
        let early = db.session_as(&role).await?;
        early.run(&format!("SET zerodb.user_id = '{ALICE}'; SET zerodb.production = off")).await?;
        assert_eq!(early.error(create).await?.code, "22023");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_doctor_finds_the_same_in_hooks_that_are_there() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        in_production(&session).await?;
        session.run("ALTER TABLE zerodb.zerodb_hooks DISABLE TRIGGER check_hook; ALTER TABLE zerodb.zerodb_hooks DROP CONSTRAINT uix_zerodb_hooks_user_event_name").await?;
        for row in rows() {
            let (event_type, hook_type, name, config, message, _) = row;
            session.run(&format!("INSERT INTO zerodb.zerodb_hooks (user_id, event_type, hook_type, hook_name, hook_config)
                VALUES (zerodb._every_user(), '{event_type}', '{hook_type}', '{name}', '{config}')")).await?;
            let said = session.texts("SELECT reason FROM zerodb._unworkable()").await?;
            assert!(said.len() == 1 && said[0].contains(message), "{row:?}: {said:?}");
            session.run("DELETE FROM zerodb.zerodb_hooks").await?;
        }
        Ok(())
    })
    .await
}
