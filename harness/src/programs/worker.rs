//! The real worker, as a process of its own, so that a test can kill it.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::wait::eventually;

/// `zerodb-hooks`: ZERODB_HOOKS_BIN, or the one that was built beside this test.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("ZERODB_HOOKS_BIN") {
        return Ok(path.into());
    }
    let test = std::env::current_exe()?;
    let built = test
        .ancestors()
        .nth(2)
        .context("the test lies in target/debug/deps")?
        .join("zerodb-hooks");
    ensure!(
        built.exists(),
        "{} is missing: run `cargo build` first",
        built.display()
    );
    Ok(built)
}

/// The command line without a terminal's and without the caller's settings.
pub fn command() -> Result<Command> {
    let mut command = Command::new(binary()?);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ZERODB_") || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    // The receivers of tests are on this machine.
    command.env("ZERODB_HOOKS_ALLOW_PRIVATE_ADDRESSES", "true");
    command.stdin(Stdio::null());
    Ok(command)
}

pub struct Worker {
    child: Child,
    output: TempDir,
}

impl Worker {
    pub fn start(database_url: &str) -> Result<Self> {
        Self::start_with(database_url, &[], &[])
    }

    /// With more arguments and variables, such as secrets.
    pub fn start_with(database_url: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Self> {
        let mut command = command()?;
        command
            .args(["worker", "--database-url", database_url])
            .args(arguments)
            .envs(variables.iter().copied());
        Self::spawn(command)
    }

    /// Another program that runs a worker.
    pub fn spawn(mut command: Command) -> Result<Self> {
        let output = tempfile::tempdir()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(output.path().join("stdout"))?)
            .stderr(File::create(output.path().join("stderr"))?)
            .spawn()?;
        Ok(Self { child, output })
    }

    pub fn stdout(&self) -> String {
        std::fs::read_to_string(self.output.path().join("stdout")).unwrap_or_default()
    }

    pub fn stderr(&self) -> String {
        std::fs::read_to_string(self.output.path().join("stderr")).unwrap_or_default()
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The most memory that the process has had so far, in KiB.
    pub fn peak_memory_kib(&self) -> Result<u64> {
        self.process_status("VmHWM")
    }

    /// Whether the kernel may give the process huge pages.
    pub fn may_have_huge_pages(&self) -> Result<bool> {
        Ok(self.process_status("THP_enabled")? != 0)
    }

    /// A number that /proc says of the process.
    fn process_status(&self, field: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let number = line.and_then(|line| line.split_whitespace().next());
        number
            .with_context(|| format!("/proc has no {field}"))?
            .parse()
            .with_context(|| format!("{field} is no number"))
    }

    /// SIGKILL; returns when it has gone.
    pub fn kill9(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM; returns how it ended.
    pub async fn terminate(&mut self, deadline: Duration) -> Result<ExitStatus> {
        self.signal("TERM")?;
        self.ended(deadline).await
    }

    /// How it ended by itself.
    pub async fn ended(&mut self, deadline: Duration) -> Result<ExitStatus> {
        let ended = eventually(deadline, async || self.child.try_wait().ok().flatten()).await;
        ended.with_context(|| format!("the worker runs on; it says:\n{}", self.stderr()))
    }

    /// SIGSTOP: the process hangs, and its leases run out.
    pub fn freeze(&self) -> Result<()> {
        self.signal("STOP")
    }

    /// SIGCONT: the process goes on and knows nothing.
    pub fn thaw(&self) -> Result<()> {
        self.signal("CONT")
    }

    fn signal(&self, name: &str) -> Result<()> {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()?;
        ensure!(status.success(), "kill -s {name} failed");
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let ended = self.child.wait();
        // The output of a test is shown when it fails.
        if std::thread::panicking() || ended.is_ok_and(|status| status.core_dumped()) {
            eprintln!("--- the worker said:\n{}{}", self.stdout(), self.stderr());
        }
    }
}
