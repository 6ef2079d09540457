//! What is true when: superseded facts, times, inverse predicates.

use serde_json::json;
use zerodb_hooks_harness::{Result, on_every_server};

use super::Graph;

const BORN: &str = "SELECT t.canonical_name || ' ' || coalesce(r.valid_at::date::text, '-') || ' ' || coalesce(r.invalid_at::date::text, '-')
        || CASE WHEN r.expired_at IS NULL THEN '' ELSE ' superseded' END
    FROM zerodb_store.relations AS r JOIN zerodb_store.entities AS t ON t.id = r.target_id WHERE r.predicate = 'BORN_IN'";

async fn born(graph: &Graph, id: &str, year: &str, place: &str) -> Result<()> {
    let (place, at) = (format!("{place}:location"), format!("{year}-01-01"));
    graph
        .says_at(id, &at, &["Alice:person", &place], &["0 BORN_IN 1"])
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_newer_fact_of_a_single_valued_predicate_ends_the_older_in_any_order_of_arrival() -> Result<()> {
    on_every_server(async |db| {
        let expected = [
            "Oslo - 2021-01-01 superseded",
            "Paris - -",
            "Rome - 2022-01-01 superseded",
        ];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
            let graph = Graph::create(&db).await?;
            for at in order {
                let (year, place) = [("2020", "Oslo"), ("2021", "Rome"), ("2022", "Paris")][at];
                born(&graph, place, year, place).await?;
            }
            assert_eq!(graph.list(BORN).await?, expected, "{order:?}");
            assert_eq!(
                graph
                    .list("SELECT target FROM zerodb.graph_neighbors('alice', as_of => '2021-06-01')")
                    .await?,
                ["Rome"]
            );
            assert_eq!(
                graph
                    .list("SELECT target FROM zerodb.graph_neighbors('alice')")
                    .await?,
                ["Paris"]
            );
            for place in ["Oslo", "Rome", "Paris"] {
                graph.forget(place).await?;
            }
            assert_eq!(graph.everything().await?, Vec::<String>::new());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_fact_stands_again_when_the_one_that_ended_it_is_retracted() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        born(&graph, "m1", "2020", "Oslo").await?;
        let before = graph.everything().await?;
        born(&graph, "m2", "2021", "Rome").await?;
        born(&graph, "m3", "2022", "Oslo").await?;
        assert_eq!(
            graph.list(BORN).await?,
            [
                "Oslo - -",
                "Oslo - 2021-01-01 superseded",
                "Rome - 2022-01-01 superseded"
            ]
        );
        graph.forget("m2").await?;
        assert_eq!(
            graph.list(BORN).await?,
            ["Oslo - -"],
            "two that say the same become one"
        );
        assert_eq!(
            graph
                .session
                .number("SELECT count(*) FROM zerodb_store.relation_sources")
                .await?,
            2
        );
        graph.forget("m3").await?;
        let mentions = |rows: Vec<String>| {
            rows.into_iter()
                .filter(|row| !row.starts_with("entities"))
                .collect::<Vec<_>>()
        };
        assert_eq!(mentions(graph.everything().await?), mentions(before));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn facts_of_other_predicates_and_of_one_time_stand_together() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph
            .says_at(
                "m1",
                "2020-01-01",
                &["Alice:person", "Oslo:location"],
                &["0 LIVES_IN 1"],
            )
            .await?;
        graph
            .says_at(
                "m2",
                "2021-01-01",
                &["Alice:person", "Norway:location"],
                &["0 LIVES_IN 1"],
            )
            .await?;
        graph
            .says_at(
                "m3",
                "2022-01-01",
                &["Bob:person", "Rome:location", "Italy:location"],
                &["0 BORN_IN 1", "0 BORN_IN 2"],
            )
            .await?;
        assert_eq!(
            graph.facts().await?,
            [
                "Alice LIVES_IN Norway",
                "Alice LIVES_IN Oslo",
                "Bob BORN_IN Italy",
                "Bob BORN_IN Rome"
            ]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_users_own_rule_goes_before_the_one_for_all() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph
            .run("INSERT INTO zerodb_store.predicates (predicate, single_valued) VALUES ('BORN_IN', false), ('LEADS', true)")
            .await?;
        born(&graph, "m1", "2020", "Oslo").await?;
        born(&graph, "m2", "2021", "Rome").await?;
        assert_eq!(graph.facts().await?.len(), 2);
        graph.says_at("m3", "2020-01-01", &["Alice:person", "Apollo:product"], &["0 LEADS 1"]).await?;
        graph.says_at("m4", "2021-01-01", &["Alice:person", "Gemini:product"], &["0 LEADS 1"]).await?;
        assert_eq!(graph.facts().await?.last().map(String::as_str), Some("Alice LEADS Gemini"));
        graph.run("SELECT zerodb.create_store(dimensions => 3)").await?;
        assert_eq!(graph.session.number("SELECT count(*) FROM zerodb_store.predicates WHERE user_id IS NULL").await?, 4);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_inverse_is_stored_turned_round_and_a_mutual_fact_once() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph
            .says(
                "m1",
                &["France:location", "Paris:location"],
                &["0 HAS_CAPITAL 1", "1 CAPITAL_OF 0"],
            )
            .await?;
        assert_eq!(graph.facts().await?, ["Paris CAPITAL_OF France"]);
        graph
            .says_at(
                "m2",
                "2020-01-01",
                &["Ann:person", "Bea:person"],
                &["0 MARRIED_TO 1"],
            )
            .await?;
        graph
            .says_at(
                "m3",
                "2020-01-01",
                &["Bea:person", "Ann:person"],
                &["0 MARRIED_TO 1"],
            )
            .await?;
        assert_eq!(graph.facts().await?.len(), 2);
        graph
            .says_at(
                "m4",
                "2021-01-01",
                &["Cyd:person", "Bea:person"],
                &["0 MARRIED_TO 1"],
            )
            .await?;
        // Which of the two is the source follows from the ids, which are random.
        let married = "SELECT least(source, target) || ' ' || greatest(source, target) FROM zerodb.graph_neighbors('bea')";
        assert_eq!(
            graph.list(married).await?,
            ["Bea Cyd"],
            "the older marriage ended for both"
        );
        assert_eq!(
            graph
                .list("SELECT target FROM zerodb.graph_neighbors('ann')")
                .await?,
            Vec::<String>::new()
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn sayings_of_one_fact_are_one_relation_and_separate_times_are_two() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        let people = ["Alice:person", "Acme:organization"];
        graph.says_at("m1", "2015-01-01", &people, &["0 WORKS_AT 1 2010"]).await?;
        graph.says_at("m2", "2016-01-01", &people, &["0 WORKS_AT 1 - 2012"]).await?;
        graph.says_at("m3", "2021-01-01", &people, &["0 WORKS_AT 1 2020"]).await?;
        let times = "SELECT coalesce(valid_at::date::text, '-') || ' ' || coalesce(invalid_at::date::text, '-') FROM zerodb_store.relations";
        assert_eq!(graph.list(times).await?, ["2010-01-01 2012-01-01", "2020-01-01 -"]);
        graph.forget("m2").await?;
        assert_eq!(graph.list(times).await?, ["2010-01-01 -"], "the end is unknown again, so the times meet");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_relation_has_two_ends() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph.says("m1", &["Acme:organization"], &["0 OWNS 0"]).await?;
        assert_eq!(graph.facts().await?, Vec::<String>::new());
        assert_eq!(graph.entities().await?, ["Acme:organization"]);
        let unknown = json!({"create": false, "prompt_version": 1, "model": "test", "entities": [{"name": "acme"}, {"name": "Nobody"}],
            "relations": [{"s": 0, "p": "KNOWS", "o": 1}]});
        let read = graph.act("read", "m1", json!({})).await?;
        let mut known = unknown.clone();
        known["content_hash"] = read["content_hash"].clone();
        let written = graph.act("write", "m1", known).await?;
        assert_eq!((&written["entities"][1], &written["relations"]), (&json!(null), &json!(0)));
        assert_eq!(graph.entities().await?.len(), 1);
        Ok(())
    })
    .await
}
