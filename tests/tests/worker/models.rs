//! What tests with a model's endpoint start from: its entry in the worker's file, a worker with it, and a look at
//! vectors.

use std::io::Write;

use anyhow::{Context, Result};
use tempfile::NamedTempFile;
use zerodb_hooks_harness::model_endpoint::{ModelEndpoint, vector};
use zerodb_hooks_harness::{Database, Session, Worker};

/// The worker's file with one provider, `mock`, which is the default; `more` are further lines of its entry.
pub fn provider_file(endpoint: &ModelEndpoint, more: &[&str]) -> Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
    writeln!(
        file,
        "providers:\n  mock:\n    url: {}\n    model: test-model",
        endpoint.url()
    )?;
    for line in more {
        writeln!(file, "    {line}")?;
    }
    writeln!(file, "default_provider: mock")?;
    Ok(file)
}

/// A worker with short times and this file.
pub fn worker_of(database: &Database, file: &NamedTempFile) -> Result<Worker> {
    let path = file.path().to_str().context("a path of text")?;
    Worker::start_with(
        &database.worker_url(),
        &["--lease-s", "3", "--poll-ms", "200", "--config", path],
        &[],
    )
}

/// A worker with short times whose default provider is the endpoint, with `more` lines in its entry. The file is to
/// live as long as the worker may read it.
pub fn served_by(
    database: &Database,
    endpoint: &ModelEndpoint,
    more: &[&str],
) -> Result<(Worker, NamedTempFile)> {
    let file = provider_file(endpoint, more)?;
    Ok((worker_of(database, &file)?, file))
}

/// The vector in the first row and column of a query, which may be of type vector or real[].
pub async fn vector_in(session: &Session, query: &str) -> Result<Vec<f32>> {
    let json = session
        .json(&format!("SELECT to_json(v::real[]) FROM ({query}) AS q (v)"))
        .await?;
    Ok(serde_json::from_value(json)?)
}

/// Whether a row holds the endpoint's vector of a text.
pub async fn holds(session: &Session, query: &str, text: &str) -> Result<bool> {
    let found = vector_in(session, query).await?;
    let wanted = vector(text, found.len());
    Ok(found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-4))
}

/// A store whose vectors have eight dimensions, and an auto_embed hook on them. Returns the hook.
pub async fn embedded_store(session: &Session, config: &str) -> Result<String> {
    session.run("SELECT zerodb.create_store(dimensions => 8)").await?;
    let make = format!("SELECT id FROM zerodb.create_hook('zerodb.vector.stored', 'auto_embed', '{config}')");
    session.text(&make).await
}
