//! Writers first: whatever becomes of hooks, watches and tables, a write goes through.

use serde_json::json;
use zerodb_hooks_harness::{Result, on_every_server};

use crate::{watched, written};

#[tokio::test]
async fn hooks_deleted_or_truncated() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        session.run("DELETE FROM zerodb.zerodb_hooks").await?;
        session.run("INSERT INTO item VALUES (2)").await?;
        session.run(crate::EVERYTHING).await?;
        session.run("INSERT INTO item VALUES (3)").await?;
        session.run("TRUNCATE zerodb.zerodb_hooks CASCADE").await?;
        session.run("INSERT INTO item VALUES (4)").await?;
        assert_eq!(written(&session).await?, ["inserted 1", "inserted 3"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn truncate_in_another_session_is_seen() -> Result<()> {
    on_every_server(async |db| {
        let (session, admin) = (watched(&db).await?, db.session().await?);
        session.run("INSERT INTO item VALUES (1)").await?;
        admin.run("TRUNCATE zerodb.zerodb_hooks CASCADE").await?;
        session.run("INSERT INTO item VALUES (2)").await?;
        assert_eq!(written(&session).await?, ["inserted 1"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nonsense_hooks() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session
            .run(
                r#"SET session_replication_role = replica;
                INSERT INTO zerodb.zerodb_hooks (user_id, event_type, hook_type, hook_name, hook_config) VALUES
                (zerodb._every_user(), '', '', '', '[]'),
                (zerodb._every_user(), '*.*', 'nonsense', 'x', '{"when": "$$$"}'),
                (zerodb._every_user(), '.*', 'webhook', 'y', '"text"'),
                (zerodb._every_user(), '日本*', 'sql', 'z', '{"function": ";DROP TABLE item"}');
                SET session_replication_role = origin"#,
            )
            .await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        session.run("UPDATE item SET name = 'x'").await?;
        session.run("DELETE FROM item").await?;
        assert_eq!(written(&session).await?, ["inserted 1", "updated 1", "deleted 1"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hook_written_under_replica_role_counts_at_once() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("DELETE FROM zerodb.zerodb_hooks").await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        session
            .run(
                "SET session_replication_role = replica;
                INSERT INTO zerodb.zerodb_hooks (user_id, event_type, hook_type, hook_name)
                VALUES (zerodb._every_user(), '*', 'log', 'x');
                SET session_replication_role = origin",
            )
            .await?;
        session.run("INSERT INTO item VALUES (2)").await?;
        assert_eq!(written(&session).await?, ["inserted 2"]);
        Ok(())
    })
    .await
}

/// A table `doc` whose column `owner_name` an event takes, and what `change` makes of the events and the warnings.
async fn after_change(
    change: &'static str,
    insert: &'static str,
    value: serde_json::Value,
    warnings: usize,
) -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run(
                "CREATE TABLE doc (id int PRIMARY KEY, label text);
                SELECT zerodb.watch('doc', 'zerodb.file.uploaded', '{\"file_name\": \"label\"}', '{insert,delete}')",
            )
            .await?;
        session.run(crate::EVERYTHING).await?;
        session.run("INSERT INTO doc VALUES (1, 'a')").await?;
        session.run(change).await?;
        session.take_warnings();
        session.run(insert).await?;
        session.run(&insert.replace('2', "3")).await?;
        let seen = session.take_warnings();
        assert_eq!(seen.len(), warnings, "{seen:?}");
        for warning in seen {
            assert_eq!(warning.code, "42703");
            assert!(warning.message.contains("\"label\"") && warning.message.contains("doc"), "{warning:?}");
            assert!(warning.detail.is_some() || warning.hint.is_some(), "{warning:?}");
        }
        let events = session.events().await?;
        assert_eq!(events.len(), 3);
        assert_eq!(events[1].data["file_name"], value);
        assert_eq!(events[2].data["file_id"], json!(3));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn watched_column_dropped() -> Result<()> {
    after_change(
        "ALTER TABLE doc DROP COLUMN label",
        "INSERT INTO doc VALUES (2)",
        json!(null),
        1,
    )
    .await
}

#[tokio::test]
async fn watched_column_renamed() -> Result<()> {
    let rename = "ALTER TABLE doc RENAME COLUMN label TO title";
    after_change(rename, "INSERT INTO doc VALUES (2, 'b')", json!(null), 1).await
}

#[tokio::test]
async fn watched_column_retyped() -> Result<()> {
    let retype = "ALTER TABLE doc ALTER COLUMN label TYPE int[] USING '{7}'";
    after_change(retype, "INSERT INTO doc VALUES (2, '{8}')", json!([8]), 0).await
}

#[tokio::test]
async fn columns_added_before_and_after() -> Result<()> {
    let change = "ALTER TABLE doc ADD COLUMN more int DEFAULT 5; ALTER TABLE doc DROP COLUMN more; ALTER TABLE doc ADD m2 text";
    after_change(change, "INSERT INTO doc VALUES (2, 'b')", json!("b"), 0).await
}

#[tokio::test]
async fn column_dropped_by_another_session() -> Result<()> {
    on_every_server(async |db| {
        let (session, other) = (watched(&db).await?, db.session().await?);
        session.run("INSERT INTO item VALUES (1)").await?;
        other.run("ALTER TABLE item DROP COLUMN id").await?;
        session.run("INSERT INTO item VALUES ('x')").await?;
        session.run("UPDATE item SET name = 'y' WHERE name = 'x'").await?;
        assert_eq!(
            written(&session).await?,
            ["inserted 1", "inserted null", "updated null"]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn every_column_of_update_of_dropped() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run("CREATE TABLE item (id int PRIMARY KEY, a int, b int)")
            .await?;
        session
            .run("SELECT zerodb.watch('item', 'zerodb.table.row_updated', '{}', '{update}', '{a}')")
            .await?;
        session.run(crate::EVERYTHING).await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        session.run("ALTER TABLE item DROP COLUMN a").await?;
        session.run("UPDATE item SET b = 1").await?;
        assert_eq!(session.event_count().await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn table_renamed_and_moved_to_another_schema() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session
            .run("CREATE SCHEMA other; ALTER TABLE item RENAME TO thing; ALTER TABLE thing SET SCHEMA other")
            .await?;
        session.run("INSERT INTO other.thing VALUES (1)").await?;
        assert_eq!(written(&session).await?, ["inserted 1"]);
        let target = session
            .text("SELECT DISTINCT target::text FROM zerodb.watches")
            .await?;
        assert_eq!(target, "other.thing");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn target_dropped() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        session.run("DROP TABLE item").await?;
        assert_eq!(session.number("SELECT count(*) FROM zerodb.watches").await?, 0);
        assert_eq!(session.number("SELECT count(*) FROM zerodb.events").await?, 1);
        session.run("CREATE TABLE item (id int)").await?;
        session.run("INSERT INTO item VALUES (2)").await?;
        assert_eq!(session.event_count().await?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn event_type_gone_from_the_registry() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        session.run("DELETE FROM zerodb.event_type").await?;
        session.take_warnings();
        session.run("INSERT INTO item VALUES (2)").await?;
        assert!(!session.take_warnings().is_empty());
        let channels = session.texts("SELECT channel FROM zerodb.events").await?;
        assert_eq!(channels, ["zerodb"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_read_only_transaction_reads_a_watched_table() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session
            .run("BEGIN READ ONLY; SELECT count(*) FROM item; SELECT count(*) FROM zerodb.events; COMMIT")
            .await?;
        assert_eq!(
            session
                .error("BEGIN READ ONLY; SELECT zerodb.emit('on_import', '{}')")
                .await?
                .code,
            "25006"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn names_that_are_no_utf_8() -> Result<()> {
    for version in zerodb_hooks_harness::PgVersion::present() {
        let db = zerodb_hooks_harness::Database::create_bare_as(version, "ENCODING 'SQL_ASCII'").await?;
        let session = db.session().await?;
        session.run("CREATE EXTENSION zerodb_hooks").await?;
        session.run(crate::EVERYTHING).await?;
        // 0xF6 is ö in Latin-1.
        session
            .run(
                "DO $$ BEGIN EXECUTE convert_from('\\x435245415445205441424c4520672028696420696e742c20f62074657874293b', 'SQL_ASCII'); END $$",
            )
            .await?;
        session
            .run("SELECT zerodb.watch('g', 'zerodb.table.row_inserted')")
            .await?;
        session.run("INSERT INTO g VALUES (1, 'x')").await?;
        assert_eq!(session.event_count().await?, 1);
    }
    Ok(())
}

#[tokio::test]
async fn an_encoding_that_is_not_supported_is_refused_at_once() -> Result<()> {
    for version in zerodb_hooks_harness::PgVersion::present() {
        let db = zerodb_hooks_harness::Database::create_bare_as(version, "ENCODING 'LATIN1'").await?;
        let error = db.session().await?.error("CREATE EXTENSION zerodb_hooks").await?;
        assert_eq!(error.code, "0A000");
        assert!(error.hint.is_some());
    }
    Ok(())
}
