//! `zerodb-hooks test` and `preview`: what one hook does with one event, by the code of a delivery, and no delivery.

use std::process::Output;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use zerodb_hooks_harness::{Answer, Database, PgVersion, Receiver, Session};

use crate::setup::{watched_table, webhook_hook};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TOKEN: &str = "t0k3n-of-the-desk";
/// What a trial must leave as it was.
const TRACES: &str = "SELECT jsonb_build_array((SELECT count(*) FROM zerodb.outbox), (SELECT count(*) FROM zerodb.deliveries),
    (SELECT count(*) FROM zerodb.attempts), (SELECT jsonb_agg(h ORDER BY h.id) FROM zerodb.zerodb_hooks AS h))";

/// A database with a watched table and a session, and the commands as the worker's role, with its secrets.
struct Desk {
    database: Database,
    session: Session,
    variables: Vec<(&'static str, String)>,
}

impl Desk {
    async fn new() -> Result<Self> {
        let database = Database::create(PgVersion::main()).await?;
        let session = database.session().await?;
        watched_table(&session).await?;
        Ok(Self {
            database,
            session,
            variables: vec![
                ("ZERODB_SECRET_WEBHOOK", SECRET.into()),
                ("ZERODB_SECRET_TOKEN", TOKEN.into()),
            ],
        })
    }

    async fn run_as(&self, url: &str, arguments: &[&str]) -> Result<Output> {
        let mut command = tokio::process::Command::from(zerodb_hooks_harness::programs::worker::command()?);
        command.args(arguments).env("DATABASE_URL", url);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Ok(command.output().await?)
    }

    async fn run(&self, arguments: &[&str]) -> Result<Output> {
        self.run_as(&self.database.worker_url(), arguments).await
    }

