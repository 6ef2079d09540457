//! Many writers of one graph at once.

use futures_util::future::try_join_all;
use serde_json::{Value, json};
use zerodb_hooks_harness::{Database, PgVersion, Result, SOON, eventually, on_every_server};

use super::Graph;
use crate::ALICE;

/// What must hold of every graph, as queries that find nothing.
const BROKEN: [&str; 5] = [
    "SELECT 'count of ' || e.id FROM zerodb_store.entities AS e
        WHERE e.mention_count <> (SELECT count(DISTINCT m.memory_id) FROM zerodb_store.mentions AS m WHERE m.entity_id = e.id)",
    "SELECT 'orphan ' || e.id FROM zerodb_store.entities AS e
        WHERE NOT EXISTS (SELECT FROM zerodb_store.mentions AS m WHERE m.entity_id = e.id)",
    "SELECT 'relation without a source ' || r.id FROM zerodb_store.relations AS r
        WHERE NOT EXISTS (SELECT FROM zerodb_store.relation_sources AS s WHERE s.relation_id = r.id)",
    "SELECT 'mention of no memory ' || m.memory_id FROM zerodb_store.mentions AS m
        WHERE NOT EXISTS (SELECT FROM zerodb_store.memories AS o WHERE o.id = m.memory_id)",
    "SELECT 'twice ' || e.norm_name FROM zerodb_store.entities AS e GROUP BY e.norm_name HAVING count(*) > 1",
];

async fn connections(db: &Database, count: usize) -> Result<Vec<Graph>> {
    try_join_all((0..count).map(async |_| Graph::of(db.session().await?, Some(ALICE)).await)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_name_one_entity_make_one_and_wait_for_no_other_forever() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        let writers = connections(&db, 32).await?;
        for round in 0..3 {
            try_join_all(writers.iter().enumerate().map(async |(at, writer)| {
                let own = format!("Guest {round} {at}:person");
                // Two orders of the shared names: locks taken as they come would end in a deadlock.
                let (first, second) = if at % 2 == 0 { ("Ada Lovelace:person/Ada", "London:location") } else { ("London:location", "Ada:person") };
                writer.says(&format!("m{round}_{at}"), &[first, second, &own], &["0 KNOWS 1", "2 MET 0"]).await
            }))
            .await?;
        }
        let named = "SELECT canonical_name || ' ' || mention_count FROM zerodb_store.entities WHERE norm_name ~ '^(ada|london)'";
        let entities = graph.list(named).await?;
        assert_eq!(entities.iter().filter(|name| name.starts_with("London")).collect::<Vec<_>>(), ["London 96"]);
        for broken in BROKEN {
            assert_eq!(graph.list(broken).await?, Vec::<String>::new());
        }
        assert_eq!(graph.session.number("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_and_retractions_of_the_same_entities_leave_nothing_broken() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        let writers = connections(&db, 12).await?;
        try_join_all(writers.iter().enumerate().map(async |(at, writer)| {
            let id = format!("m{at}");
            for round in 0..6 {
                let place = format!("Place {}:location", (at + round) % 3);
                let names = ["Alice:person/Al", place.as_str(), "Bob:person"];
                persist(async || writer.says(&id, &names, &["0 BORN_IN 1", "0 MARRIED_TO 2"]).await).await?;
                if (at + round) % 2 == 0 {
                    persist(async || writer.forget(&id).await).await?;
                }
            }
            anyhow::Ok(())
        }))
        .await?;
        for broken in BROKEN {
            assert_eq!(graph.list(broken).await?, Vec::<String>::new());
        }
        for at in 0..12 {
            graph.forget(&format!("m{at}")).await?;
        }
        assert_eq!(graph.everything().await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// As the worker does: what others made fail is tried again.
async fn persist(action: impl AsyncFn() -> Result<Value>) -> Result<Value> {
    for _ in 0..20 {
        match action().await {
            Err(error)
                if ["40001", "40P01", "23505", "55P03"]
                    .iter()
                    .any(|code| error.to_string().starts_with(code)) => {}
            other => return other,
        }
    }
    action().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_was_overtaken_by_a_deletion_writes_nothing() -> Result<()> {
    let db = Database::create(PgVersion::main()).await?;
    let graph = Graph::create(&db).await?;
    let writer = Graph::of(db.session().await?, Some(ALICE)).await?;
    graph.remember("m1", "x", "2020-01-01").await?;
    let read = graph.act("read", "m1", json!({})).await?;
    // The retraction holds the memory's lock and has not committed; the writer must wait, and then see no memory.
    graph.run("DELETE FROM zerodb_store.memories; BEGIN").await?;
    graph.act("retract", "m1", json!({})).await?;
    let entities = json!({"content_hash": read["content_hash"], "prompt_version": 1, "model": "test", "entities": [{"name": "Alice"}]});
    let late = writer.act("write", "m1", entities);
    let watcher = db.session().await?;
    let (written, committed) = tokio::join!(late, async {
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'userlock' AND datname = current_database()";
        let waiting = async || watcher.number(waits).await.ok().filter(|count| *count == 1);
        eventually(SOON, waiting).await?;
        graph.run("COMMIT").await
    });
    committed?;
    assert_eq!(written?, json!({"stale": true}));
    assert_eq!(graph.everything().await?, Vec::<String>::new());
    Ok(())
}
