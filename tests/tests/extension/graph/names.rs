//! Which entity a name means, and which it may mean.

use serde_json::{Value, json};
use zerodb_hooks_harness::{Result, on_every_server};

use super::{Graph, named};

async fn candidates(graph: &Graph, more: Value) -> Result<Value> {
    Ok(graph.act("candidates", "new", more).await?[0].take())
}

fn names(answer: &Value) -> Vec<&str> {
    let list = answer["candidates"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    list.iter()
        .filter_map(|candidate| candidate["name"].as_str())
        .collect()
}

#[tokio::test]
async fn a_name_means_the_entity_of_that_name_and_a_fitting_type() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph.says("m1", &["Jordan:person"], &[]).await?;
        graph.says("m2", &["  JORDAN :person"], &[]).await?;
        graph.says("m3", &["jordan"], &[]).await?;
        assert_eq!(graph.entities().await?, ["Jordan:person"]);
        graph.says("m4", &["Jordan:location"], &[]).await?;
        assert_eq!(graph.entities().await?, ["Jordan:location", "Jordan:person"]);
        graph.says("m5", &["Jordan"], &[]).await?;
        assert_eq!(
            graph.entities().await?.len(),
            2,
            "a name without a type makes no third"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_entity_without_a_type_takes_the_particular_one() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph.says("m1", &["Mercury", "Mercury:product"], &[]).await?;
        assert_eq!(graph.entities().await?, ["Mercury:product"]);
        graph.says("m2", &["Venus"], &[]).await?;
        graph.says("m3", &["Venus:product"], &[]).await?;
        assert_eq!(graph.entities().await?, ["Mercury:product", "Venus:product"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_alias_means_its_entity_unless_two_have_it() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph.says("m1", &["Robert Smith:person/Bob"], &[]).await?;
        let bob = json!({"entities": [named("bob:person")]});
        assert_eq!(candidates(&graph, bob.clone()).await?["match"]["tier"], "alias");
        graph.says("m2", &["Robert Jones:person/Bob"], &[]).await?;
        let either = candidates(&graph, bob).await?;
        assert_eq!(either["match"], Value::Null);
        assert_eq!(names(&either), ["Robert Jones", "Robert Smith"]);
        graph.says("m3", &["IBM:organization"], &[]).await?;
        graph
            .says("m4", &["International Business Machines:organization/IBM"], &[])
            .await?;
        assert_eq!(
            graph.entities().await?,
            ["IBM:organization", "Robert Jones:person", "Robert Smith:person"]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn names_that_are_spelled_almost_alike_are_candidates() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        let known = ["Christopher Columbus", "Acme Corporation", "Turing, Alan", "Größe GmbH", "The Beatles"];
        graph.says("m1", &known.map(|name| format!("{name}:thing")).each_ref().map(String::as_str), &[]).await?;
        // So many others that the nearest are not simply all.
        graph
            .run(
                "INSERT INTO zerodb_store.entities (canonical_name, norm_name) SELECT n, zerodb._norm_name(n)
                FROM (SELECT chr(97 + i % 26) || chr(97 + i / 26 % 26) || ' ' || chr(97 + i / 26 % 26) || ' ' || i AS n FROM generate_series(1, 3000) AS i) AS s",
            )
            .await?;
        for (name, expected) in [
            ("Kristopher Columbus", "Christopher Columbus"),
            ("Acme Corporations", "Acme Corporation"),
            ("Alan Turing", "Turing, Alan"),
            ("grösse GmbH", "Größe GmbH"),
            ("Beatles", "The Beatles"),
        ] {
            let found = candidates(&graph, json!({"entities": [{"name": name, "type": "thing"}]})).await?;
            assert_eq!(found["match"], Value::Null, "{name}");
            assert!(names(&found).contains(&expected), "{name}: {found}");
            assert!(names(&found).len() <= 48, "{name}");
        }
        let sorted = "SELECT canonical_name FROM zerodb_store.entities WHERE sorted_name <> zerodb._sorted_name(norm_name)";
        assert_eq!(graph.list(sorted).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn names_that_mean_nearly_the_same_are_candidates_where_there_is_pgvector() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph.remember("m1", "x", "2020-01-01").await?;
        let read = graph.act("read", "m1", json!({})).await?;
        let embedded = json!({"content_hash": read["content_hash"], "prompt_version": 1, "model": "test", "embedding_model": "e", "dimensions": 3,
            "vectors": [1, 0, 0, 0, 1, 0],
            "entities": [{"name": "Automobile", "type": "thing", "vector": 0}, {"name": "Pear", "type": "thing", "vector": 1}, {"name": "Zoo"}]});
        graph.act("write", "m1", embedded).await?;
        let car = |model: &str| json!({"dimensions": 3, "embedding_model": model, "vectors": [0.8, 0.6, 0], "entities": [{"name": "Car", "type": "thing", "vector": 0}]});
        let found = candidates(&graph, car("e")).await?;
        if db.major() == 18 {
            assert_eq!(read["dimensions"], 3);
            let cosine = |at: usize| found["candidates"][at]["cosine"].as_f64().unwrap_or_default();
            assert_eq!(names(&found)[..2], ["Automobile", "Pear"]);
            assert!((cosine(0) - 0.8).abs() < 1e-3 && (cosine(1) - 0.6).abs() < 1e-3, "{found}");
        } else {
            assert_eq!(read["dimensions"], Value::Null);
        }
        let other = candidates(&graph, car("another model")).await?;
        assert!(other["candidates"].as_array().is_some_and(|all| all.iter().all(|c| c["cosine"].is_null())), "{other}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_the_worker_takes_a_name_for_becomes_its_alias() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        let made = graph.says("m1", &["Acme Corporation:organization"], &[]).await?;
        graph.remember("m2", "x", "2020-01-01").await?;
        let read = graph.act("read", "m2", json!({})).await?;
        let taken = json!({"content_hash": read["content_hash"], "prompt_version": 1, "model": "test",
            "entities": [{"name": "Acme Corporations", "type": "organization", "id": made["entities"][0], "source": "fuzzy", "score": 0.93}]});
        assert_eq!(graph.act("write", "m2", taken.clone()).await?["entities"], made["entities"]);
        let alias = "SELECT alias || ' ' || source || ' ' || confidence FROM zerodb_store.entity_aliases";
        assert_eq!(graph.list(alias).await?, ["Acme Corporations fuzzy 0.93"]);
        // An entity that has gone in the meantime is made anew.
        graph.forget("m1").await?;
        graph.forget("m2").await?;
        graph.remember("m2", "x", "2020-01-01").await?;
        let written = graph.act("write", "m2", taken).await?;
        assert_ne!(written["entities"], made["entities"]);
        assert_eq!(graph.entities().await?, ["Acme Corporations:organization"]);
        Ok(())
    })
    .await
}
