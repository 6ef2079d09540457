//! A committed write has its event, a write that was undone has none, and what a backend remembers of the hooks is
//! never older than the hooks.

use serde_json::json;
use zerodb_hooks_harness::{Result, on_every_server};

use crate::{ALICE, EVERYTHING, PROJECT, watch_all, watched, written};

const TABLE: &str = "CREATE TABLE item (id int PRIMARY KEY, name text)";

#[tokio::test]
async fn rollback_leaves_no_event() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session
            .run("BEGIN; INSERT INTO item VALUES (1); ROLLBACK")
            .await?;
        assert_eq!(session.event_count().await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn savepoint_rollback_takes_its_events_along() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session
            .run(
                "BEGIN; INSERT INTO item VALUES (1); SAVEPOINT s; INSERT INTO item VALUES (2); ROLLBACK TO s;
                INSERT INTO item VALUES (3); COMMIT",
            )
            .await?;
        assert_eq!(written(&session).await?, ["inserted 1", "inserted 3"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_failed_statement_leaves_no_event_and_its_error_stays_its_own() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        assert_eq!(
            session.error("INSERT INTO item VALUES (2), (1)").await?.code,
            "23505"
        );
        assert_eq!(
            session.error("INSERT INTO item VALUES (NULL)").await?.code,
            "23502"
        );
        assert_eq!(
            session.error("UPDATE item SET id = 1 / (id - 1)").await?.code,
            "22012"
        );
        assert_eq!(written(&session).await?, ["inserted 1"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn prepared_transaction_has_its_event_when_it_commits() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        for (id, end) in [(1, "COMMIT"), (2, "ROLLBACK")] {
            let name = format!("{}_{id}", db.name);
            session.run("BEGIN").await?;
            session.run(&format!("INSERT INTO item VALUES ({id})")).await?;
            session.run(&format!("PREPARE TRANSACTION '{name}'")).await?;
            session.run(&format!("{end} PREPARED '{name}'")).await?;
        }
        assert_eq!(written(&session).await?, ["inserted 1"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_type_that_no_active_hook_wants_costs_no_row() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(TABLE).await?;
        session.run(&watch_all("item")).await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        session
            .run("SELECT zerodb.create_hook('zerodb.table.row_deleted', 'deleted', '{}', hook_type => 'log')")
            .await?;
        session.run("INSERT INTO item VALUES (2)").await?;
        session.run("DELETE FROM item WHERE id = 2").await?;
        session
            .run("SELECT zerodb.update_hook(id, is_active => false) FROM zerodb.zerodb_hooks")
            .await?;
        session.run("DELETE FROM item").await?;
        assert_eq!(written(&session).await?, ["deleted 2"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_prefix_wants_the_types_below_it_and_no_other() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(TABLE).await?;
        session.run(&watch_all("item")).await?;
        session
            .run("SELECT zerodb.create_hook('zerodb.table.*', 'tables', '{}', hook_type => 'log')")
            .await?;
        session
            .run("SELECT zerodb.watch('item', 'zerodb.file.uploaded')")
            .await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        assert_eq!(session.event_types().await?, ["zerodb.table.row_inserted"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn capture_all_records_what_no_hook_wants() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(TABLE).await?;
        session.run(&watch_all("item")).await?;
        session.run("SET zerodb.capture = 'all'").await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        session.run("SET zerodb.capture = 'wanted'").await?;
        session.run("INSERT INTO item VALUES (2)").await?;
        assert_eq!(written(&session).await?, ["inserted 1"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hook_made_by_another_session_counts_from_its_commit_on() -> Result<()> {
    on_every_server(async |db| {
        let (writer, admin) = (db.session().await?, db.session().await?);
        writer.run(TABLE).await?;
        writer.run(&watch_all("item")).await?;
        writer.run("INSERT INTO item VALUES (1)").await?;
        admin.run(EVERYTHING).await?;
        writer.run("INSERT INTO item VALUES (2)").await?;
        admin
            .run("SELECT zerodb.delete_hook(id) FROM zerodb.zerodb_hooks")
            .await?;
        writer.run("INSERT INTO item VALUES (3)").await?;
        assert_eq!(written(&admin).await?, ["inserted 2"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_old_snapshot_is_not_remembered() -> Result<()> {
    on_every_server(async |db| {
        let (writer, admin) = (db.session().await?, db.session().await?);
        writer.run(TABLE).await?;
        writer.run(&watch_all("item")).await?;
        writer.run("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
        writer.run("SELECT count(*) FROM item").await?;
        admin.run(EVERYTHING).await?;
        writer.run("INSERT INTO item VALUES (1)").await?;
        writer.run("COMMIT").await?;
        writer.run("INSERT INTO item VALUES (2)").await?;
        assert!(written(&admin).await?.contains(&"inserted 2".to_owned()));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hook_made_in_the_same_transaction_counts() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(TABLE).await?;
        session.run(&watch_all("item")).await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        session
            .run(&format!(
                "BEGIN; {EVERYTHING}; INSERT INTO item VALUES (2); COMMIT"
            ))
            .await?;
        assert_eq!(written(&session).await?, ["inserted 2"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hook_that_was_rolled_back_is_forgotten() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(TABLE).await?;
        session.run(&watch_all("item")).await?;
        session
            .run(&format!(
                "BEGIN; SAVEPOINT s; {EVERYTHING}; INSERT INTO item VALUES (1); ROLLBACK TO s; INSERT INTO item VALUES (2); COMMIT"
            ))
            .await?;
        session.run("INSERT INTO item VALUES (3)").await?;
        assert_eq!(session.event_count().await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn two_transactions_never_share_an_event_id() -> Result<()> {
    on_every_server(async |db| {
        let (a, b) = (watched(&db).await?, db.session().await?);
        a.run("BEGIN; INSERT INTO item VALUES (1)").await?;
        b.run("BEGIN; INSERT INTO item VALUES (2)").await?;
        a.run("INSERT INTO item VALUES (3); COMMIT").await?;
        b.run("INSERT INTO item VALUES (4); COMMIT").await?;
        assert_eq!(a.number("SELECT count(DISTINCT id) FROM zerodb.events").await?, 4);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_tenant_comes_from_the_row_and_else_from_the_settings() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run(
                "CREATE TABLE item (id int PRIMARY KEY, user_id uuid, project_id text);
                SELECT zerodb.watch('item', 'zerodb.table.row_inserted')",
            )
            .await?;
        session.run(EVERYTHING).await?;
        session
            .run(&format!("INSERT INTO item VALUES (1, '{ALICE}', '{PROJECT}')"))
            .await?;
        session
            .run(&format!(
                "SET zerodb.user_id = '{ALICE}'; SET zerodb.project_id = '{PROJECT}'"
            ))
            .await?;
        session.run("INSERT INTO item VALUES (2)").await?;
        session
            .run("RESET zerodb.user_id; RESET zerodb.project_id")
            .await?;
        session
            .run("INSERT INTO item VALUES (3, NULL, 'not a uuid')")
            .await?;
        let tenants = session
            .rows("SELECT user_id, project_id FROM zerodb.outbox ORDER BY xid, ord")
            .await?;
        let alice = json!({"user_id": ALICE, "project_id": PROJECT});
        assert_eq!(
            tenants,
            [alice.clone(), alice, json!({"user_id": null, "project_id": null})]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_malformed_user_id_does_not_fail_a_write() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session.run("SET zerodb.user_id = 'nobody'; SET zerodb.project_id = '12'; SET zerodb.traceparent = '00-x'").await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        let rows = session.rows("SELECT user_id, project_id, traceparent FROM zerodb.outbox").await?;
        assert_eq!(rows, [json!({"user_id": null, "project_id": null, "traceparent": null})]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_trace_context_gives_the_trace_id() -> Result<()> {
    on_every_server(async |db| {
        let session = watched(&db).await?;
        session
            .run("SET zerodb.traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'")
            .await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        assert_eq!(
            session.text("SELECT trace_id FROM zerodb.events").await?,
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn reading_takes_no_transaction_id_and_may_be_done_by_several_processes() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run("SELECT zerodb.emit('on_recall', '{}') FROM generate_series(1, 3)")
            .await?;
        let always = match db.major() {
            16.. => "SET debug_parallel_query = on",
            _ => "SET force_parallel_mode = on",
        };
        for mode in ["RESET ALL", always] {
            // A session that has not read the salt yet in its transaction.
            session.run(&format!("{mode}; BEGIN READ ONLY")).await?;
            assert_eq!(
                session
                    .number("SELECT count(*) FROM zerodb.events AS e WHERE e.id LIKE 'evt_%'")
                    .await?,
                3,
                "{mode}"
            );
            let xid = "SELECT pg_current_xact_id_if_assigned() IS NULL";
            assert_eq!(session.text(xid).await?, "t", "{mode}");
            session.run("COMMIT").await?;
        }
        Ok(())
    })
    .await
}
