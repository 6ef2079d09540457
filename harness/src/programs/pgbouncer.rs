//! PgBouncer in transaction mode before a cluster, as a process of its own.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Result, bail};
use tempfile::TempDir;

use crate::programs::tools;
use crate::servers::cluster::{Cluster, unprivileged};
use crate::wait::{SOON, eventually};

pub struct PgBouncer {
    pub port: u16,
    child: Child,
    folder: TempDir,
}

impl PgBouncer {
    /// Listens on a free port and has few server connections, so that its clients share them. `program` is
    /// `tools::pgbouncer()`.
    pub async fn start(program: &Path, cluster: &Cluster, server_connections: usize) -> Result<Self> {
        let mut said = String::new();
        // Another program may take the free port before PgBouncer does.
        for _ in 0..5 {
            let mut bouncer = Self::spawn(program, cluster, server_connections)?;
            if bouncer.listens().await? {
                return Ok(bouncer);
            }
            said = bouncer.log();
        }
        bail!("pgbouncer ended:\n{said}")
    }

    fn spawn(program: &Path, cluster: &Cluster, server_connections: usize) -> Result<Self> {
        let folder = tempfile::tempdir_in("/tmp")?;
        // It refuses to run as root.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let configuration = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = {server_connections}\nmax_client_conn = 200\n",
            cluster.port
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, configuration)?;
        let mut command: Command = unprivileged(program.to_owned());
        let child = command
            .arg(&file)
            .env("LD_LIBRARY_PATH", tools::libraries())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()?;
        Ok(Self { port, child, folder })
    }

    /// Whether it listens, once it does or has ended.
    async fn listens(&mut self) -> Result<bool> {
        let port = self.port;
        let answers = async || match self.child.try_wait() {
            Ok(None) => TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(true),
            _ => Some(false),
        };
        eventually(SOON, answers).await
    }

    pub fn url(&self, database: &str) -> String {
        format!(
            "host=127.0.0.1 port={} user=postgres dbname={database}",
            self.port
        )
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
