//! The worker and the receiver: the real binary, as processes that are killed when they are dropped and when this
//! process ends, however it ends.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

/// The lines that a program printed, each a JSON object.
#[derive(Clone, Default)]
pub struct Said(Arc<Mutex<Vec<Value>>>);

impl Said {
    pub fn lines(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many lines are of a kind.
    pub fn count(&self, kind: &str) -> usize {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .filter(|line| line["kind"] == kind)
            .count()
    }

    fn add(&self, line: String) {
        let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// Reads to the end of the pipe.
    fn listen_to(&self, pipe: impl AsyncRead + Unpin + 'static + Send) {
        let said = self.clone();
        #[expect(
            clippy::disallowed_methods,
            reason = "the reader of a pipe ends with the program that writes it"
        )]
        tokio::spawn(async move {
            let mut lines = BufReader::new(pipe).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                said.add(line);
            }
        });
    }
}

pub struct Program {
    child: Child,
}

impl Program {
    /// `zerodb-hooks listen`, which speaks on stdout.
    pub fn listen(port: u16, delay: Duration, secret: &str, said: &Said) -> Result<Self> {
        let (port, delay) = (port.to_string(), format!("{}ms", delay.as_millis()));
        let arguments = [
            "listen",
            "--port",
            &port,
            "--delay",
            &delay,
            "--json",
            "--show-body",
        ];
        let mut child = command(&arguments, secret)?.stdout(Stdio::piped()).spawn()?;
        said.listen_to(child.stdout.take().context("a pipe")?);
        Ok(Self { child })
    }

    /// `zerodb-hooks worker`, which logs to stderr.
    pub fn worker(name: &str, database_url: &str, secret: &str, said: &Said) -> Result<Self> {
        let arguments = [
            "worker",
            "--database-url",
            database_url,
            "--name",
            name,
            "--lease-s",
            "2",
            "--log-format",
            "json",
            "--allow-private-addresses",
        ];
        let mut child = command(&arguments, secret)?
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        said.listen_to(child.stderr.take().context("a pipe")?);
        Ok(Self { child })
    }

    pub fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// SIGKILL; returns when it has gone.
    pub async fn kill9(mut self) -> Result<()> {
        self.child.start_kill()?;
        self.child.wait().await?;
        Ok(())
    }

    /// SIGTERM, and how it ended.
    pub async fn terminate(mut self) -> Result<ExitStatus> {
        let id = self.child.id().context("it has ended already")?;
        let sent = std::process::Command::new("kill")
            .args(["-s", "TERM", &id.to_string()])
            .status()?;
        ensure!(sent.success(), "kill -s TERM {id} failed");
        match tokio::time::timeout(Duration::from_secs(15), self.child.wait()).await {
            Ok(ended) => Ok(ended?),
            Err(_) => bail!("process {id} did not end within 15 s of SIGTERM"),
        }
    }
}

/// `zerodb-hooks`: ZERODB_HOOKS_BIN, or the one that was built beside this program.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("ZERODB_HOOKS_BIN") {
        return Ok(path.into());
    }
    let built = std::env::current_exe()?.with_file_name("zerodb-hooks");
    ensure!(
        built.exists(),
        "{} is missing: cargo build -p zerodb_hooks_worker",
        built.display()
    );
    Ok(built)
}

/// Without the caller's settings, and in a group of its own, so that Ctrl-C reaches this program alone. `setpriv` asks
/// the kernel for the SIGKILL at our end and then becomes the program: its process id is the program's.
fn command(arguments: &[&str], secret: &str) -> Result<Command> {
    let mut command = std::process::Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(binary()?)
        .args(arguments);
    command
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "LD_LIBRARY_PATH"));
    command
        .env("ZERODB_SECRET_WEBHOOK", secret)
        .stdin(Stdio::null())
        .process_group(0);
    let mut command = Command::from(command);
    command.kill_on_drop(true);
    Ok(command)
}
