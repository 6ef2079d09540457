//! Every statement of the worker prepares against a fresh extension, in a session such as the worker's.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use zerodb_hooks_harness::on_every_server;
use zerodb_hooks_worker::store::connect::SESSION;
use zerodb_hooks_worker::{hook_file, measure, queries, store};

/// The lists of all crates that have statements.
const LISTS: [&[(&str, &str)]; 4] = [
    store::statements::ALL,
    queries::statements::ALL,
    hook_file::statements::ALL,
    measure::statements::ALL,
];

/// Those of the bench are about tables that it makes itself; they are run by its own tests.
#[tokio::test(flavor = "multi_thread")]
async fn every_statement_prepares() -> Result<()> {
    on_every_server(async |database| {
        let reads = database.session().await?;
        let works = database.session().await?;
        // There no name without schema is found but those of the catalog.
        works.run(SESSION).await?;
        for (session, list) in [
            (&works, store::statements::ALL),
            (&reads, queries::statements::ALL),
            (&reads, hook_file::statements::ALL),
        ] {
            for (file, statement) in list {
                let prepared = session.client.prepare(statement).await;
                prepared.with_context(|| format!("sql/worker/{file}"))?;
            }
        }
        Ok(())
    })
    .await
}

#[test]
fn every_file_is_listed() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql/worker");
    let mut listed: Vec<&str> = LISTS
        .iter()
        .flat_map(|list| *list)
        .map(|(file, _)| *file)
        .collect();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&root)?.to_string_lossy().into_owned();
            let Some(at) = listed.iter().position(|file| *file == name) else {
                panic!("no statements.rs lists sql/worker/{name}");
            };
            listed.swap_remove(at);
        }
    }
    assert!(listed.is_empty(), "listed more than once: {listed:?}");
    Ok(())
}
