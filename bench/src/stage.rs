//! Where the cases run: one durable server for the whole run, and a fresh database with the extension for each
//! measurement, so that no case inherits another's tables, bloat or backlog.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use zerodb_hooks_harness::{Cluster, PgVersion, Session};

use crate::process::Process;
use crate::wait;

/// What the harness sets for quick tests is undone here. A checkpoint comes before each measurement and none within.
const SETTINGS: &[&str] = &[
    "fsync = on",
    "synchronous_commit = on",
    "full_page_writes = on",
    "wal_level = replica",
    "shared_buffers = 512MB",
    "min_wal_size = 2GB",
    "max_wal_size = 4GB",
    "checkpoint_timeout = 30min",
];

const WORKERS: &str = "SELECT jsonb_array_length(zerodb.status() -> 'workers')";

const TEMPLATE: &str = "bench_template";

pub struct Stage {
    pub cluster: Cluster,
    pub admin: Session,
    /// Folder of the server's socket.
    socket: String,
    made: AtomicU32,
}

impl Stage {
    pub async fn start() -> Result<Self> {
        let cluster = Cluster::start_with(PgVersion::main(), SETTINGS)?;
        let admin = cluster.session("postgres").await?;
        let socket = admin.text("SHOW unix_socket_directories").await?;
        admin.run(&format!("CREATE DATABASE {TEMPLATE}")).await?;
        cluster
            .session(TEMPLATE)
            .await?
            .run("CREATE EXTENSION zerodb_hooks")
            .await?;
        Ok(Self {
            cluster,
            admin,
            socket,
            made: AtomicU32::new(0),
        })
    }

    pub async fn fresh_database(&self) -> Result<Database<'_>> {
        let name = format!("bench_{}", self.made.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY wal_log");
        self.admin.run(&create).await?;
        Ok(Database { name, stage: self })
    }
}

pub struct Database<'a> {
    name: String,
    pub stage: &'a Stage,
}

impl Database<'_> {
    /// Through the socket, as a worker and an application beside the server would.
    pub fn url(&self) -> String {
        let Stage { socket, cluster, .. } = self.stage;
        format!(
            "host={socket} port={} user=postgres dbname={}",
            cluster.port, self.name
        )
    }

    pub async fn session(&self) -> Result<Session> {
        Session::connect(&self.url()).await
    }

    /// The same for libpq and all who read its variables.
    pub fn variables(&self) -> [(&'static str, String); 4] {
        let Stage { socket, cluster, .. } = self.stage;
        [
            ("PGHOST", socket.clone()),
            ("PGPORT", cluster.port.to_string()),
            ("PGUSER", "postgres".to_owned()),
            ("PGDATABASE", self.name.clone()),
        ]
    }

    /// One of the server's client programs, pointed at this database.
    pub fn client_program(&self, program: &str) -> std::process::Command {
        let mut command = self.stage.cluster.client_program(program);
        command.envs(self.variables());
        command
    }

    /// The last step before a measurement: what was prepared is on the disk and costs the measured nothing.
    pub async fn settle(&self) -> Result<()> {
        self.stage.admin.run("CHECKPOINT").await
    }

    pub async fn set(&self, setting: &str, value: &str) -> Result<()> {
        self.stage
            .admin
            .run(&format!("ALTER DATABASE {} SET {setting} = '{value}'", self.name))
            .await
    }

    /// The real worker, started and connected.
    pub async fn start_worker(&self, session: &Session) -> Result<Process> {
        self.start_worker_that_logs("warn", session).await
    }

    /// For a case in which attempts fail as they must: at `error`.
    pub async fn start_worker_that_logs(&self, level: &str, session: &Session) -> Result<Process> {
        let worker = Process::worker(&self.url(), level)?;
        wait_for_worker(session).await?;
        Ok(worker)
    }

    pub async fn remove(self) -> Result<()> {
        self.stage
            .admin
            .run(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .await
    }
}

/// Until the worker of a database has its lease.
pub async fn wait_for_worker(session: &Session) -> Result<()> {
    let connected = async || Ok(session.text(WORKERS).await? != "0");
    wait::until(Duration::from_secs(30), connected)
        .await
        .context("the worker does not connect")?;
    Ok(())
}
