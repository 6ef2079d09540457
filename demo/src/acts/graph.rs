//! The graph that auto_graph makes of memories, with the example of the ZeroDB document.

use std::time::Duration;

use anyhow::{Context, Result};

use super::memories::remember;
use crate::screen::{self, Tone};
use crate::stage::Stage;

const NEIGHBORS: &str = "
SELECT source, predicate, target, depth FROM zerodb.graph_neighbors('Alice', depth => 2)";

pub async fn play(stage: &mut Stage) -> Result<()> {
    screen::section(
        "Graph: who is near Alice",
        &["The local provider reads plain English by rules; a model reads more, from the same hook."],
    );
    for text in [
        "Alice met Bob at the AI conference in Berlin",
        "Bob works at Siemens.",
    ] {
        remember(stage, text, "alice", "default").await?;
        screen::row(Tone::Title, "write", &format!("remember('{text}', 'alice')"), "");
    }
    stage.wait_for_everything(Duration::from_secs(20)).await?;
    let found = stage
        .session
        .client
        .query(NEIGHBORS, &[])
        .await
        .context("graph_neighbors")?;
    let mut knows_bob = false;
    for row in &found {
        let (source, predicate, target, depth): (String, String, String, i32) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        // An entity is spelled as in the memory that was read first, and that may be the one whose entity_id is alice.
        knows_bob |= source.eq_ignore_ascii_case("Alice") && target == "Bob";
        let line = format!("{source} ─ {predicate} → {target}");
        screen::row(Tone::Good, "fact", &line, &format!("depth {depth}"));
    }
    stage.expect(knows_bob, || "the graph does not say that Alice met Bob".into());
    Ok(())
}
