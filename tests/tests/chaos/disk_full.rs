//! The disk of the event log is full: a small file system of its own, mounted in a namespace that only the server is
//! in, so that no rights are needed and nobody else sees it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use zerodb_hooks_harness::{Cluster, Launch, PgVersion, Receiver, Session, Worker, eventually};

use crate::factor;
use crate::setup::{
    LONG, all_arrive, assert_delivery_ids_are_stable, each_is_completed_once, insert, watched_table, webhook,
};

/// Mounts 32 MiB at `$1` and goes on as the rest. The capabilities are those of a user namespace.
const BEHIND: [&str; 8] = [
    "unshare",
    "--user",
    "--map-current-user",
    "--keep-caps",
    "--mount",
    "sh",
    "-c",
    r#"mount -t tmpfs -o size=32m,mode=755 space "$1" && mkdir "$1/log" && shift && exec "$@""#,
];

/// Whether mounting in a namespace is permitted here; else the reason on stderr.
fn can_mount() -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let tried = Command::new(BEHIND[0])
        .args(&BEHIND[1..])
        .arg("sh")
        .arg(folder.path())
        .arg("true")
        .output();
    match tried {
        Ok(output) if output.status.success() => Ok(true),
        Ok(output) => {
            let reason = String::from_utf8_lossy(&output.stderr);
            eprintln!("SKIPPED: a disk cannot be made: {}", reason.trim());
            Ok(false)
        }
        Err(error) => {
            eprintln!("SKIPPED: a disk cannot be made: unshare: {error}");
            Ok(false)
        }
    }
}

fn launch(folder: &Path) -> Launch {
    let space = folder.join("space").display().to_string();
    let made = fs::create_dir(&space);
    assert!(made.is_ok(), "{space}: {made:?}");
    let behind = BEHIND.map(str::to_owned).into_iter();
    Launch {
        behind: behind.chain(["sh".into(), space]).collect(),
        variables: Vec::new(),
    }
}

/// A program that runs where the server does, which alone sees the disk.
async fn run_on_the_disk(session: &Session, cluster: &Cluster, program: &str) -> Result<()> {
    let space = cluster.folder().join("space").display().to_string();
    session
        .run(&format!("COPY (SELECT) TO PROGRAM 'cd {space} && {program}'"))
        .await
}

/// Writes until `goes_on` says no; returns how many transactions were acknowledged, and the errors.
async fn write(
    session: &Session,
    mut goes_on: impl FnMut(usize, &BTreeMap<String, usize>) -> bool,
) -> (usize, BTreeMap<String, usize>) {
    let (mut acknowledged, mut errors) = (0, BTreeMap::new());
    while goes_on(acknowledged, &errors) {
        match insert(session).await {
            Ok(_) => acknowledged += 1,
            Err(state) => *errors.entry(state).or_default() += 1,
        }
    }
    (acknowledged, errors)
}

async fn the_disk_fills_and_is_cleared(version: &PgVersion) -> Result<()> {
    let cluster = Cluster::start_as(version, &[], launch)?;
    let session = cluster.session("postgres").await?;
    let log = cluster.folder().join("space/log").display().to_string();
    session
        .run(&format!("CREATE TABLESPACE log LOCATION '{log}'"))
        .await?;
    // Everything that the extension writes lies there, and the user's table elsewhere.
    session
        .run("SET default_tablespace = log; CREATE EXTENSION zerodb_hooks; RESET default_tablespace")
        .await?;
    let receiver = Receiver::start()?;
    watched_table(&session).await?;
    webhook(&session, "web", &receiver, "").await?;
    let mut worker = Worker::start_with(&cluster.url("postgres"), &["--poll-ms", "200"], &[])?;
    let each = 50 * factor();
    let (before, errors) = write(&session, |written, _| written < each).await;
    ensure!(errors.is_empty(), "while there was space: {errors:?}");
    run_on_the_disk(
        &session,
        &cluster,
        "dd if=/dev/zero of=ballast bs=4k 2>&- || true",
    )
    .await?;
    // The pages that are there are written full first.
    let (until_full, errors) = write(&session, |written, errors| {
        written < 50_000 && errors.values().sum::<usize>() < 20 * factor()
    })
    .await;
    ensure!(
        errors.keys().eq(["53100"]),
        "writers see the server's own error, not {errors:?}"
    );
    let nothing_more = "SELECT count(*) FROM doc";
    let stored = usize::try_from(session.number(nothing_more).await?)?;
    assert_eq!(
        stored,
        (before + until_full) * 5,
        "what failed is not there, nor half of it"
    );
    // The worker cannot write down what it does either; it says so and waits.
    eventually(LONG, async || {
        worker.stderr().contains("cannot work").then_some(())
    })
    .await?;
    ensure!(worker.is_running(), "it waits for the database");

    run_on_the_disk(&session, &cluster, "rm ballast").await?;
    let (after, errors) = write(&session, |written, _| written < each).await;
    ensure!(errors.is_empty(), "with space again: {errors:?}");
    all_arrive(&session, &receiver).await?;
    let documents = i64::try_from((before + until_full + after) * 5)?;
    assert_eq!(session.number("SELECT count(*) FROM doc").await?, documents);
    assert_eq!(session.event_count().await?, documents, "each has its event");
    each_is_completed_once(&session, documents).await?;
    assert_delivery_ids_are_stable(&receiver);
    ensure!(worker.is_running(), "it is the same process as before");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_writes_as_a_whole_and_loses_nothing_that_was_committed() -> Result<()> {
    if !can_mount()? {
        return Ok(());
    }
    for version in PgVersion::present() {
        the_disk_fills_and_is_cleared(version).await?;
    }
    Ok(())
}
