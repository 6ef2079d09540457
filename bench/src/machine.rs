//! What the figures depend on: the machine, the server and how things were built. And what makes them worthless.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use std::collections::BTreeMap;

use crate::stage::Stage;

const SETTINGS: &str = "SELECT jsonb_object_agg(name, current_setting(name)) FROM unnest(ARRAY['server_version', 'fsync',
    'synchronous_commit', 'full_page_writes', 'wal_level', 'wal_sync_method', 'shared_buffers', 'max_wal_size', 'autovacuum']) AS name";

#[derive(Serialize)]
pub struct Machine {
    pub at: String,
    pub cores: usize,
    pub processor: String,
    pub memory_gib: f64,
    pub kernel: String,
    pub filesystem: String,
    /// Load average of the last minute before the run.
    pub load: f64,
    pub build: &'static str,
    pub server: BTreeMap<String, String>,
    pub warnings: Vec<String>,
}

impl Machine {
    pub async fn describe(stage: &Stage) -> Result<Self> {
        let mut machine = Self {
            at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            cores: std::thread::available_parallelism()?.get(),
            processor: field("/proc/cpuinfo", "model name").unwrap_or_default(),
            memory_gib: memory_gib(),
            kernel: first_word("/proc/sys/kernel/osrelease"),
            filesystem: filesystem_of("/tmp"),
            load: first_word("/proc/loadavg").parse().unwrap_or(f64::NAN),
            build: if cfg!(debug_assertions) {
                "debug"
            } else {
                "release"
            },
            server: serde_json::from_value(stage.admin.json(SETTINGS).await?)?,
            warnings: Vec::new(),
        };
        machine.warnings = machine.find_warnings(stage).await?;
        Ok(machine)
    }

    async fn find_warnings(&self, stage: &Stage) -> Result<Vec<String>> {
        let folder = stage
            .admin
            .text("SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'")
            .await?;
        let mut warnings = Vec::new();
        if self.build == "debug" {
            warnings.push("this is a debug build: the figures mean nothing".to_owned());
        }
        if !is_extension_of_this_build(Path::new(&folder)) {
            warnings.push(format!(
                "the extension in the server is not that of this {} build",
                self.build
            ));
        }
        if self.load > 0.5 {
            warnings.push(format!("the machine is not idle: its load is {}", self.load));
        }
        if self.filesystem == "tmpfs" {
            warnings.push("the server's files are in memory: fsync costs nothing".to_owned());
        }
        Ok(warnings)
    }
}

/// Whether the server's library is the one that was built beside this program.
fn is_extension_of_this_build(folder: &Path) -> bool {
    let own = std::env::current_exe()
        .map(|program| program.with_file_name("libzerodb_hooks.so"))
        .and_then(fs::read);
    let installed = fs::read(folder.join("zerodb_hooks.so"));
    matches!((own, installed), (Ok(own), Ok(installed)) if own == installed)
}

fn memory_gib() -> f64 {
    let kilobytes = field("/proc/meminfo", "MemTotal").and_then(|value| {
        value
            .split_whitespace()
            .next()
            .and_then(|number| number.parse::<f64>().ok())
    });
    kilobytes.unwrap_or(f64::NAN) / 1024.0 / 1024.0
}

/// The value of the first `name: value` line of a file.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

fn first_word(path: &str) -> String {
    fs::read_to_string(path)
        .ok()
        .and_then(|text| text.split_whitespace().next().map(str::to_owned))
        .unwrap_or_default()
}

/// The type of the file system with the longest mount point above `path`.
fn filesystem_of(path: &str) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(point, _)| Path::new(path).starts_with(point))
        .max_by_key(|(point, _)| point.len())
        .map(|(_, kind)| kind.to_owned())
        .unwrap_or_default()
}
