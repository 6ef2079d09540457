//! A throw-away Postgres cluster below /tmp. Its watchdog, a shell that waits for the end of a pipe, stops the server
//! and deletes the folder when the cluster is dropped and also when the test process dies, however it dies.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};

use crate::servers::session::Session;
use crate::servers::version::PgVersion;

/// How the server's processes are started: behind a program such as `unshare`, with variables of their own.
#[derive(Clone, Debug, Default)]
pub struct Launch {
    pub behind: Vec<String>,
    pub variables: Vec<(String, String)>,
}

pub struct Cluster {
    pub version: PgVersion,
    pub port: u16,
    folder: PathBuf,
    watchdog: Child,
    launch: Launch,
}

impl Cluster {
    /// A cluster with the settings that are quick and right for most tests.
    pub fn start(version: &PgVersion) -> Result<Self> {
        Self::start_with(version, &[])
    }

    /// A cluster with more lines for postgresql.conf, such as `fsync = on`.
    pub fn start_with(version: &PgVersion, settings: &[&str]) -> Result<Self> {
        Self::start_as(version, settings, |_| Launch::default())
    }

    /// A cluster whose server is started as `launch` says, which is told the cluster's folder.
    pub fn start_as(
        version: &PgVersion,
        settings: &[&str],
        launch: impl FnOnce(&Path) -> Launch,
    ) -> Result<Self> {
        let mut cluster = Self::new(version)?;
        cluster.launch = launch(&cluster.folder);
        cluster.init(settings)?;
        cluster.start_on_a_free_port()?;
        Ok(cluster)
    }

    /// A folder and its watchdog; the data is still to be made.
    pub(crate) fn new(version: &PgVersion) -> Result<Self> {
        let folder = new_folder()?;
        let watchdog = start_watchdog(version, &folder)?;
        Ok(Self {
            version: version.clone(),
            port: 0,
            folder,
            watchdog,
            launch: Launch::default(),
        })
    }