    /// The document that a command prints, and how it ended.
    async fn document(&self, arguments: &[&str]) -> Result<(Value, Option<i32>)> {
        let output = self.run(&[arguments, &["--json"]].concat()).await?;
        let document = serde_json::from_slice(&output.stdout).with_context(|| said(&output))?;
        Ok((document, output.status.code()))
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Fails where it is no error of one line with a hint, or does not say `word`.
fn is_told(output: &Output, code: i32, word: &str) -> Result<()> {
    let text = said(output);
    ensure!(output.status.code() == Some(code), "{text}");
    ensure!(
        text.starts_with("error: ") && text.contains(word),
        "{word}: {text}"
    );
    Ok(())
}

/// The value of a header of a request that is shown.
fn header<'a>(action: &'a Value, name: &str) -> Option<&'a str> {
    let headers = action["headers"].as_array()?;
    headers.iter().find(|header| header[0] == name)?.get(1)?.as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_the_request_without_secrets_and_sends_nothing() -> Result<()> {
    let desk = Desk::new().await?;
    let receiver = Receiver::start()?;
    let config = json!({
        "url": receiver.url("/in?token=${ZERODB_SECRET_TOKEN}"), "method": "PUT",
        "headers": {"Authorization": "Bearer ${ZERODB_SECRET_TOKEN}", "X-Plain": "plain"},
        "body_template": r#"{"size": {{ size }}, "token": "${ZERODB_SECRET_TOKEN}"}"#,
    });
    desk.session.run(&webhook_hook("web", config)).await?;
    desk.session.run("INSERT INTO doc (size) VALUES (5)").await?;
    let before = desk.session.json(TRACES).await?;
    let id = desk.session.text("SELECT id FROM zerodb.events").await?;
    let (shown, code) = desk.document(&["preview", "web", "--event", &id]).await?;
    assert_eq!(code, Some(0), "{shown}");
    let action = &shown["action"];
    assert_eq!(action["url"], receiver.url("/in?token=${ZERODB_SECRET_TOKEN}"));
    assert_eq!(
        (&action["method"], &action["body"]),
        (
            &json!("PUT"),
            &json!(r#"{"size": 5, "token": "${ZERODB_SECRET_TOKEN}"}"#)
        )
    );
    assert_eq!(
        header(action, "authorization"),
        Some("Bearer ${ZERODB_SECRET_TOKEN}")
    );
    assert_eq!(header(action, "x-plain"), Some("plain"));
    assert!(header(action, "webhook-signature").is_some_and(|signature| signature.starts_with("v1,")));
    assert_eq!(
        (&shown["event"]["id"], &shown["event"]["is"]),
        (&json!(id), &json!("past"))
    );
    // For people too, with a sample.
    let text = said(&desk.run(&["preview", "web"]).await?);
    assert!(
        text.contains("\"size\": 1,") && text.contains("nothing was sent"),
        "{text}"
    );
    assert!(!text.contains(TOKEN) && !shown.to_string().contains(TOKEN));
    assert_eq!(desk.session.json(TRACES).await?, before);
    assert_eq!(receiver.requests().len(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_sends_once_shows_the_answer_and_leaves_no_delivery() -> Result<()> {
    let desk = Desk::new().await?;
    let receiver = Receiver::start()?;
    let config = json!({"url": receiver.url("/in"), "headers": {"x-token": "${ZERODB_SECRET_TOKEN}"}});
    desk.session.run(&webhook_hook("web", config)).await?;
    let before = desk.session.json(TRACES).await?;
    let answer = |status| Answer::Full {
        status,
        header: ("x-echo", TOKEN.to_owned()),
        body: format!("you said {TOKEN}"),
    };
    receiver.then([answer(200), answer(503), answer(410), Answer::Drop]);
    let test = async |data: &str| desk.document(&["test", "web", "--event", data]).await;
    let (report, code) = test(r#"{"size": 1.50}"#).await?;
    assert_eq!((code, &report["succeeded"]), (Some(0), &json!(true)), "{report}");
    assert_eq!(report["answer"]["body"], "you said ${ZERODB_SECRET_TOKEN}");
    assert!(
        report["times"]["first_byte_ms"].is_f64() && report["times"]["connect_ms"].is_f64(),
        "{report}"
    );
    // A retry, an endpoint that is gone and one that says nothing: each fails once, and switches no hook off.
    for (error, is_tried_again) in [
        ("answered 503", true),
        ("answered 410", false),
        ("closed the connection", true),
    ] {
        let (report, code) = test("{}").await?;
        assert_eq!(
            (code, &report["is_tried_again"]),
            (Some(1), &json!(is_tried_again)),
            "{report}"
        );
        assert!(
            report["error"].as_str().is_some_and(|said| said.contains(error)),
            "{report}"
        );
        assert!(!report.to_string().contains(TOKEN), "{report}");
    }
    let requests = receiver.requests();
    assert_eq!(requests.len(), 4, "nothing is tried again");
    standardwebhooks::Webhook::new(SECRET)?.verify(&requests[0].body, &requests[0].headers)?;
    assert_eq!(requests[0].header("x-token"), Some(TOKEN));
    assert!(String::from_utf8_lossy(&requests[0].body).contains(r#""data":{"size":1.50}"#));
    let ids: std::collections::HashSet<_> = requests
        .iter()
        .filter_map(|request| request.header("webhook-id"))
        .collect();
    assert_eq!(ids.len(), 4, "no receiver takes a test for a repetition");
    assert_eq!(desk.session.json(TRACES).await?, before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_called_for_an_event_of_the_log_and_a_line_is_only_composed() -> Result<()> {
    let desk = Desk::new().await?;
    crate::setup::recording_hook(&desk.session, "record", r#"{"when": "$.size > 10"}"#).await?;
    desk.session
        .run("SELECT zerodb.create_hook('doc.created', 'line', '{\"level\": \"error\", \"message\": \"size {{ size }}\"}', hook_type => 'log')")
        .await?;
    desk.session.run("INSERT INTO doc (size) VALUES (5)").await?;
    let before = desk.session.json(TRACES).await?;
    let id = desk.session.text("SELECT id FROM zerodb.events").await?;
    is_told(&desk.run(&["test", "record"]).await?, 1, "events of the log only")?;
    let (report, code) = desk.document(&["test", "record", "--event", &id]).await?;
    assert_eq!(
        (code, &report["event"]["is"]),
        (Some(0), &json!("unwanted")),
        "{report}"
    );
    assert_eq!(desk.session.number("SELECT count(*) FROM seen").await?, 1);
    let (shown, _) = desk.document(&["preview", "line", "--event", &id]).await?;
    assert_eq!(
        shown["action"],
        json!({"kind": "line", "level": "error", "message": "size 5"})
    );
    assert_eq!(desk.session.json(TRACES).await?, before);
    Ok(())
}

/// Arguments, the exit code, and a part of what is said; BOB stands for an event of another tenant.
const MISTAKES: &[(&[&str], i32, &str)] = &[
    (&["test", "nobody"], 1, "there is no hook \"nobody\""),
    (&["preview", "twice"], 1, "give the id of one: "),
    (
        &["preview", "of-alice", "--event", "BOB"],
        1,
        "another type, user or project",
    ),
    (&["preview", "of-alice", "--event", NO_EVENT], 1, "not in the log"),
    (
        &["preview", "of-alice", "--event", "{\"size\": "],
        2,
        "cannot be read",
    ),
    (&["preview", "of-alice", "--event", "[1]"], 2, "no JSON object"),
    (
        &["preview", "of-alice", "--event", "@/nowhere.json"],
        2,
        "cannot be read",
    ),
    (
        &["preview", "of-alice", "--event-type", "doc.nothing"],
        1,
        "no event type doc.nothing",
    ),
    (
        &["preview", "of-alice", "--event-type", "on_retain"],
        1,
        "for doc.created and not for on_retain",
    ),
    (
        &[
            "preview",
            "of-alice",
            "--event",
            "BOB",
            "--event-type",
            "doc.created",
        ],
        2,
        "has its own type",
    ),
    (&["preview", "mine"], 1, "another program"),
    (
        &["preview", "of-alice", "--config", "/nowhere.yaml"],
        1,
        "there is no such file",
    ),
];
const NO_EVENT: &str = "evt_000000000000000000000000deadbeef";

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_tried_is_told_in_a_line() -> Result<()> {
    let desk = Desk::new().await?;
    let session = &desk.session;
    session
        .run(
            "SELECT zerodb.create_hook('doc.created', name, '{}', hook_type => 'log', user_id => owner::uuid)
             FROM (VALUES ('of-alice', 'aaaaaaaa-0000-4000-8000-000000000001'), ('twice', 'aaaaaaaa-0000-4000-8000-000000000001'),
                 ('twice', 'bbbbbbbb-0000-4000-8000-000000000002')) AS h (name, owner);
             SELECT zerodb.create_hook('doc.created', 'mine', '{}', hook_type => 'function');
             INSERT INTO doc (user_id) VALUES ('bbbbbbbb-0000-4000-8000-000000000002')",
        )
        .await?;
    let of_bob = session.text("SELECT id FROM zerodb.events").await?;
    for (arguments, code, word) in MISTAKES {
        let arguments: Vec<&str> = arguments
            .iter()
            .map(|argument| {
                if *argument == "BOB" {
                    of_bob.as_str()
                } else {
                    *argument
                }
            })
            .collect();
        is_told(&desk.run(&arguments).await?, *code, word)?;
    }
    // A role that manages hooks is none that works: it may not read the sealed secrets of all tenants.
    let role = desk.database.create_role("maker").await?;
    session
        .run(&format!("SELECT zerodb.grant_admin('{role}')"))
        .await?;
    let url = desk.database.cluster.url_as(&role, &desk.database.name);
    is_told(
        &desk.run_as(&url, &["preview", "of-alice"]).await?,
        1,
        "grant_worker",
    )?;
    is_told(
        &desk
            .run_as("postgres://127.0.0.1:1/x", &["test", "of-alice"])
            .await?,
        1,
        "cannot connect",
    )?;
    Ok(())
}
