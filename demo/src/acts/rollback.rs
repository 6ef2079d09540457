//! A write that is rolled back leaves no event, and so does one whose savepoint is.

use anyhow::Result;
use zerodb_hooks_harness::Session;

use crate::screen::{self, Tone};
use crate::stage::Stage;

const COUNT: &str = "SELECT count(*) FROM zerodb.events WHERE data ->> 'file_name' LIKE 'never-%'";

pub async fn play(stage: &mut Stage) -> Result<()> {
    screen::section(
        "A write that is rolled back",
        &["The event is a row of the writer's transaction: it goes with it."],
    );
    let before = stage.inbox.count();
    let [inside, both, one] = look_from_inside(&stage.session).await?;
    let session = &stage.session;
    session.run("ROLLBACK").await?;
    let after = session.number(COUNT).await?;
    let idle = session.text("SELECT zerodb.wait_idle('20 s')").await?;
    let arrived = stage.inbox.count() - before;
    screen::row(
        Tone::Good,
        "event",
        &format!("after ROLLBACK: {after}; requests that arrived: {arrived}"),
        "",
    );
    let right = (inside, both, one, after, arrived, idle.as_str()) == (1, 2, 1, 0, 0, "t");
    stage.expect(right, || {
        "the rolled-back write left something, or its events were not seen inside".into()
    });
    Ok(())
}

/// Begins a transaction; the events of its writes, and those left when a savepoint is undone, as it sees them itself.
async fn look_from_inside(session: &Session) -> Result<[i64; 3]> {
    session
        .run("BEGIN; INSERT INTO zerodb_store.files (file_name, content) VALUES ('never-1.txt', 'never')")
        .await?;
    screen::row(
        Tone::Title,
        "write",
        "BEGIN; INSERT INTO zerodb_store.files …  never-1.txt",
        "",
    );
    let inside = session.number(COUNT).await?;
    screen::row(
        Tone::Good,
        "event",
        &format!("inside the transaction: {inside}"),
        "",
    );
    session
        .run("SAVEPOINT s; INSERT INTO zerodb_store.files (file_name, content) VALUES ('never-2.txt', 'no')")
        .await?;
    screen::row(
        Tone::Title,
        "write",
        "SAVEPOINT s; INSERT INTO zerodb_store.files …  never-2.txt",
        "",
    );
    let both = session.number(COUNT).await?;
    session.run("ROLLBACK TO s").await?;
    let one = session.number(COUNT).await?;
    screen::row(
        Tone::Good,
        "event",
        &format!("inside: {both}; after ROLLBACK TO s: {one}"),
        "",
    );
    Ok([inside, both, one])
}
