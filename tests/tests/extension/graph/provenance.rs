//! Each fact stands as long as a memory says it, and not longer.

use serde_json::json;
use zerodb_hooks_harness::{Result, on_every_server};

use super::Graph;
use crate::BOB;

const MEETING: [&str; 3] = ["Alice:person", "Bob:person/Bobby", "Berlin:location"];
const MET: [&str; 2] = ["0 MET 1", "0 VISITED 2"];

#[tokio::test]
async fn a_memory_is_written_with_its_sources_and_its_place_in_the_ledger() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        let written = graph.says("m1", &MEETING, &MET).await?;
        assert_eq!((&written["stale"], &written["relations"]), (&json!(false), &json!(2)));
        assert_eq!(graph.entities().await?, ["Alice:person", "Berlin:location", "Bob:person"]);
        assert_eq!(graph.facts().await?, ["Alice MET Bob", "Alice VISITED Berlin"]);
        let unsourced = "SELECT id::text FROM zerodb_store.relations AS r
            WHERE NOT EXISTS (SELECT FROM zerodb_store.relation_sources AS s WHERE s.relation_id = r.id AND s.memory_id = 'm1')";
        assert_eq!(graph.list(unsourced).await?, Vec::<String>::new());
        let read = graph.act("read", "m1", json!({})).await?;
        assert_eq!(read["extraction"]["content_hash"], read["content_hash"]);
        assert_eq!((&read["extraction"]["model"], &read["extraction"]["prompt_version"]), (&json!("test"), &json!(1)));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_same_extraction_twice_leaves_every_row_as_it_was() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph.says("m1", &MEETING, &MET).await?;
        graph
            .says(
                "m2",
                &["Bobby:person", "Paris:location"],
                &["0 BORN_IN 1 1980", "0 VISITED 1 2001 2002"],
            )
            .await?;
        let before = graph.everything().await?;
        let first = graph.says("m1", &MEETING, &MET).await?;
        graph
            .says(
                "m2",
                &["Bobby:person", "Paris:location"],
                &["0 BORN_IN 1 1980", "0 VISITED 1 2001 2002"],
            )
            .await?;
        assert_eq!(graph.everything().await?, before);
        assert_eq!(graph.says("m1", &MEETING, &MET).await?, first);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_result_for_content_that_has_changed_is_refused() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph.remember("m1", "old", "2020-01-01").await?;
        let read = graph.act("read", "m1", json!({})).await?;
        graph.remember("m1", "new", "2020-01-01").await?;
        let late = json!({"content_hash": read["content_hash"], "prompt_version": 1, "model": "test", "entities": [{"name": "Old"}]});
        assert_eq!(graph.act("write", "m1", late.clone()).await?, json!({"stale": true}));
        assert_eq!(graph.everything().await?, Vec::<String>::new());
        graph.run("DELETE FROM zerodb_store.memories").await?;
        assert_eq!(graph.act("write", "m1", late).await?, json!({"stale": true}));
        assert_eq!(graph.act("read", "m1", json!({})).await?, json!({"found": false}));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_only_a_deleted_memory_said_is_gone() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph
            .says("m2", &["Alice:person", "Bob:person"], &["0 MET 1"])
            .await?;
        let before = graph.everything().await?;
        graph.says("m1", &MEETING, &MET).await?;
        assert_eq!(graph.forget("m1").await?, json!({"exists": false}));
        assert_eq!(
            graph.everything().await?,
            before,
            "the alias, the place and the visit too"
        );
        graph.forget("m2").await?;
        assert_eq!(graph.everything().await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_changed_memory_takes_back_what_it_no_longer_says() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph.says("m1", &MEETING, &MET).await?;
        graph
            .says("m1", &["Alice:person", "Paris:location"], &["0 VISITED 1"])
            .await?;
        assert_eq!(graph.facts().await?, ["Alice VISITED Paris"]);
        assert_eq!(graph.entities().await?, ["Alice:person", "Paris:location"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_past_does_not_bring_back_a_retracted_fact() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph
            .says("m1", &["Alice:person", "Paris:location"], &["0 VISITED 1 2010"])
            .await?;
        let then = "SELECT target FROM zerodb.graph_neighbors('alice', as_of => '2015-01-01')";
        assert_eq!(graph.list(then).await?, ["Paris"]);
        graph.says("m2", &["Alice:person"], &[]).await?;
        graph.forget("m1").await?;
        assert_eq!(graph.list(then).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_memory_that_is_there_again_keeps_what_it_says() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph.says("m1", &MEETING, &MET).await?;
        assert_eq!(
            graph.act("retract", "m1", json!({})).await?,
            json!({"exists": true})
        );
        assert_eq!(graph.facts().await?.len(), 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_entity_loses_a_name_that_only_a_deleted_memory_gave_it() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph.says("m1", &["Robert Smith:person/Bob"], &[]).await?;
        graph
            .says("m2", &["Bob:person", "Paris:location"], &["0 VISITED 1"])
            .await?;
        assert_eq!(graph.facts().await?, ["Robert Smith VISITED Paris"]);
        graph.forget("m1").await?;
        assert_eq!(graph.facts().await?, ["Bob VISITED Paris"]);
        let names = "SELECT alias FROM zerodb_store.entity_aliases";
        assert_eq!(graph.list(names).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_was_made_by_hand_stays() -> Result<()> {
    on_every_server(async |db| {
        let graph = Graph::create(&db).await?;
        graph
            .run(
                "INSERT INTO zerodb_store.entities (id, canonical_name, norm_name, entity_type)
                    VALUES (101, 'Alice', 'alice', 'person'), (102, 'Bob', 'bob', 'person');
                INSERT INTO zerodb_store.entity_aliases (entity_id, norm_alias, alias) VALUES (102, 'bobby', 'Bobby');
                INSERT INTO zerodb_store.relations (source_id, predicate, target_id, fact) VALUES (101, 'MET', 102, 'by hand')",
            )
            .await?;
        graph.says("m1", &MEETING, &MET).await?;
        assert_eq!(graph.session.text("SELECT fact FROM zerodb_store.relations WHERE predicate = 'MET'").await?, "by hand");
        graph.forget("m1").await?;
        assert_eq!(graph.facts().await?, ["Alice MET Bob"]);
        assert_eq!(graph.list("SELECT alias FROM zerodb_store.entity_aliases").await?, ["Bobby"]);
        assert_eq!(graph.list("SELECT DISTINCT mention_count::text FROM zerodb_store.entities").await?, ["0"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn tenants_have_graphs_of_their_own() -> Result<()> {
    on_every_server(async |db| {
        let alice = Graph::create(&db).await?;
        let bob = Graph::of(db.session().await?, Some(BOB)).await?;
        alice
            .says("m1", &["Carol:person", "Rome:location"], &["0 VISITED 1"])
            .await?;
        assert_eq!(bob.act("read", "m1", json!({})).await?, json!({"found": false}));
        bob.says("m2", &["Carol:person", "Oslo:location"], &["0 VISITED 1"])
            .await?;
        // The owner of the tables passes their policies; the filter is the functions' own.
        let carol = "SELECT target FROM zerodb.graph_neighbors('carol', 6)";
        assert_eq!(
            (alice.list(carol).await?, bob.list(carol).await?),
            (vec!["Rome".into()], vec!["Oslo".into()])
        );
        let near = json!({"entities": [{"name": "Oslq", "type": "location"}]});
        let bobs = bob.act("candidates", "m2", near.clone()).await?.to_string();
        assert!(!bobs.contains("Rome"));
        assert!(
            !alice
                .act("candidates", "m1", near)
                .await?
                .to_string()
                .contains("Oslo")
        );
        bob.act("retract", "m1", json!({})).await?;
        assert_eq!(alice.facts().await?.len(), 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_memory_of_no_user_and_no_project_has_a_graph_too() -> Result<()> {
    on_every_server(async |db| {
        let mut graph = Graph::create(&db).await?;
        (graph.user, graph.project) = (None, None);
        graph.run("RESET zerodb.user_id; RESET zerodb.project_id").await?;
        graph.says("m1", &MEETING, &MET).await?;
        graph.says("m2", &MEETING, &MET).await?;
        assert_eq!(graph.entities().await?.len(), 3);
        let near = graph
            .act(
                "candidates",
                "m3",
                json!({"entities": [{"name": "Berlinn", "type": "location"}]}),
            )
            .await?;
        assert!(near.to_string().contains("Berlin"));
        graph.forget("m1").await?;
        graph.forget("m2").await?;
        assert_eq!(graph.everything().await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_role_with_nothing_but_its_rights_on_the_tables_can_write() -> Result<()> {
    on_every_server(async |db| {
        let owner = Graph::create(&db).await?;
        let role = db.create_role("app").await?;
        owner
            .run(&format!(
                "SELECT zerodb.grant_user('{role}'); GRANT USAGE ON SCHEMA zerodb_store TO {role};
                GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA zerodb_store TO {role};
                GRANT EXECUTE ON FUNCTION zerodb._do_graph_read(jsonb, oid, jsonb, real[]), zerodb._do_graph_write(jsonb, oid, jsonb, real[]),
                    zerodb._do_graph_retract(jsonb, oid, jsonb, real[]) TO {role}"
            ))
            .await?;
        let app = Graph::of(db.session_as(&role).await?, owner.user).await?;
        app.says("m1", &MEETING, &["0 MET 1", "0 BORN_IN 2"]).await?;
        app.says("m2", &["Alice:person", "Rome:location"], &["0 BORN_IN 1 2019"])
            .await?;
        assert_eq!(
            app.facts().await?,
            ["Alice BORN_IN Berlin", "Alice MET Bob"],
            "the rule for all counts for it too"
        );
        app.forget("m1").await?;
        app.forget("m2").await?;
        assert_eq!(owner.everything().await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn memories_of_remember_are_remembered_again_and_forgotten() -> Result<()> {
    on_every_server(async |db| {
        let mut graph = Graph::create(&db).await?;
        graph.table = "zerodb_store.zeromemory";
        graph.run(crate::EVERYTHING).await?;
        let id = graph.session.text("SELECT zerodb.remember('Alice met Bob', 'alice')").await?;
        assert_eq!(graph.act("read", &id, json!({})).await?["subject"], json!("alice"));
        graph
            .run(
                "UPDATE zerodb_store.zeromemory SET content = 'Alice met Carol'; UPDATE zerodb_store.zeromemory SET importance = 1;
                DELETE FROM zerodb_store.zeromemory",
            )
            .await?;
        let events = graph.session.events().await?;
        let names: Vec<_> = events.iter().map(|event| event.event.as_str()).collect();
        assert_eq!(
            names,
            [
                "zeromemory.remembered",
                "on_retain",
                "zeromemory.remembered",
                "zeromemory.forgotten",
                "on_forget"
            ]
        );
        assert_eq!((&events[3].data["memory_id"], &events[3].data["entity_id"]), (&json!(id), &json!("alice")));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_table_that_holds_no_memories_is_refused() -> Result<()> {
    on_every_server(async |db| {
        let mut graph = Graph::create(&db).await?;
        graph
            .run("CREATE TABLE public.notes (id text PRIMARY KEY, content text)")
            .await?;
        for table in ["public.notes", "zerodb_store.event_stream"] {
            graph.table = table;
            let refused = graph
                .act("read", "x", json!({}))
                .await
                .expect_err(table)
                .to_string();
            assert!(refused.starts_with("22023"), "{refused}");
        }
        Ok(())
    })
    .await
}
