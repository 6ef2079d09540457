//! Runs pgbench, the server's own load generator, and reads what it reports.

use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::host::Times;
use crate::stage::Database;

/// What to run: one prepared statement, each time as a transaction of its own.
pub struct Load<'a> {
    /// May begin with lines of pgbench's own commands.
    pub statement: &'a str,
    pub clients: u32,
    pub length: Length,
    /// Transactions a second of all clients together; as many as go where there is none.
    pub rate: Option<u32>,
}

pub enum Length {
    Seconds(u32),
    /// Of each client.
    Transactions(u32),
}

pub struct Run {
    pub per_second: f64,
    pub transactions: i64,
    /// Processor time of the whole machine for each of them, in microseconds.
    pub processor_us: f64,
}

pub async fn run(database: &Database<'_>, load: &Load<'_>) -> Result<Run> {
    let mut script = tempfile::NamedTempFile::new()?;
    writeln!(script, "{};", load.statement.trim())?;
    let before = Times::now()?;
    let output = Command::from(database.client_program("pgbench"))
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
        .arg(format!("--client={}", load.clients))
        .arg(match load.length {
            Length::Seconds(seconds) => format!("--time={seconds}"),
            Length::Transactions(number) => format!("--transactions={number}"),
        })
        .args(load.rate.map(|rate| format!("--rate={rate}")))
        .arg("--file")
        .arg(script.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("pgbench does not run: it belongs into the server's folder of programs")?;
    let used = Times::now()?.since(before).used;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "pgbench failed: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    read(&text, used)
}

fn read(text: &str, used: f64) -> Result<Run> {
    let number = |start: &str| -> Result<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(start));
        let word = line.and_then(|line| line.split([' ', '/']).find(|word| !word.is_empty()));
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
        processor_us: used * 1e6 / transactions,
    })
}
