//! Every statement of the worker prepares against a fresh extension, in a session such as the worker's.

use anyhow::{Context, Result};
use zerodb_hooks_harness::on_every_server;
use zerodb_hooks_worker::store::connect::SESSION;
use zerodb_hooks_worker::store::statements::ALL;

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_prepares() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        // There no name without schema is found but those of the catalog.
        session.run(SESSION).await?;
        for (file, statement) in ALL {
            session
                .client
                .prepare(statement)
                .await
                .with_context(|| format!("sql/worker/{file}"))?;
        }
        Ok(())
    })
    .await
}

#[test]
fn every_file_is_embedded() -> Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql/worker");
    let mut known: Vec<_> = ALL.iter().map(|(file, _)| (*file).to_owned()).collect();
    known.extend(
        zerodb_hooks_worker::cli::statements::ALL
            .iter()
            .map(|(file, _)| (*file).to_owned()),
    );
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        assert!(
            known.contains(&name) || !name.ends_with(".sql"),
            "sql/worker/{name} is not in statements.rs"
        );
    }
    Ok(())
}
