//! Every way to write a row records its event, and nothing else does.

use serde_json::json;
use zerodb_hooks_harness::{Result, on_every_server};

use crate::{ALICE, BOB, PROJECT, watch_all, watched, written};

const VECTORS: &str = "CREATE TABLE v (id int PRIMARY KEY, user_id uuid, project_id uuid);
    SELECT zerodb.watch('v', 'zerodb.vector.stored', '{\"vector_id\": \"id\"}')";

#[tokio::test]
async fn insert_records_one_event() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("INSERT INTO item VALUES (7, 'lamp')").await?;
        let events = session.events().await?;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].event, "zerodb.table.row_inserted");
        let data = json!({"table_name": "item", "row_id": 7, "project_id": null, "user_id": null});
        assert_eq!(events[0].data, data);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn insert_of_many_rows_records_one_event_for_each() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session
            .run("INSERT INTO item SELECT n FROM generate_series(1, 2500) AS n")
            .await?;
        let ids = session
            .texts("SELECT data ->> 'row_id' FROM zerodb.outbox ORDER BY ord")
            .await?;
        let expected: Vec<_> = (1..=2500).map(|n| n.to_string()).collect();
        assert_eq!(ids, expected);
        assert_eq!(
            session
                .number("SELECT count(DISTINCT id) FROM zerodb.events")
                .await?,
            2500
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn several_vectors_in_one_statement_record_a_batch_event_per_user_and_project() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(VECTORS).await?;
        session.run(crate::EVERYTHING).await?;
        session
            .run(&format!("INSERT INTO v VALUES (1, '{ALICE}', '{PROJECT}'), (2, '{ALICE}', '{PROJECT}'), (3, '{BOB}', NULL)"))
            .await?;
        let types = session.event_types().await?;
        assert_eq!(types.iter().filter(|name| *name == "zerodb.vector.stored").count(), 3);
        let batches: Vec<_> = session
            .events()
            .await?
            .into_iter()
            .filter(|recorded| recorded.event == "zerodb.vector.batch_stored")
            .map(|recorded| recorded.data)
            .collect();
        assert_eq!(
            batches,
            [
                json!({"project_id": PROJECT, "count": 2, "user_id": ALICE}),
                json!({"project_id": null, "count": 1, "user_id": BOB}),
            ]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn one_vector_records_no_batch_event() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(VECTORS).await?;
        session.run(crate::EVERYTHING).await?;
        session.run("INSERT INTO v VALUES (1)").await?;
        assert_eq!(session.event_types().await?, ["zerodb.vector.stored"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hook_for_the_batch_alone_gets_the_batch_alone() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(VECTORS).await?;
        session
            .run("SELECT zerodb.create_hook('zerodb.vector.batch_stored', 'x', '{}', hook_type => 'log')")
            .await?;
        session
            .run("INSERT INTO v SELECT n FROM generate_series(1, 5) AS n")
            .await?;
        assert_eq!(session.event_types().await?, ["zerodb.vector.batch_stored"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn copy_counts() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session
            .run("COPY item (id) FROM PROGRAM 'printf \"1\\n2\\n3\\n\"'")
            .await?;
        assert_eq!(
            written(&session).await?,
            ["inserted 1", "inserted 2", "inserted 3"]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn on_conflict_records_what_really_happened_to_each_row() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("INSERT INTO item VALUES (1, 'old')").await?;
        session
            .run("INSERT INTO item VALUES (1, 'new'), (2, 'two') ON CONFLICT (id) DO UPDATE SET name = excluded.name")
            .await?;
        let mut after = written(&session).await?.split_off(1);
        after.sort();
        assert_eq!(after, ["inserted 2", "updated 1"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn on_conflict_records_both_paths_of_a_watch_for_insert_and_update() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("CREATE TABLE d (id text PRIMARY KEY, content text)").await?;
        session
            .run("SELECT zerodb.watch('d', 'zerodb.memory.stored', '{\"memory_id\": \"id\"}', '{insert,update}', '{content}')")
            .await?;
        session.run(crate::EVERYTHING).await?;
        let upsert = "INSERT INTO d VALUES ('a', '1') ON CONFLICT (id) DO UPDATE SET content = excluded.content";
        session.run(upsert).await?;
        session.run(upsert).await?;
        session.run(&upsert.replace("'1'", "'2'")).await?;
        // The second one changed nothing.
        assert_eq!(session.event_types().await?, ["zerodb.memory.stored", "zerodb.memory.stored"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn on_conflict_do_nothing_records_nothing_for_the_row_that_was_there() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        session
            .run("INSERT INTO item VALUES (1), (2) ON CONFLICT DO NOTHING")
            .await?;
        assert_eq!(written(&session).await?, ["inserted 1", "inserted 2"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn merge_records_inserts_updates_and_deletes() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("INSERT INTO item VALUES (1, 'a'), (2, 'b')").await?;
        session
            .run(
                "MERGE INTO item USING (VALUES (1, 'A'), (2, NULL), (3, 'C')) AS s (id, name) ON item.id = s.id
                WHEN MATCHED AND s.name IS NULL THEN DELETE
                WHEN MATCHED THEN UPDATE SET name = s.name
                WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.name)",
            )
            .await?;
        let mut after = written(&session).await?.split_off(2);
        after.sort();
        assert_eq!(after, ["deleted 2", "inserted 3", "updated 1"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn update_of_counts_only_where_a_named_column_really_changed() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("CREATE TABLE d (id int PRIMARY KEY, content text, seen int)").await?;
        session
            .run("SELECT zerodb.watch('d', 'zerodb.table.row_updated', '{}', '{update}', update_of => '{content}')")
            .await?;
        session.run(crate::EVERYTHING).await?;
        session.run("INSERT INTO d SELECT n, 'text ' || n, 0 FROM generate_series(1, 3) AS n").await?;
        session.run("UPDATE d SET seen = seen + 1").await?;
        session.run("UPDATE d SET content = content").await?;
        session.run("UPDATE d SET content = CASE id WHEN 2 THEN NULL ELSE content END").await?;
        session.run("UPDATE d SET content = NULL WHERE id = 2").await?;
        session.run("UPDATE d SET content = repeat('long ', 100000) WHERE id = 3").await?;
        assert_eq!(written(&session).await?, ["updated 2", "updated 3"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn update_that_changes_nothing_records_nothing() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("INSERT INTO item VALUES (1, 'lamp', NULL)").await?;
        session.run("UPDATE item SET name = 'lamp', note = NULL").await?;
        session.run("UPDATE item SET name = 'bulb'").await?;
        assert_eq!(written(&session).await?, ["inserted 1", "updated 1"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn delete_records_the_row_that_was() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("INSERT INTO item VALUES (1), (2), (3)").await?;
        session.run("DELETE FROM item WHERE id <> 2").await?;
        assert_eq!(written(&session).await?.split_off(3), ["deleted 1", "deleted 3"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn foreign_key_cascade_counts() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session
            .run("CREATE TABLE part (id int PRIMARY KEY, item_id int REFERENCES item ON DELETE CASCADE)")
            .await?;
        session.run(&watch_all("part")).await?;
        session
            .run("INSERT INTO item VALUES (1); INSERT INTO part VALUES (10, 1), (11, 1)")
            .await?;
        session.run("DELETE FROM item").await?;
        let mut after = written(&session).await?.split_off(3);
        after.sort();
        assert_eq!(after, ["deleted 1", "deleted 10", "deleted 11"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn writes_under_replica_role_count() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("SET session_replication_role = replica").await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        session.run("UPDATE item SET name = 'x'").await?;
        session.run("DELETE FROM item").await?;
        assert_eq!(written(&session).await?, ["inserted 1", "updated 1", "deleted 1"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn writes_in_a_common_table_expression_and_in_a_function_count() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session
            .run("WITH one AS (INSERT INTO item VALUES (1) RETURNING id) INSERT INTO item SELECT id + 1 FROM one")
            .await?;
        session.run("DO $$ BEGIN FOR n IN 3..4 LOOP INSERT INTO item VALUES (n); END LOOP; END $$").await?;
        let mut all = written(&session).await?;
        all.sort();
        assert_eq!(all, ["inserted 1", "inserted 2", "inserted 3", "inserted 4"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_writer_without_any_right_in_the_schema_records_events() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        let writer = db.create_role("writer").await?;
        session
            .run(&format!(
                "GRANT SELECT, INSERT, UPDATE, DELETE ON item TO {writer}"
            ))
            .await?;
        let theirs = db.session_as(&writer).await?;
        theirs.run("INSERT INTO item VALUES (1)").await?;
        theirs.run("UPDATE item SET name = 'x'").await?;
        theirs.run("DELETE FROM item").await?;
        assert_eq!(written(&session).await?, ["inserted 1", "updated 1", "deleted 1"]);
        Ok(())
    })
    .await
}
