//! The hooks of the worker's own file.

use std::path::Path;

use anyhow::{Context, Result};
use zerodb_hooks_harness::{Database, SOON, Worker, eventually, on_every_server};

use crate::hook_file::FILE;

async fn worker_that_makes_hooks(database: &Database, file: &Path, options: &[&str]) -> Result<Worker> {
    let session = database.session().await?;
    session.run("SELECT zerodb.grant_user('hooks_worker')").await?;
    let file = file.to_string_lossy().into_owned();
    let arguments = [&["--poll-ms", "200", "--config", file.as_str()], options].concat();
    Worker::start_with(&database.worker_url(), &arguments, &[])
}

async fn logs(worker: &Worker, text: &str) -> Result<()> {
    let logged = eventually(SOON, async || worker.stderr().contains(text).then_some(())).await;
    logged.with_context(|| format!("{text}\n{}", worker.stderr()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_applies_its_file_at_the_start_and_when_it_changes_and_keeps_the_last_good_one() -> Result<()>
{
    on_every_server(async |database| {
        let (session, folder) = (database.session().await?, tempfile::tempdir()?);
        let file = folder.path().join("worker.yaml");
        let with = |hooks: &str| format!("default_provider: local\n{hooks}");
        std::fs::write(&file, with(FILE))?;
        let worker = worker_that_makes_hooks(&database, &file, &["--prune-hooks"]).await?;
        let count = "SELECT count(*) FROM zerodb.zerodb_hooks WHERE hook_config ->> 'managed_by' = 'worker.yaml'";
        session.becomes(count, 3).await?;
        session.run("SELECT zerodb.emit('on_retain', '{\"memory_id\": \"m1\"}', bank_id => 'b7')").await?;
        logs(&worker, "b7").await?;
        // A mistake of the file, and one that only the database knows.
        std::fs::write(&file, with(&FILE.replace("message:", "mesage:")))?;
        logs(&worker, "worker.yaml:8:7: hooks.on_retain[1].mesage: unknown key in a hook of type log. Did you mean message?").await?;
        std::fs::write(&file, with(&FILE.replace("zerodb.*", "zerodb.nothing")))?;
        logs(&worker, "worker.yaml:9:3: hooks.zerodb.nothing: unknown event type").await?;
        assert_eq!(session.text(count).await?, "3");
        assert!(worker.stderr().contains("the hooks that are there stay"));
        // A good one again, with a hook less.
        std::fs::write(&file, with(&FILE.replace("  zerodb.*:\n    - type: log\n", "").replace("bank_id", "memory_id")))?;
        session.becomes(count, 2).await?;
        session.run("SELECT zerodb.emit('on_retain', '{\"memory_id\": \"m2\"}', bank_id => 'b7')").await?;
        logs(&worker, "m2").await?;
        // A file that goes away takes nothing along.
        std::fs::remove_file(&file)?;
        logs(&worker, "cannot be read, its hooks stay").await?;
        assert_eq!(session.text(count).await?, "2");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_role_may_make_no_hooks_says_so_and_runs_those_that_are_there() -> Result<()> {
    on_every_server(async |database| {
        let (session, folder) = (database.session().await?, tempfile::tempdir()?);
        let file = folder.path().join("worker.yaml");
        std::fs::write(&file, FILE)?;
        session.run("SELECT zerodb.create_hook('on_recall', 'line', '{\"message\": \"still here\"}', hook_type => 'log')").await?;
        let arguments = ["--poll-ms", "200", "--config", &file.to_string_lossy()];
        let worker = Worker::start_with(&database.worker_url(), &arguments, &[])?;
        logs(&worker, "needs zerodb.grant_user(role) beside zerodb.grant_worker(role)").await?;
        session.run("SELECT zerodb.emit('on_recall', '{}')").await?;
        logs(&worker, "still here").await?;
        // It is given the right, and needs no new start.
        session.run("SELECT zerodb.grant_user('hooks_worker')").await?;
        session.becomes("SELECT count(*) FROM zerodb.zerodb_hooks", 4).await?;
        Ok(())
    })
    .await
}

/// Both have the same file; neither makes a hook twice or ends the other's round.
#[tokio::test(flavor = "multi_thread")]
async fn workers_with_one_file_apply_it_side_by_side() -> Result<()> {
    on_every_server(async |database| {
        let (session, folder) = (database.session().await?, tempfile::tempdir()?);
        let file = folder.path().join("worker.yaml");
        let many: String = (0..100)
            .map(|n| format!("    - {{type: log, name: n{n}}}\n"))
            .collect();
        std::fs::write(&file, format!("hooks:\n  on_retain:\n{many}"))?;
        let mut workers = Vec::new();
        for _ in 0..3 {
            workers.push(worker_that_makes_hooks(&database, &file, &[]).await?);
        }
        for worker in &workers {
            logs(worker, "are applied").await?;
        }
        assert_eq!(
            session.text("SELECT count(*) FROM zerodb.zerodb_hooks").await?,
            "100"
        );
        Ok(())
    })
    .await
}
