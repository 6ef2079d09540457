//! Two entities made one, and apart again.

use zerodb_hooks_harness::{Result, on_every_server};

use super::Graph;
use crate::BOB;

async fn id(graph: &Graph, name: &str) -> Result<i64> {
    graph
        .session
        .number(&format!(
            "SELECT id FROM zerodb_store.entities WHERE canonical_name = '{name}'"
        ))
        .await
}

/// Two names of one person, who works somewhere and was met, and each fact once.
async fn two(db: &zerodb_hooks_harness::Database) -> Result<(Graph, i64, i64)> {
    let graph = Graph::create(db).await?;
    graph
        .says(
            "m1",
            &["Bob:person/Bobby", "Acme:organization", "Robert Smith:person"],
            &["0 WORKS_AT 1", "0 KNOWS 2"],
        )
        .await?;
    graph
        .says(
            "m2",
            &["Robert Smith:person/Rob", "Acme:organization", "Ann:person"],
            &["0 WORKS_AT 1", "2 MET 0"],
        )
        .await?;
    let (winner, loser) = (id(&graph, "Robert Smith").await?, id(&graph, "Bob").await?);
    Ok((graph, winner, loser))
}

#[tokio::test]
async fn what_the_loser_has_goes_to_the_winner() -> Result<()> {
    on_every_server(async |db| {
        let (graph, winner, loser) = two(&db).await?;
        graph
            .run(&format!("SELECT zerodb.merge_entities({winner}, {loser})"))
            .await?;
        assert_eq!(
            graph.facts().await?,
            ["Ann MET Robert Smith", "Robert Smith WORKS_AT Acme"]
        );
        assert_eq!(
            graph.entities().await?,
            ["Acme:organization", "Ann:person", "Robert Smith:person"]
        );
        for name in ["bob", "bobby", "rob", "Robert Smith"] {
            let found = graph
                .list(&format!("SELECT source FROM zerodb.graph_neighbors('{name}')"))
                .await?;
            assert_eq!(found, ["Ann", "Robert Smith"], "{name}");
        }
        graph.says("m3", &["Bob:person"], &[]).await?;
        assert_eq!(
            graph
                .session
                .number(&format!(
                    "SELECT mention_count FROM zerodb_store.entities WHERE id = {winner}"
                ))
                .await?,
            3
        );
        graph.forget("m1").await?;
        assert_eq!(graph.facts().await?.len(), 2, "the other memory says it too");
        graph.forget("m2").await?;
        graph.forget("m3").await?;
        assert_eq!(graph.everything().await?, Vec::<String>::new());
        assert_eq!(
            graph
                .session
                .number("SELECT count(*) FROM zerodb_store.merge_log")
                .await?,
            0
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_merge_undone_leaves_all_as_it_was_but_for_facts_between_the_two() -> Result<()> {
    on_every_server(async |db| {
        let (graph, winner, loser) = two(&db).await?;
        let kept = |rows: Vec<String>| -> Vec<String> {
            let comparable = |row: &String| !row.contains("KNOWS") && !row.starts_with("relation");
            rows.into_iter()
                .filter(comparable)
                .map(|row| {
                    row.split(", \"created_at\"")
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                })
                .collect()
        };
        let (before, facts) = (kept(graph.everything().await?), graph.facts().await?);
        graph
            .run(&format!("SELECT zerodb.merge_entities({winner}, {loser})"))
            .await?;
        graph
            .run(&format!("SELECT zerodb.unmerge_entity({loser})"))
            .await?;
        assert_eq!(kept(graph.everything().await?), before);
        let left: Vec<_> = facts.into_iter().filter(|fact| !fact.contains("KNOWS")).collect();
        assert_eq!(graph.facts().await?, left);
        graph
            .says(
                "m1",
                &["Bob:person/Bobby", "Acme:organization", "Robert Smith:person"],
                &["0 WORKS_AT 1", "0 KNOWS 2"],
            )
            .await?;
        assert!(
            graph
                .facts()
                .await?
                .contains(&"Bob KNOWS Robert Smith".to_owned()),
            "the memory brings it back"
        );
        assert_eq!(
            graph
                .session
                .error(&format!("SELECT zerodb.unmerge_entity({loser})"))
                .await?
                .code,
            "P0002"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_merge_of_a_merge_is_undone_step_by_step() -> Result<()> {
    on_every_server(async |db| {
        let (graph, winner, loser) = two(&db).await?;
        let third = id(&graph, "Ann").await?;
        graph
            .run(&format!("SELECT zerodb.merge_entities({winner}, {loser}); SELECT zerodb.merge_entities({third}, {winner})"))
            .await?;
        assert_eq!(graph.facts().await?, ["Ann WORKS_AT Acme"]);
        graph.run(&format!("SELECT zerodb.unmerge_entity({winner})")).await?;
        assert_eq!(graph.list("SELECT source FROM zerodb.graph_neighbors('bobby')").await?, ["Robert Smith"]);
        graph.run(&format!("SELECT zerodb.unmerge_entity({loser})")).await?;
        assert_eq!(graph.facts().await?, ["Bob WORKS_AT Acme", "Robert Smith WORKS_AT Acme"]);
        let counts = "SELECT canonical_name || ' ' || mention_count FROM zerodb_store.entities";
        assert_eq!(graph.list(counts).await?, ["Acme 2", "Ann 1", "Bob 1", "Robert Smith 2"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn only_two_live_entities_of_ones_own_can_be_merged() -> Result<()> {
    on_every_server(async |db| {
        let (graph, winner, loser) = two(&db).await?;
        let code = async |graph: &Graph, pair: String| {
            graph
                .session
                .error(&format!("SELECT zerodb.merge_entities({pair})"))
                .await
        };
        assert_eq!(code(&graph, format!("{winner}, {winner}")).await?.code, "22023");
        assert_eq!(code(&graph, format!("{winner}, 999999")).await?.code, "P0002");
        let role = db.create_role("app").await?;
        graph
            .run(&format!(
                "SELECT zerodb.grant_user('{role}'); GRANT USAGE ON SCHEMA zerodb_store TO {role};
                GRANT ALL ON ALL TABLES IN SCHEMA zerodb_store TO {role}"
            ))
            .await?;
        let bob = Graph::of(db.session_as(&role).await?, Some(BOB)).await?;
        assert_eq!(code(&bob, format!("{winner}, {loser}")).await?.code, "P0002");
        graph
            .run(&format!("SELECT zerodb.merge_entities({winner}, {loser})"))
            .await?;
        assert_eq!(code(&graph, format!("{winner}, {loser}")).await?.code, "22023");
        Ok(())
    })
    .await
}
