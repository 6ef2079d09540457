//! Watching and unwatching a table.

use serde_json::json;
use zerodb_hooks_harness::{Result, on_every_server};

use crate::{EVERYTHING, watched, written};

const TRIGGERS: &str =
    "SELECT oid, xmin, tgname, tgargs FROM pg_trigger WHERE tgname LIKE 'zerodb%' ORDER BY oid";

#[tokio::test]
async fn the_same_call_again_changes_nothing() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("CREATE TABLE p (id int, k int) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p DEFAULT").await?;
        session.run(&crate::watch_all("p")).await?;
        let before = session.rows(TRIGGERS).await?;
        session.run(&crate::watch_all("item")).await?;
        session.run(&crate::watch_all("p")).await?;
        assert_eq!(session.rows(TRIGGERS).await?, before);
        assert!(!before.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_same_call_again_waits_for_no_writer() -> Result<()> {
    on_every_server(async |db| {
        let (writer, session) = (watched(&db).await?, db.session().await?);
        writer.run("BEGIN; INSERT INTO item VALUES (1)").await?;
        session.run("SET statement_timeout = '5 s'").await?;
        session.run(&crate::watch_all("item")).await?;
        writer.run("COMMIT").await
    })
    .await
}

#[tokio::test]
async fn a_new_mapping_replaces_the_old_one() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("CREATE TABLE item (id int PRIMARY KEY, a text, b text)").await?;
        session.run(EVERYTHING).await?;
        let watch = async |rest: &str| session.run(&format!("SELECT zerodb.watch('item', 'zerodb.file.uploaded', {rest})")).await;
        watch(r#"'{"file_name": "a"}', '{insert,update}', '{a}'"#).await?;
        session.run("INSERT INTO item VALUES (1, 'a1', 'b1')").await?;
        watch(r#"'{"file_name": "b"}', '{insert,delete}'"#).await?;
        session.run("INSERT INTO item VALUES (2, 'a2', 'b2'); UPDATE item SET a = 'x' WHERE id = 1; DELETE FROM item WHERE id = 1").await?;
        let names = session.texts("SELECT data ->> 'file_name' FROM zerodb.outbox ORDER BY xid, ord").await?;
        assert_eq!(names, ["a1", "b2", "b1"]);
        assert_eq!(session.number("SELECT count(*) FROM zerodb.watches").await?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn several_event_types_watch_one_table_independently() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session
            .run("SELECT zerodb.watch('item', 'zerodb.file.uploaded')")
            .await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        let mut types = session.event_types().await?;
        types.sort();
        assert_eq!(types, ["zerodb.file.uploaded", "zerodb.table.row_inserted"]);
        session
            .run("SELECT zerodb.unwatch('item', 'zerodb.file.uploaded')")
            .await?;
        session.run("INSERT INTO item VALUES (2)").await?;
        assert_eq!(session.event_count().await?, 3);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn unwatch_removes_every_trigger_and_then_says_there_is_none() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("SELECT zerodb.unwatch('item')").await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        assert_eq!(written(&session).await?, Vec::<String>::new());
        assert_eq!(session.rows(TRIGGERS).await?.len(), 0);
        for (call, message) in [
            ("unwatch('item')", "public.item is not watched"),
            (
                "unwatch('item', 'on_import')",
                "public.item is not watched for 'on_import'",
            ),
        ] {
            let error = session.error(&format!("SELECT zerodb.{call}")).await?;
            assert_eq!((error.code.as_str(), error.message.as_str()), ("P0002", message));
            assert!(error.hint.is_some());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn watches_shows_target_event_columns_operations_and_update_of() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("CREATE TABLE \"My Table\" (id int PRIMARY KEY, \"the name\" text)").await?;
        session
            .run(
                r#"SELECT zerodb.watch('"My Table"', 'zerodb.table.row_updated',
                '{"project_id": {"value": null}, "table_name": "the name"}', '{update,insert}', '{the name}')"#,
            )
            .await?;
        let seen = session.rows("SELECT target::text, event_type, columns, operations, update_of FROM zerodb.watches").await?;
        let expected = json!({
            "target": "\"My Table\"",
            "event_type": "zerodb.table.row_updated",
            "columns": {"table_name": "the name", "row_id": "id", "project_id": {"value": null}, "user_id": null},
            "operations": ["update", "insert"],
            "update_of": ["the name"],
        });
        assert_eq!(seen, [expected]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_name_in_need_of_quotes_is_watched() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let long = format!("a{}.b", "_x".repeat(45));
        session
            .run(&format!(
                "CREATE SCHEMA \"o'Brien\"; CREATE TABLE \"o'Brien\".\"a\"\"b\\c\" (\"i'd\" int PRIMARY KEY);
                SELECT zerodb.register_event_type('{long}', 'app', '{{id,note}}', 'x');
                SELECT zerodb.watch('\"o''Brien\".\"a\"\"b\\c\"', '{long}', '{{\"note\": {{\"value\": \"it''s \\\"%s\\\" \\\\\"}}}}',
                    '{{insert,update,delete}}')"
            ))
            .await?;
        session.run(EVERYTHING).await?;
        session.run("INSERT INTO \"o'Brien\".\"a\"\"b\\c\" VALUES (1)").await?;
        assert_eq!(session.events().await?[0].data, json!({"id": 1, "note": "it's \"%s\" \\"}));
        session.run("SELECT zerodb.unwatch('\"o''Brien\".\"a\"\"b\\c\"')").await
    })
    .await
}

#[tokio::test]
async fn a_generated_column_counts_when_it_is_stored() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let create = "CREATE TABLE item (id int PRIMARY KEY, a text, b text GENERATED ALWAYS AS (upper(a)) STORED)";
        let watch = "SELECT zerodb.watch('item', 'zerodb.file.uploaded', '{\"file_name\": \"b\"}', '{insert,update}', '{b}')";
        session.run(create).await?;
        session.run(watch).await?;
        session.run(EVERYTHING).await?;
        session.run("INSERT INTO item VALUES (1, 'x')").await?;
        assert_eq!(session.events().await?[0].data["file_name"], json!("X"));
        if db.major() >= 18 {
            session.run("DROP TABLE item").await?;
            session.run(&create.replace("STORED", "VIRTUAL")).await?;
            assert_eq!(session.error(watch).await?.code, "0A000");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn watching_gives_up_on_a_table_that_is_locked_for_long() -> Result<()> {
    on_every_server(async |db| {
        let (writer, session) = (db.session().await?, db.session().await?);
        // Ten seconds are long for a test.
        session.run("CREATE TABLE item (id int PRIMARY KEY)").await?;
        let config =
            "SELECT array_to_string(proconfig, ';') FROM pg_proc WHERE oid = 'zerodb.watch'::regproc";
        assert!(session.text(config).await?.contains("lock_timeout=10s"));
        session
            .run("ALTER FUNCTION zerodb.watch SET lock_timeout = '20ms'")
            .await?;
        writer.run("BEGIN; INSERT INTO item VALUES (1)").await?;
        let error = session
            .error("SELECT zerodb.watch('item', 'zerodb.table.row_inserted')")
            .await?;
        assert_eq!(error.code, "55P03");
        writer.run("COMMIT").await
    })
    .await
}

#[tokio::test]
async fn the_capture_function_is_of_no_use_but_as_a_watch() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        assert_eq!(session.error("SELECT zerodb._capture()").await?.code, "39P01");
        session.run("CREATE TABLE item (id int)").await?;
        for arguments in ["", "'x'", "'{}'", "'{\"event\": \"on_import\"}'", "'{}', '{}'"] {
            session
                .run(&format!(
                    "CREATE TRIGGER bad AFTER INSERT ON item EXECUTE FUNCTION zerodb._capture({arguments})"
                ))
                .await?;
            session.take_warnings();
            session.run("INSERT INTO item VALUES (1)").await?;
            let warnings = session.take_warnings();
            assert_eq!(warnings.len(), 1, "{arguments}: {warnings:?}");
            assert_eq!(warnings[0].code, "39P01", "{arguments}");
            session.run("DROP TRIGGER bad ON item").await?;
        }
        Ok(())
    })
    .await
}