    fn init(&self, settings: &[&str]) -> Result<()> {
        let data = self.data();
        let initdb = unprivileged(self.version.program("initdb"))
            .args([
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .output()?;
        ensure!(
            initdb.status.success(),
            "initdb failed: {}",
            String::from_utf8_lossy(&initdb.stderr)
        );
        self.configure(&[&[SETTINGS], settings].concat())
    }

    /// Adds lines to postgresql.conf; of two for one setting the later counts.
    pub(crate) fn configure(&self, settings: &[&str]) -> Result<()> {
        let path = self.data().join("postgresql.conf");
        let mut configuration = fs::read_to_string(&path)?;
        configuration.push_str(&format!(
            "\nunix_socket_directories = '{}'\n",
            self.folder.display()
        ));
        settings
            .iter()
            .for_each(|line| configuration.push_str(&format!("{line}\n")));
        Ok(fs::write(path, configuration)?)
    }

    pub(crate) fn start_on_a_free_port(&mut self) -> Result<()> {
        // Another program may take the free port before Postgres does.
        let mut failure = None;
        for _ in 0..5 {
            self.port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            match self.start_again() {
                Ok(()) => return Ok(()),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| anyhow::anyhow!("the server did not start")))
    }

    /// The cluster of this test process for a version, started on first use.
    pub fn shared(version: &PgVersion) -> &'static Self {
        static SHARED: OnceLock<Vec<OnceLock<Cluster>>> = OnceLock::new();
        let all = SHARED.get_or_init(|| PgVersion::present().iter().map(|_| OnceLock::new()).collect());
        let at = PgVersion::present().iter().position(|present| present == version);
        let cell = &all[at.expect("a version of PgVersion::present")];
        cell.get_or_init(|| Self::start(version).expect("the shared cluster starts"))
    }

    /// Starts the server: after `crash` or `stop`, on the same port and data.
    pub fn start_again(&self) -> Result<()> {
        let log = self.folder.join("log");
        let status = self
            .pg_ctl()
            .arg("-l")
            .arg(&log)
            .args(["-w", "-t", "30", "-o", &format!("-p {}", self.port), "start"])
            .status()?;
        ensure!(
            status.success(),
            "the server did not start: {}",
            fs::read_to_string(&log).unwrap_or_default()
        );
        Ok(())
    }

    /// Stops the server as a power cut does: no checkpoint, nothing written back. Returns when it has gone.
    pub fn crash(&self) -> Result<()> {
        self.stop("immediate")
    }

    /// Stops the server with one of pg_ctl's modes.
    pub fn stop(&self, mode: &str) -> Result<()> {
        let status = self
            .pg_ctl()
            .args(["-w", "-t", "30", "-m", mode, "stop"])
            .status()?;
        ensure!(status.success(), "pg_ctl stop failed");
        Ok(())
    }

    pub fn url(&self, database: &str) -> String {
        self.url_as("postgres", database)
    }

    pub fn url_as(&self, user: &str, database: &str) -> String {
        format!("host=127.0.0.1 port={} user={user} dbname={database}", self.port)
    }

    pub async fn session(&self, database: &str) -> Result<Session> {
        Session::connect(&self.url(database)).await
    }

    /// One of the server's client programs, pointed at this cluster.
    pub fn client_program(&self, name: &str) -> Command {
        let mut command = Command::new(self.version.program(name));
        command
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", "postgres");
        command
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Where the cluster's files lie; its owner is the server's user.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn pg_ctl(&self) -> Command {
        let program = self.version.program("pg_ctl");
        let mut command = match self.launch.behind.split_first() {
            Some((first, rest)) => {
                let mut command = unprivileged(first.into());
                command.args(rest).arg(program);
                command
            }
            None => unprivileged(program),
        };
        command
            .envs(self.launch.variables.iter().map(|(name, value)| (name, value)))
            .arg("-D")
            .arg(self.data())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
shared_preload_libraries = ''
max_connections = 400
max_prepared_transactions = 10
wal_level = logical
fsync = off
min_wal_size = 32MB
max_wal_size = 128MB
shared_buffers = 32MB
log_min_messages = warning
zerodb.allow_private_addresses = on
";

pub(crate) fn new_folder() -> Result<PathBuf> {
    let folder = tempfile::Builder::new()
        .prefix("zerodb_test.")
        .tempdir_in("/tmp")?
        .keep();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
    if let Some((uid, gid)) = other_user()? {
        chown(&folder, Some(uid), Some(gid))?;
    }
    Ok(folder)
}

/// A group of its own keeps Ctrl-C, which ends the test process, from ending the watchdog.
fn start_watchdog(version: &PgVersion, folder: &Path) -> Result<Child> {
    let script =
        r#"cat >/dev/null; cd /; "$1" -D "$2/data" -m immediate -t 30 -w stop >/dev/null 2>&1; rm -rf "$2""#;
    unprivileged("/bin/sh".into())
        .args(["-c", script, "watchdog"])
        .arg(version.program("pg_ctl"))
        .arg(folder)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("the watchdog did not start")
}

/// A command that does not run as root, because Postgres refuses to.
pub(crate) fn unprivileged(program: PathBuf) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir("/")
        .env("HOME", "/nonexistent")
        .stdin(Stdio::null());
    if let Ok(Some((uid, gid))) = other_user() {
        command.uid(uid).gid(gid);
    }
    command
}

/// Who root starts servers as: `nobody`, whom every Linux has. `None` for anybody but root.
fn other_user() -> Result<Option<(u32, u32)>> {
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let Some(nobody) = users.lines().find(|line| line.starts_with("nobody:")) else {
        bail!("root needs a user `nobody` to run Postgres as");
    };
    let mut numbers = nobody.split(':').skip(2).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(uid)), Some(Ok(gid))) => Ok(Some((uid, gid))),
        _ => bail!("/etc/passwd has no numbers for `nobody`"),
    }
}
