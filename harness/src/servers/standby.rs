//! A second cluster that follows a first by streaming replication, and its promotion.

use std::process::Stdio;

use anyhow::{Result, ensure};

use crate::servers::cluster::{Cluster, unprivileged};

impl Cluster {
    /// A running hot standby of this cluster, whose commits wait for it from now on: what is acknowledged is on both.
    pub async fn start_synchronous_standby(&self) -> Result<Cluster> {
        let mut standby = Cluster::new(&self.version)?;
        let source = format!(
            "host=127.0.0.1 port={} user=postgres application_name=standby",
            self.port
        );
        let copied = unprivileged(self.version.program("pg_basebackup"))
            .args([
                "-d",
                &source,
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "--no-sync",
                "-D",
            ])
            .arg(standby.data())
            .output()?;
        ensure!(
            copied.status.success(),
            "pg_basebackup failed: {}",
            String::from_utf8_lossy(&copied.stderr)
        );
        standby.configure(&[])?;
        standby.start_on_a_free_port()?;
        let session = self.session("postgres").await?;
        session
            .run("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
            .await?;
        session.run("SELECT pg_reload_conf()").await?;
        Ok(standby)
    }

    /// Makes a standby a primary that waits for nobody. Returns when it takes writes.
    pub async fn promote(&self) -> Result<()> {
        let status = self
            .pg_ctl()
            .args(["-w", "-t", "60", "promote"])
            .stdout(Stdio::null())
            .status()?;
        ensure!(status.success(), "pg_ctl promote failed: {}", self.log());
        Ok(())
    }
}
