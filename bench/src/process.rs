//! A worker as a process of its own: the real binary, this one as the no-op worker, or a rival's.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::processor;

/// Longer than the drain of a worker.
const STOP: Duration = Duration::from_secs(40);

pub struct Process {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
    pub started: Instant,
    started_at: SystemTime,
}

impl Process {
    /// `zerodb-hooks worker` with its defaults, but for what it says: `log` is the least level, such as `warn`.
    pub fn worker(url: &str, log: &str) -> Result<Self> {
        Self::worker_of(Command::new(binary()?).args([
            "worker",
            "--allow-private-addresses",
            "--log",
            log,
            "--database-url",
            url,
        ]))
    }

    /// The same with a file of providers and the secrets that it names.
    pub fn worker_with_file(
        url: &str,
        log: &str,
        file: &Path,
        secrets: &[(&'static str, &'static str)],
    ) -> Result<Self> {
        let mut command = Command::new(binary()?);
        command
            .args(["worker", "--log", log, "--database-url", url, "--config"])
            .arg(file)
            .env_clear()
            .envs(secrets.iter().copied());
        Self::start(&mut command)
    }

    /// The worker library with the no-op handler, which says so after `expected` deliveries.
    pub fn noop_worker(url: &str, expected: u32) -> Result<Self> {
        let expected = expected.to_string();
        let arguments = ["noop-worker", "--database-url", url, "--expect", &expected];
        Self::worker_of(Command::new(std::env::current_exe()?).args(arguments))
    }

    /// Without the caller's environment, which may hold settings of a worker.
    fn worker_of(command: &mut Command) -> Result<Self> {
        Self::start(command.env_clear())
    }

    pub fn start(command: &mut Command) -> Result<Self> {
        let (started, started_at) = (Instant::now(), SystemTime::now());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the worker did not start")?;
        let output = child.stdout.take().context("the worker has no output")?;
        Ok(Self {
            child,
            output: BufReader::new(output).lines(),
            started,
            started_at,
        })
    }

    /// Waits until it prints `expected`.
    pub async fn says(&mut self, expected: &str, deadline: Duration) -> Result<()> {
        match timeout(deadline, self.output.next_line()).await {
            Ok(line) if line.as_ref().is_ok_and(|line| line.as_deref() == Some(expected)) => Ok(()),
            Ok(other) => bail!("the worker said {other:?}, not {expected}"),
            Err(_) => bail!("the worker did not say {expected} within {deadline:?}"),
        }
    }

    /// Seconds from the start of the process to a time that the server's clock told as seconds of the Unix epoch.
    pub fn seconds_until(&self, epoch_seconds: f64) -> Result<f64> {
        Ok(epoch_seconds
            - self
                .started_at
                .duration_since(SystemTime::UNIX_EPOCH)?
                .as_secs_f64())
    }

    /// The most memory it has had resident (VmHWM), in MiB.
    pub fn peak_memory(&self) -> Result<f64> {
        let id = self.child.id().context("the worker has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .context("no VmHWM")?;
        let kilobytes: f64 = line
            .split_whitespace()
            .nth(1)
            .context("no number in VmHWM")?
            .parse()?;
        Ok(kilobytes / 1024.0)
    }

    /// Processor time that it has used so far, in seconds.
    pub fn processor_seconds(&self) -> Result<f64> {
        processor::seconds_of(self.child.id().context("the worker has ended")?)
    }

    /// SIGTERM; returns when it has drained.
    pub async fn stop(mut self) -> Result<()> {
        let id = self.child.id().context("the worker has ended")?.to_string();
        ensure!(
            Command::new("kill")
                .args(["-s", "TERM", &id])
                .status()
                .await?
                .success(),
            "kill failed"
        );
        let status = timeout(STOP, self.child.wait())
            .await
            .context("the worker did not stop")??;
        ensure!(status.success(), "the worker ended with {status}");
        Ok(())
    }
}

/// `zerodb-hooks`: ZERODB_HOOKS_BIN, or the one that was built beside this program.
fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("ZERODB_HOOKS_BIN") {
        return Ok(path.into());
    }
    let built = std::env::current_exe()?.with_file_name("zerodb-hooks");
    ensure!(
        built.exists(),
        "{} is missing: build zerodb_hooks_worker with the same profile",
        built.display()
    );
    Ok(built)
}
