//! Runs pgbench, the server's own load generator, and reads what it reports.

use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::args::Options;
use crate::stage::Database;

pub struct Run {
    pub per_second: f64,
    pub transactions: i64,
}

/// Runs `statement` as a prepared statement and a transaction of its own, on every client, for the time that was asked.
pub async fn run(database: &Database<'_>, statement: &str, options: &Options) -> Result<Run> {
    let mut script = tempfile::NamedTempFile::new()?;
    writeln!(script, "{};", statement.trim())?;
    let output = Command::from(database.client_program("pgbench"))
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
        .arg(format!("--client={}", options.clients))
        .arg(format!("--time={}", options.seconds))
        .arg("--file")
        .arg(script.path())
        .stdin(Stdio::null())
        .output()
        .await
        .context("pgbench does not run: it belongs into the server's folder of programs")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "pgbench failed: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let number = |start: &str| -> Result<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(start));
        let word = line.and_then(|line| line.split_whitespace().next());
        word.with_context(|| format!("pgbench says no `{start}`: {text}"))?
            .parse()
            .map_err(anyhow::Error::from)
    };
    ensure!(
        number("number of failed transactions:")? == 0.0,
        "transactions failed: {text}"
    );
    let transactions = number("number of transactions actually processed:")?;
    Ok(Run {
        per_second: number("tps =")?,
        transactions: transactions as i64,
    })
}
