//! graph_neighbors: depth, time, direction, filters, hubs and bounds. `store.rs` has the rest.

use zerodb_hooks_harness::{Result, on_every_server};

use super::Graph;

/// A chain 1 → 2 → 3 → 4, a hub 5 that 1 knows with three others behind it, and a circle back from 4 to 1.
const WORLD: &str = "
    INSERT INTO zerodb_store.entities (id, canonical_name, norm_name, mention_count)
        SELECT n, 'e' || n, 'e' || n, CASE WHEN n = 5 THEN 500 ELSE 1 END FROM generate_series(1, 8) AS n;
    INSERT INTO zerodb_store.relations (source_id, predicate, target_id, confidence) VALUES
        (1, 'NEXT', 2, 0.9), (2, 'NEXT', 3, 0.8), (3, 'NEXT', 4, 0.7), (4, 'NEXT', 1, 0.6), (1, 'KNOWS', 5, 0.5),
        (5, 'KNOWS', 6, 0.9), (7, 'KNOWS', 5, 0.4), (5, 'OWNS', 8, 0.3)";

async fn found(graph: &Graph, arguments: &str) -> Result<Vec<String>> {
    let rows =
        format!("SELECT source || ' ' || target || ' ' || depth FROM zerodb.graph_neighbors({arguments})");
    graph.session.texts(&rows).await
}

#[tokio::test]
async fn relations_come_once_nearest_and_surest_first() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph.run(WORLD).await?;
        assert_eq!(found(&graph, "'e1'").await?, ["e1 e2 1", "e4 e1 1", "e1 e5 1"]);
        assert_eq!(
            found(&graph, "'e1', 6").await?,
            ["e1 e2 1", "e4 e1 1", "e1 e5 1", "e2 e3 2", "e3 e4 2"]
        );
        assert_eq!(
            found(&graph, "'e3', 2, \"limit\" => 3").await?,
            ["e2 e3 1", "e3 e4 1", "e1 e2 2"]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hub_is_shown_but_followed_only_where_the_search_starts() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph.run(WORLD).await?;
        assert!(!found(&graph, "'e1', 3").await?.contains(&"e5 e6 2".to_owned()));
        assert_eq!(
            found(&graph, "'e5'").await?,
            ["e5 e6 1", "e1 e5 1", "e7 e5 1", "e5 e8 1"]
        );
        graph
            .run("UPDATE zerodb_store.entities SET mention_count = 499 WHERE id = 5")
            .await?;
        assert!(found(&graph, "'e1', 3").await?.contains(&"e5 e6 2".to_owned()));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn predicates_and_confidence_filter_what_is_shown_and_followed() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph.run(WORLD).await?;
        assert_eq!(
            found(&graph, "'e1', 2, predicates => '{NEXT}'").await?,
            ["e1 e2 1", "e4 e1 1", "e2 e3 2", "e3 e4 2"]
        );
        assert_eq!(
            found(&graph, "'e1', 3, min_confidence => 0.75").await?,
            ["e1 e2 1", "e2 e3 2"]
        );
        let none = found(&graph, "'e1', predicates => '{}'").await?;
        assert!(none.is_empty(), "{none:?}");
        for wrong in [
            "'e1', min_confidence => 2",
            "'e1', min_confidence => NULL",
            "'e1', 7",
            "'e1', \"limit\" => 10001",
        ] {
            let error = graph
                .session
                .error(&format!("SELECT zerodb.graph_neighbors({wrong})"))
                .await?;
            assert_eq!(
                (error.code.as_str(), error.hint.is_some()),
                ("22023", true),
                "{wrong}"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn beyond_the_start_fifty_relations_of_a_direction_are_followed() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph
            .run(
                "INSERT INTO zerodb_store.entities (id, canonical_name, norm_name) SELECT n, 'e' || n, 'e' || n FROM generate_series(1, 200) AS n;
                INSERT INTO zerodb_store.relations (source_id, predicate, target_id, confidence) SELECT 1, 'NEXT', n, n / 100.0 FROM generate_series(2, 100) AS n;
                INSERT INTO zerodb_store.relations (source_id, predicate, target_id, confidence) VALUES (200, 'NEXT', 1, 0.1)",
            )
            .await?;
        assert_eq!(found(&graph, "'e1', \"limit\" => 1000").await?.len(), 100);
        // Its own, the fifty surest that go out from e1, and the one that comes in.
        assert_eq!(found(&graph, "'e2', 2, \"limit\" => 1000").await?.len(), 1 + 50 + 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_alias_starts_a_search_and_when_it_was_said_counts_where_nothing_else_is_known() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph
            .says_at(
                "m1",
                "2015-01-01",
                &["Robert:person/Bob", "Paris:location"],
                &["0 VISITED 1"],
            )
            .await?;
        assert_eq!(found(&graph, "' BOB '").await?, ["Robert Paris 1"]);
        assert_eq!(
            found(&graph, "'bob', as_of => '2016-01-01'").await?,
            ["Robert Paris 1"]
        );
        assert_eq!(
            found(&graph, "'bob', as_of => '2014-01-01'").await?,
            Vec::<String>::new()
        );
        Ok(())
    })
    .await
}
