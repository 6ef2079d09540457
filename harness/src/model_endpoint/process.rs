//! The endpoint as a process of its own, so that a benchmark's worker does not share its processor time unseen.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// Ends with this value.
pub struct ModelProcess {
    /// The base URL, as a client's configuration has it.
    pub url: String,
    child: Child,
}

impl ModelProcess {
    /// With the flags of `src/bin/model_endpoint.rs`; without `--port`, on a free one.
    pub fn start(flags: &[&str]) -> Result<Self> {
        let mut child = Command::new(binary()?)
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("no stdout")?;
        let mut url = String::new();
        BufReader::new(stdout).read_line(&mut url)?;
        let url = url.trim().to_owned();
        Ok(Self { url, child })
    }

    /// Processor time that it has used so far, in seconds.
    pub fn processor_seconds(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = stat.rsplit_once(')').context("/proc has no stat")?;
        let ticks: Vec<u64> = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .flat_map(str::parse)
            .collect();
        // The kernel's unit for user space is a hundredth of a second on every Linux that we build for.
        Ok(ticks.iter().sum::<u64>() as f64 / 100.0)
    }
}

impl Drop for ModelProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Beside the running program, or, for a test, beside its folder.
fn binary() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folders = program.ancestors().skip(1).take(2);
    let mut found = folders.map(|folder| folder.join("model_endpoint"));
    found
        .find(|path| path.exists())
        .context("model_endpoint is missing: run `cargo build -p zerodb_hooks_harness --bin model_endpoint`")
}
