//! Prometheus and Alertmanager as processes of their own, with short intervals, on free ports of the loopback. They are
//! those that dev/monitoring.sh has unpacked, else those of the system.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::asking::{encoded, get};
use crate::wait::{SOON, eventually};

/// Tries, where another program takes the free port first.
const TRIES: usize = 5;

/// The programs, or `None` and the reason on stderr.
pub struct Monitoring {
    folder: PathBuf,
}

impl Monitoring {
    pub fn found() -> Option<Self> {
        let unpacked = std::env::var_os("DEV_HOME").map(|home| PathBuf::from(home).join("monitoring"));
        let folder = unpacked.into_iter().chain([PathBuf::from("/usr/bin")]);
        let found = folder.map(|folder| Self { folder }).find(|one| {
            let needed = ["prometheus", "prometheus-alertmanager", "promtool"];
            needed.iter().all(|name| one.program(name).exists())
        });
        if found.is_none() {
            eprintln!("SKIPPED: Prometheus is missing; dev/monitoring.sh fetches it");
        }
        found
    }

    fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What promtool says, with this on its stdin.
    ///
    /// # Errors
    /// With what it says, where it finds a fault.
    pub fn promtool(&self, folder: &Path, arguments: &[&str], stdin: &str) -> Result<String> {
        let input = tempfile::NamedTempFile::new()?;
        fs::write(input.path(), stdin)?;
        let said = Command::new(self.program("promtool"))
            .args(arguments)
            .current_dir(folder)
            .stdin(File::open(input.path())?)
            .output()?;
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&said.stdout),
            String::from_utf8_lossy(&said.stderr)
        );
        ensure!(said.status.success(), "promtool {arguments:?}: {text}");
        Ok(text)
    }

    /// Prometheus that scrapes these workers every second and evaluates these rules.
    pub async fn prometheus(
        &self,
        rules: &str,
        workers: &[SocketAddr],
        alerts_to: SocketAddr,
    ) -> Result<Server> {
        let targets: Vec<String> = workers.iter().map(|worker| format!("\"{worker}\"")).collect();
        let configuration = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [rules.yml]\n\
             alerting: {{ alertmanagers: [ {{ static_configs: [ {{ targets: [\"{alerts_to}\"] }} ] }} ] }}\n\
             scrape_configs: [ {{ job_name: zerodb-hooks, static_configs: [ {{ targets: [{}] }} ] }} ]\n",
            targets.join(", ")
        );
        let files = [("prometheus.yml", configuration.as_str()), ("rules.yml", rules)];
        let arguments = [
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            "--enable-feature=exemplar-storage",
        ];
        let program = || Command::new(self.program("prometheus"));
        Server::start(program, &files, &arguments).await
    }

    /// Alertmanager that sends all alerts to one webhook at once.
    pub async fn alertmanager(&self, webhook: &str) -> Result<Server> {
        let configuration = format!(
            "route: {{ receiver: all, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }}\n\
             receivers: [ {{ name: all, webhook_configs: [ {{ url: \"{webhook}\", send_resolved: true }} ] }} ]\n"
        );
        let arguments = [
            "--config.file=alertmanager.yml",
            "--storage.path=data",
            "--cluster.listen-address=",
        ];
        let files = [("alertmanager.yml", configuration.as_str())];
        Server::start(|| self.alertmanager_program(), &files, &arguments).await
    }

    /// Debian's looks for its templates in /usr/share. One that was unpacked is shown its own there, in a namespace of
    /// mounts that goes with it.
    fn alertmanager_program(&self) -> Command {
        let (program, share) = (self.program("prometheus-alertmanager"), self.folder.join("share"));
        if !share.exists() {
            return Command::new(program);
        }
        let mut command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
            .arg("mount --bind \"$0\" /usr/share && exec \"$@\"")
            .args([share, program]);
        command
    }
}

/// One of the two, which ends with this value.
pub struct Server {
    pub address: SocketAddr,
    child: Child,
    folder: TempDir,
}

impl Server {
    async fn start(
        program: impl Fn() -> Command,
        files: &[(&str, &str)],
        arguments: &[&str],
    ) -> Result<Self> {
        let mut said = String::new();
        for _ in 0..TRIES {
            let mut server = Self::spawn(program(), files, arguments)?;
            if server.is_ready().await? {
                return Ok(server);
            }
            said = server.log();
        }
        bail!("{:?} ended:\n{said}", program())
    }

    fn spawn(mut program: Command, files: &[(&str, &str)], arguments: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for (name, text) in files {
            fs::write(folder.path().join(name), text)?;
        }
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let child = program
            .args(arguments)
            .arg(format!("--web.listen-address={address}"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()?;
        Ok(Self {
            address,
            child,
            folder,
        })
    }

    /// Whether it is ready, once it is or has ended.
    async fn is_ready(&mut self) -> Result<bool> {
        let address = self.address;
        eventually(SOON, async || match self.child.try_wait() {
            Ok(None) => get(address, "/-/ready", "")
                .is_ok_and(|answer| answer.status == 200)
                .then_some(true),
            _ => Some(false),
        })
        .await
    }

    /// The series that an expression has now.
    ///
    /// # Errors
    /// Where it cannot be evaluated, with what is said of it.
    pub fn query(&self, expression: &str) -> Result<Vec<Value>> {
        let answer = get(
            self.address,
            &format!("/api/v1/query?query={}", encoded(expression)),
            "",
        )?;
        let answer: Value = serde_json::from_str(&answer.body)?;
        ensure!(answer["status"] == "success", "{expression}: {answer}");
        let result = answer["data"]["result"].as_array();
        Ok(result.context("a vector")?.clone())
    }

    /// What a path of its API has.
    pub fn api(&self, path: &str) -> Result<Value> {
        Ok(serde_json::from_str(&get(self.address, path, "")?.body)?)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
