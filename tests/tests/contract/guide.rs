//! The SQL of the README and of the guide runs as a reader runs it, and prints what the page says it prints: each
//! page from top to bottom in psql, in a database of its own, beside a worker. Every page goes on from the README's
//! first block.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use zerodb_hooks_harness::{Database, PgVersion, Worker};

use crate::markdown::{Example, examples};

/// What psql prints between the results of two blocks.
const MARK: &str = "--- end of block";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The pages of the guide, by their paths below the root.
fn guide() -> Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(root().join("docs/guide"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path.strip_prefix(root())?.to_owned());
        }
    }
    pages.sort();
    Ok(pages)
}

/// Roles belong to the server, where another page may have made them: makes each one unless it is there.
fn with_roles_once(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    for line in sql.lines() {
        match line.split_once(';') {
            Some((statement, rest)) if statement.starts_with("CREATE ROLE ") => {
                let caught = "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL";
                text.push_str(&format!("DO $do$ BEGIN {statement}; {caught}; END $do$;{rest}"));
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

/// What psql prints for each of some blocks, which it runs in one session.
///
/// # Errors
/// With the line of the block that failed, and what psql said.
fn psql(database: &Database, first: &str, blocks: &[Example]) -> Result<Vec<String>> {
    let mut psql = database
        .cluster
        .client_program("psql")
        .args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-P",
            "linestyle=unicode",
            "-P",
            "footer=off",
        ])
        .args(["-d", &database.name])
        .env("PGCLIENTENCODING", "UTF8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut script = format!("{first}\n\\echo {MARK}\n");
    for block in blocks {
        script.push_str(&format!("{}\n\\echo {MARK}\n", with_roles_once(&block.sql)));
    }
    let mut stdin = psql.stdin.take().context("psql has a stdin")?;
    // Where psql ends at an error, nobody reads the rest.
    let writing = std::thread::spawn(move || drop(stdin.write_all(script.as_bytes())));
    let said = psql.wait_with_output()?;
    drop(writing.join());
    let printed = String::from_utf8(said.stdout)?;
    let mut outputs: Vec<String> = printed.split(MARK).map(str::to_owned).collect();
    if !said.status.success() {
        let error = String::from_utf8_lossy(&said.stderr);
        match outputs.len().checked_sub(2).and_then(|at| blocks.get(at)) {
            Some(block) => bail!("line {}: {error}\n{}", block.line, block.sql),
            None => bail!("{error}"),
        }
    }
    outputs.remove(0);
    outputs.truncate(blocks.len());
    ensure!(outputs.len() == blocks.len(), "psql ran all blocks");
    Ok(outputs)
}

/// The lines without the spaces behind them and the empty ones around them.
fn lines(text: &str) -> Vec<&str> {
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    let first = lines
        .iter()
        .position(|line| !line.is_empty())
        .unwrap_or(lines.len());
    let end = lines
        .iter()
        .rposition(|line| !line.is_empty())
        .map_or(first, |last| last + 1);
    lines[first..end].to_vec()
}

/// Runs blocks as a page shows them, after the setup, and compares what they print last.
fn run_page(database: &Database, setup: &str, blocks: &[Example]) -> Result<()> {
    let role = setup.lines().last().context("the setup is not empty")?;
    ensure!(role.starts_with("SET ROLE "), "the setup ends with SET ROLE");
    for (block, printed) in blocks.iter().zip(psql(database, role, blocks)?) {
        let Some(output) = &block.output else { continue };
        let (printed, shown) = (lines(&printed), lines(output));
        ensure!(
            printed.ends_with(&shown),
            "line {}: the page shows\n{}\n\nand psql prints\n{}\n",
            block.line,
            shown.join("\n"),
            printed.join("\n")
        );
    }
    Ok(())
}

/// A new database in the state in which every page begins, and its worker.
async fn begin(version: &PgVersion, setup: &Example) -> Result<(Database, Worker)> {
    // The first of these makes the worker's role, which is of the whole server.
    drop(Database::create(version).await?);
    let database = Database::create_bare(version).await?;
    let session = database.session().await?;
    psql(&database, "", std::slice::from_ref(setup))?;
    session.run("SELECT zerodb.grant_worker('hooks_worker')").await?;
    let worker = Worker::start(&database.worker_url())?;
    Ok((database, worker))
}

/// Runs the blocks of a page on each server that is set up.
async fn run_everywhere(setup: &Example, blocks: &[Example]) -> Result<()> {
    for version in PgVersion::present() {
        let (database, _worker) = begin(version, setup).await?;
        run_page(&database, &setup.sql, blocks)
            .with_context(|| format!("on PostgreSQL {}", version.major))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_runs_and_prints_what_it_shows() -> Result<()> {
    let blocks = examples(&std::fs::read_to_string(root().join("README.md"))?)?;
    let (setup, rest) = blocks.split_first().context("the README has SQL to show")?;
    assert!(
        rest.iter().any(|block| block.output.is_some()),
        "and what it prints"
    );
    run_everywhere(setup, rest).await
}

/// A reader types all of it in one session, of a server with the settings that every server has.
#[tokio::test(flavor = "multi_thread")]
async fn the_readme_runs_from_top_to_bottom_in_one_session() -> Result<()> {
    let blocks = examples(&std::fs::read_to_string(root().join("README.md"))?)?;
    for version in PgVersion::present() {
        let database = Database::create_bare(version).await?;
        psql(&database, "SET zerodb.allow_private_addresses = off;", &blocks)
            .with_context(|| format!("on PostgreSQL {}", version.major))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_guide_runs_and_prints_what_it_shows() -> Result<()> {
    let readme = examples(&std::fs::read_to_string(root().join("README.md"))?)?;
    let setup = readme.first().context("the README has SQL to show")?;
    let mut wrong = Vec::new();
    for page in guide()? {
        let blocks = examples(&std::fs::read_to_string(root().join(&page))?)
            .with_context(|| page.display().to_string())?;
        if blocks.is_empty() {
            continue;
        }
        let ran = run_everywhere(setup, &blocks).await;
        wrong.extend(ran.err().map(|error| format!("{}: {error:#}", page.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
