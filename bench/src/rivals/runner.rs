//! A rival's runner: how it is installed, and how it is started. What it says is read by the cases.

use std::cell::OnceCell;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tokio::process::Command;

use crate::cases::idle;
use crate::figures::Reading;
use crate::process::Process;
use crate::stage::Database;

pub struct Runner {
    /// The folder below `bench/rivals/`.
    recipe: &'static str,
    /// Program and first arguments, once it is installed.
    words: OnceCell<Vec<String>>,
}

/// What every runner prints after `idle`.
#[derive(Deserialize)]
struct Samples {
    from_commit_ms: Vec<f64>,
    from_call_ms: Vec<f64>,
}

impl Runner {
    pub fn new(recipe: &'static str) -> Self {
        Self {
            recipe,
            words: OnceCell::new(),
        }
    }

    /// Builds it or fetches it, where that has not been done.
    pub async fn install(&self) -> Result<()> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dev/rivals.sh");
        let words = said_by(Command::new(script).arg(self.recipe)).await?;
        let words: Vec<_> = words.lines().map(str::to_owned).collect();
        ensure!(!words.is_empty(), "dev/rivals.sh names no program");
        self.words.get_or_init(|| words);
        Ok(())
    }

    /// As a process that goes on.
    pub fn start(&self, database: &Database<'_>, arguments: &[&str]) -> Result<Process> {
        Process::start(&mut self.command(database, arguments)?)
    }

    /// To its end; returns what it printed.
    pub async fn run(&self, database: &Database<'_>, arguments: &[&str]) -> Result<String> {
        said_by(&mut self.command(database, arguments)?).await
    }

    /// The latencies of one job after another.
    pub async fn idle(&self, database: &Database<'_>, samples: u32) -> Result<Vec<Reading>> {
        let said = self.run(database, &["idle", &samples.to_string()]).await?;
        let times: Samples = serde_json::from_str(&said).with_context(|| format!("it said {said}"))?;
        for times in [&times.from_commit_ms, &times.from_call_ms] {
            ensure!(
                times.len() == samples as usize,
                "{} samples, not {samples}",
                times.len()
            );
        }
        Ok(idle::readings(&times.from_commit_ms, &times.from_call_ms))
    }

    /// Without the caller's environment, as a worker of ours is started.
    fn command(&self, database: &Database<'_>, arguments: &[&str]) -> Result<Command> {
        let words = self.words.get().context("the runner is not installed")?;
        let (program, first) = words.split_first().context("no program")?;
        let mut command = Command::new(program);
        command
            .args(first)
            .args(arguments)
            .env_clear()
            .envs(database.variables());
        Ok(command)
    }
}

/// What a command printed. Fails with what it said of its failure.
async fn said_by(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("{command:?} does not run"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(3)..].join(" | ");
        bail!("{} with {}: {last}", output.status, command_name(command));
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn command_name(command: &Command) -> String {
    let program = Path::new(command.as_std().get_program());
    let arguments = command.as_std().get_args().map(|word| word.to_string_lossy());
    let name = program
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    [name.unwrap_or_default()]
        .into_iter()
        .chain(arguments.map(std::borrow::Cow::into_owned))
        .collect::<Vec<_>>()
        .join(" ")
}
