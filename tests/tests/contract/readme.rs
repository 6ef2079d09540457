//! The SQL of the README runs, in order, in one database.

use anyhow::{Context, Result};
use zerodb_hooks_harness::on_every_server;

/// The ```sql blocks of a Markdown text.
fn sql_blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match (&mut block, line.trim()) {
            (None, "```sql") => block = Some(String::new()),
            (Some(_), "```") => blocks.extend(block.take()),
            (Some(open), _) => {
                open.push_str(line);
                open.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

#[tokio::test(flavor = "multi_thread")]
async fn every_block_runs() -> Result<()> {
    let text =
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md"))?;
    let blocks = sql_blocks(&text);
    assert!(blocks.len() >= 3, "the README has SQL to show");
    on_every_server(async |database| {
        let session = database.session().await?;
        session.run("DROP EXTENSION zerodb_hooks").await?;
        let _worker = zerodb_hooks_harness::Worker::start_with(&database.worker_url(), &[], &[]);
        for block in &blocks {
            session
                .run(block)
                .await
                .with_context(|| format!("this block:\n{block}"))?;
        }
        Ok(())
    })
    .await
}
