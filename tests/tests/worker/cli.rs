//! The operator's commands, as programs see them.

use std::process::Output;

use anyhow::{Context, Result};
use serde_json::Value;
use zerodb_hooks_harness::{Database, PgVersion, on_every_server};

use crate::setup::{recording_hook, watched_table, worker};

async fn run(url: &str, arguments: &[&str]) -> Result<Output> {
    let mut command = tokio::process::Command::from(zerodb_hooks_harness::programs::worker::command()?);
    Ok(command.args(arguments).env("DATABASE_URL", url).output().await?)
}

fn json(output: &Output) -> Result<Value> {
    serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn status_hooks_and_tail_tell_programs_what_happened() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let hook = recording_hook(&session, "record", "{}").await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (body) VALUES ('a'), ('b')").await?;
        session.idle().await?;
        session.becomes("SELECT count(*) FROM zerodb.attempts", 2).await?;
        let status = json(&run(&database.url(), &["status", "--json"]).await?)?;
        assert_eq!(status["undispatched_events"], 0);
        assert_eq!(status["hooks"][0]["completed_5m"], 2);
        let hooks = run(&database.url(), &["hooks", "--json"]).await?;
        assert!(String::from_utf8_lossy(&hooks.stdout).contains(&hook));
        let tail = run(
            &database.url(),
            &["tail", "--json", "--since", "1h", "--limit", "2"],
        )
        .await?;
        let lines = String::from_utf8(tail.stdout)?;
        assert_eq!(lines.lines().count(), 2);
        assert!(
            lines
                .lines()
                .all(|line| line.contains("doc.created") && line.contains("completed")),
            "{lines}"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_passes_what_is_well_and_says_how_to_mend_what_is_not() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let role = database.create_role("worker").await?;
        let url = database.cluster.url_as(&role, &database.name);
        let refused = run(&url, &["doctor"]).await?;
        assert_eq!(refused.status.code(), Some(1));
        let said = String::from_utf8_lossy(&refused.stdout).into_owned();
        assert!(said.contains("zerodb.grant_worker"), "{said}");
        session
            .run(&format!("SELECT zerodb.grant_worker('{role}')"))
            .await?;
        let well = run(&url, &["doctor"]).await?;
        let said = String::from_utf8_lossy(&well.stdout).into_owned();
        assert_eq!(well.status.code(), Some(0), "{said}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_one_line_and_a_hint() -> Result<()> {
    for version in PgVersion::present() {
        let bare = Database::create_bare(version).await?;
        let doctor = run(&bare.url(), &["doctor"]).await?;
        assert_eq!(doctor.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&doctor.stdout).contains("CREATE EXTENSION zerodb_hooks"));
        let nowhere = run("postgres://u:s3cret@127.0.0.1:1/x", &["status"]).await?;
        let said = String::from_utf8_lossy(&nowhere.stderr).into_owned();
        assert_eq!(nowhere.status.code(), Some(1), "{said}");
        assert!(
            said.starts_with("error: ") && said.contains("\nhint: ") && !said.contains("s3cret"),
            "{said}"
        );
        let unnamed = run("", &["worker"]).await?;
        assert_eq!(unnamed.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&unnamed.stderr).contains("--database-url"));
    }
    Ok(())
}
