//! The model's endpoint as these cases use it: started with a latency, named in a worker's file, asked what it has
//! seen.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Client;
use serde::Deserialize;
use tempfile::NamedTempFile;
use zerodb_hooks_harness::model_endpoint::ModelProcess;

/// The model of every hook here. The endpoint has every model; a proxy before it knows this one.
pub const MODEL: &str = "bge-m3";

pub struct Endpoint {
    process: ModelProcess,
    client: Client,
}

/// What it says of its route for embeddings.
#[derive(Deserialize)]
pub struct Seen {
    /// Requests that were answered with vectors.
    pub answered: u64,
    /// The texts in them.
    pub inputs: u64,
    /// Requests that it has not answered yet.
    pub now: u64,
}

impl Endpoint {
    pub fn start(latency: Duration) -> Result<Self> {
        let latency = latency.as_millis().to_string();
        Ok(Self {
            process: ModelProcess::start(&["--latency-ms", &latency])?,
            client: Client::builder().no_proxy().build()?,
        })
    }

    pub fn url(&self) -> &str {
        &self.process.url
    }

    pub async fn seen(&self) -> Result<Seen> {
        let base = self.url().strip_suffix("/v1").context("no base URL")?;
        let answer = self.client.get(format!("{base}/seen")).send().await?;
        let all: serde_json::Value = serde_json::from_slice(&answer.bytes().await?)?;
        Ok(Seen::deserialize(&all["embeddings"])?)
    }

    /// Sends a body as any client would, and throws the vectors away.
    pub async fn embed(&self, body: String) -> Result<()> {
        let request = self.client.post(format!("{}/embeddings", self.url()));
        let answer = request
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await?;
        answer.error_for_status()?.bytes().await?;
        Ok(())
    }

    pub fn processor_seconds(&self) -> Result<f64> {
        self.process.processor_seconds()
    }
}

/// A worker's file with one provider, at `url`; `more` are further lines of its entry.
pub fn provider_file(url: &str, more: &[&str]) -> Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
    writeln!(
        file,
        "providers:\n  endpoint:\n    url: {url}\n    model: {MODEL}"
    )?;
    for line in more {
        writeln!(file, "    {line}")?;
    }
    Ok(file)
}
