//! `zerodb-hooks replay`: counts first, and delivers no more than it was told to.

use std::process::Output;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use zerodb_hooks_harness::{Database, PgVersion, Session};

use crate::setup::{watched_table, worker};

async fn run(url: &str, arguments: &[&str]) -> Result<Output> {
    let mut command = tokio::process::Command::from(zerodb_hooks_harness::programs::worker::command()?);
    command.arg("replay").args(arguments).env("DATABASE_URL", url);
    Ok(command.output().await?)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

async fn document(url: &str, arguments: &[&str]) -> Result<Value> {
    let output = run(url, &[&["line", "--json"], arguments].concat()).await?;
    serde_json::from_slice(&output.stdout).with_context(|| said(&output))
}

/// Fails where it does not end with this code and say `word`.
fn ended(output: &Output, code: i32, word: &str) -> Result<()> {
    ensure!(output.status.code() == Some(code), "{}", said(output));
    ensure!(said(output).contains(word), "{word}: {}", said(output));
    Ok(())
}

/// The URL of a role that has a grant.
async fn url_of(database: &Database, session: &Session, grant: &str) -> Result<String> {
    let role = database.create_role(grant).await?;
    session
        .run(&format!("SELECT zerodb.grant_{grant}('{role}')"))
        .await?;
    Ok(database.cluster.url_as(&role, &database.name))
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_counted_and_delivered_again_within_the_bound() -> Result<()> {
    let database = Database::create(PgVersion::main()).await?;
    let session = database.session().await?;
    watched_table(&session).await?;
    let hook = session
        .text("SELECT id FROM zerodb.create_hook('doc.created', 'line', '{}', hook_type => 'log')")
        .await?;
    let url = url_of(&database, &session, "admin").await?;
    session
        .run("INSERT INTO doc (size) SELECT generate_series(1, 5)")
        .await?;
    let _worker = worker(&database)?;
    session.completed(5).await?;
    let counted = document(&url, &["--since", "1h"]).await?;
    assert_eq!(
        (&counted["events"], &counted["replayed"]),
        (&5.into(), &false.into())
    );
    let refused = run(&url, &["line", "--since", "1h", "--yes", "--most", "4"]).await?;
    ended(&refused, 1, "5 events match, and at most 4")?;
    assert_eq!(session.number("SELECT count(*) FROM zerodb.deliveries").await?, 5);
    let replayed = document(&url, &["--since", "1h", "--yes"]).await?;
    assert_eq!(
        (&replayed["events"], &replayed["hook_id"]),
        (&5.into(), &hook.into())
    );
    session.completed(10).await?;
    let nothing = document(&url, &["--since", "1h", "--until", "30m", "--yes"]).await?;
    assert_eq!(
        (&nothing["events"], &nothing["replayed"]),
        (&0.into(), &false.into())
    );
    Ok(())
}

const ALICE: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const BOB: &str = "bbbbbbbb-0000-4000-8000-000000000002";
/// Arguments, the exit code, and a part of what is said.
const MISTAKES: &[(&[&str], i32, &str)] = &[
    (&["line", "--since", "1h"], 1, "there is no hook \"line\""),
    (
        &["line", "--since", "1h", "--user", BOB],
        1,
        "there is no hook \"line\"",
    ),
    (
        &["line", "--since", "1h", "--until", "2h", "--user", ALICE],
        2,
        "ends before it begins",
    ),
    (&["line", "--since", "yesterday"], 2, "10m, 2h or 1d"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_range_a_stranger_and_the_workers_role_are_told() -> Result<()> {
    let database = Database::create(PgVersion::main()).await?;
    let session = database.session().await?;
    watched_table(&session).await?;
    session
        .run(&format!(
            "SELECT zerodb.create_hook('doc.created', 'line', '{{}}', hook_type => 'log', user_id => '{ALICE}');
             INSERT INTO doc (user_id) VALUES ('{ALICE}'), ('{BOB}')"
        ))
        .await?;
    let url = url_of(&database, &session, "user").await?;
    for (arguments, code, word) in MISTAKES {
        ended(&run(&url, arguments).await?, *code, word)?;
    }
    ended(
        &run(&database.worker_url(), &["line", "--since", "1h"]).await?,
        1,
        "replay",
    )?;
    let own = run(&url, &["line", "--since", "1h", "--user", ALICE]).await?;
    ended(&own, 0, "1 event from ")
}
