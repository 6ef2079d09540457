//! A fresh database for each test, copied from a template in which the extension is installed.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use anyhow::{Context, Result};
use tokio::sync::OnceCell;

use crate::servers::cluster::Cluster;
use crate::servers::session::Session;
use crate::servers::version::PgVersion;

const TEMPLATE: &str = "zerodb_template";
/// The role that workers run as, of each server whose template has been made.
const WORKER: &str = "hooks_worker";

pub struct Database {
    pub name: String,
    pub cluster: &'static Cluster,
}

impl Database {
    /// A database with the extension, in the shared cluster of a version.
    pub async fn create(version: &PgVersion) -> Result<Self> {
        let cluster = Cluster::shared(version);
        make_template(cluster).await?;
        Self::copy(cluster, TEMPLATE).await
    }

    /// A database without the extension.
    pub async fn create_bare(version: &PgVersion) -> Result<Self> {
        Self::create_bare_as(version, "").await
    }

    /// A database without the extension, with more of CREATE DATABASE's options, such as an encoding.
    pub async fn create_bare_as(version: &PgVersion, options: &str) -> Result<Self> {
        Self::copy(Cluster::shared(version), &format!("template0 {options}")).await
    }

    async fn copy(cluster: &'static Cluster, template: &str) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let session = cluster.session("postgres").await?;
        session
            .run(&format!(
                "CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log"
            ))
            .await?;
        Ok(Self { name, cluster })
    }

    pub fn major(&self) -> u32 {
        self.cluster.version.major
    }

    pub fn url(&self) -> String {
        self.cluster.url(&self.name)
    }

    /// For a worker: as a role that has `zerodb.grant_worker` and nothing else. Not for a bare database.
    pub fn worker_url(&self) -> String {
        self.cluster.url_as(WORKER, &self.name)
    }

    /// A connection as superuser.
    pub async fn session(&self) -> Result<Session> {
        Session::connect(&self.url()).await
    }

    /// A new role of this test, which may log in and has nothing else. Roles are of the cluster: their names are made
    /// unique with the database's.
    pub async fn create_role(&self, name: &str) -> Result<String> {
        let role = format!("{}_{name}", self.name);
        self.session()
            .await?
            .run(&format!("CREATE ROLE {role} LOGIN"))
            .await?;
        Ok(role)
    }

    pub async fn session_as(&self, role: &str) -> Result<Session> {
        Session::connect(&self.cluster.url_as(role, &self.name)).await
    }
}

impl Drop for Database {
    /// The cluster goes anyway; this only gives back the disk space, so nobody waits for it.
    fn drop(&mut self) {
        let (url, name) = (self.cluster.url("postgres"), self.name.clone());
        thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let session = Session::connect(&url).await?;
                session
                    .run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                    .await
            })
        });
    }
}

async fn make_template(cluster: &'static Cluster) -> Result<()> {
    static MADE: [OnceCell<()>; 2] = [const { OnceCell::const_new() }; 2];
    let at = PgVersion::present()
        .iter()
        .position(|version| *version == cluster.version);
    let made = MADE
        .get(at.context("not a shared cluster")?)
        .context("more servers than two")?;
    made.get_or_try_init(async || {
        cluster
            .session("postgres")
            .await?
            .run(&format!("CREATE DATABASE {TEMPLATE}"))
            .await?;
        let session = cluster.session(TEMPLATE).await?;
        session
            .run(&format!(
                "CREATE EXTENSION zerodb_hooks; CREATE ROLE {WORKER} LOGIN; SELECT zerodb.grant_worker('{WORKER}')"
            ))
            .await?;
        // To see a test red: SQL that breaks what it proves (see tests/README.md).
        match std::env::var("ZERODB_TEST_BREAK") {
            Ok(sql) => session.run(&sql).await,
            Err(_) => Ok(()),
        }
    })
    .await?;
    Ok(())
}

/// Runs a test on each server that is set up, in a fresh database with the extension.
pub async fn on_every_server(test: impl AsyncFn(Database) -> Result<()>) -> Result<()> {
    for version in PgVersion::present() {
        let database = Database::create(version).await?;
        // Shown only when the test fails.
        eprintln!("on PostgreSQL {}, database {}", version.major, database.name);
        test(database)
            .await
            .with_context(|| format!("on PostgreSQL {}", version.major))?;
    }
    Ok(())
}

/// Runs a test in a fresh database of one server, for what does not depend on the server's version.
pub async fn on_main_server(test: impl AsyncFn(Database) -> Result<()>) -> Result<()> {
    test(Database::create(PgVersion::main()).await?).await
}
