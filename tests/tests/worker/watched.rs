//! A worker that is watched over HTTP, and what most tests of it begin with.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use zerodb_hooks_harness::asking::{Asked, get};
use zerodb_hooks_harness::{Database, PgVersion, SOON, Worker, eventually};

/// A worker with `--http` on a free port.
pub struct Watched {
    pub worker: Worker,
    pub address: SocketAddr,
}

impl Watched {
    /// With short times, and these further arguments and variables.
    pub async fn start(url: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Self> {
        let mut all = vec!["--http", "127.0.0.1:0", "--metrics-sample-s", "1"];
        all.extend(["--lease-s", "3", "--poll-ms", "200"]);
        all.extend_from_slice(arguments);
        let worker = Worker::start_with(url, &all, variables)?;
        let told = eventually(SOON, async || {
            let said = worker.stderr();
            let (_, behind) = said.split_once("address=")?;
            behind.split_whitespace().next()?.parse().ok()
        });
        let address = told.await.with_context(|| worker.stderr())?;
        Ok(Self { worker, address })
    }

    pub fn get(&self, path: &str) -> Result<Asked> {
        get(self.address, path, "")
    }

    /// The values of all series, as they are written.
    pub fn series(&self) -> Result<BTreeMap<String, f64>> {
        let text = self.get("/metrics")?.body;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| {
                let (name, value) = line.rsplit_once(' ').context("a value")?;
                Ok((name.to_owned(), value.parse()?))
            })
            .collect()
    }

    /// Waits until a series, with its labels in any order, has at least this value.
    pub async fn reaches(&self, name: &str, labels: &[&str], least: f64) -> Result<()> {
        let reached = eventually(SOON, async || {
            let series = self.series().ok()?;
            let fits = |key: &str| {
                key.split('{').next() == Some(name) && labels.iter().all(|label| key.contains(label))
            };
            let sum: f64 = series
                .iter()
                .filter(|(key, _)| fits(key))
                .map(|(_, value)| value)
                .sum();
            (sum >= least).then_some(())
        });
        reached
            .await
            .with_context(|| format!("{name}{labels:?} has not reached {least}"))
    }
}

/// A database on the first server that is set up: for what does not depend on the server.
pub async fn any_database() -> Result<Database> {
    Database::create(PgVersion::present().first().context("a server is set up")?).await
}
