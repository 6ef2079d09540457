//! What outlives what: a dump and its restore, and the user's tables when the extension is dropped.

use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, ensure};
use serde_json::json;
use zerodb_hooks_harness::{Database, Result, Session, on_every_server};

use crate::usage::{Use, record, roll_up, used};
use crate::{ALICE, BOB, EVERYTHING, watch_all, watched, written};

const LOG: &str = "CREATE TABLE log (id int, region text) PARTITION BY LIST (region);
    CREATE TABLE log_eu PARTITION OF log FOR VALUES IN ('eu'); CREATE TABLE log_us PARTITION OF log FOR VALUES IN ('us')";

/// Dumps the database with everything, puts it aside and restores the dump under the old name.
pub(crate) async fn dump_and_restore(db: &Database) -> Result<Session> {
    let dump = db
        .cluster
        .client_program("pg_dump")
        .args(["--create", &db.name])
        .output()?;
    ensure!(
        dump.status.success(),
        "pg_dump: {}",
        String::from_utf8_lossy(&dump.stderr)
    );
    let server = db.cluster.session("postgres").await?;
    server
        .run(&format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{}'",
            db.name
        ))
        .await?;
    server
        .run(&format!("ALTER DATABASE {0} RENAME TO {0}_aside", db.name))
        .await?;
    let mut psql = db
        .cluster
        .client_program("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    psql.stdin
        .take()
        .context("psql has a stdin")?
        .write_all(&dump.stdout)?;
    let restored = psql.wait_with_output()?;
    server.run(&format!("DROP DATABASE {}_aside", db.name)).await?;
    ensure!(
        restored.status.success(),
        "psql: {}",
        String::from_utf8_lossy(&restored.stderr)
    );
    db.session().await
}

/// A database with one of everything that a user makes.
async fn furnished(db: &Database) -> Result<Session> {
    let session = watched(db).await?;
    let app = db.create_role("app").await?;
    session.run(&format!("SELECT zerodb.grant_user('{app}')")).await?;
    let theirs = db.session_as(&app).await?;
    theirs.run(&format!("SET zerodb.user_id = '{ALICE}'")).await?;
    theirs
        .run(r#"SELECT zerodb.create_hook('*', 'hers', '{"when": "$.row_id > 5", "order_by": "$.row_id"}', NULL, 'log')"#)
        .await?;
    theirs
        .run("SELECT zerodb.create_hook('on_import', 'paused', hook_type => 'log')")
        .await?;
    theirs
        .run("SELECT zerodb.update_hook(id, is_active => false) FROM zerodb.list_hooks('on_import')")
        .await?;
    session
        .run("SELECT zerodb.register_event_type('order.created', 'shop', '{id}', 'an order')")
        .await?;
    session.run(LOG).await?;
    session.run(&watch_all("log")).await?;
    session
        .run("INSERT INTO item VALUES (1); INSERT INTO log VALUES (2, 'eu')")
        .await?;
    session
        .run("SELECT zerodb.replay(id, '-infinity', 'infinity') FROM zerodb.zerodb_hooks")
        .await?;
    session
        .run(&format!(
            "ALTER DATABASE {} SET zerodb.retention = '2 h'",
            db.name
        ))
        .await?;
    Ok(session)
}

#[tokio::test]
async fn restore_keeps_hooks_their_owners_and_event_types() -> Result<()> {
    on_every_server(async |db| {
        let session = furnished(&db).await?;
        let kept = [
            "SELECT * FROM zerodb.zerodb_hooks ORDER BY id",
            "SELECT hook_id, owner::regrole, owner_name, predicate::text, order_by::text FROM zerodb.hook_detail ORDER BY hook_id",
            "SELECT * FROM zerodb.event_types ORDER BY name",
        ];
        let mut before = Vec::new();
        for query in kept {
            before.push(session.rows(query).await?);
        }
        assert!(
            before[1]
                .iter()
                .any(|row| row["owner_name"] == json!(format!("{}_app", db.name)))
        );
        let session = dump_and_restore(&db).await?;
        for (query, before) in kept.iter().zip(before) {
            assert_eq!(session.rows(query).await?, before, "{query}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn restore_keeps_watches_and_settings() -> Result<()> {
    on_every_server(async |db| {
        let session = furnished(&db).await?;
        let watches = "SELECT target::text, event_type, columns, operations FROM zerodb.watches ORDER BY 1, 2";
        let before = session.rows(watches).await?;
        let session = dump_and_restore(&db).await?;
        assert_eq!(session.rows(watches).await?, before);
        session.run("INSERT INTO item VALUES (3); INSERT INTO log VALUES (4, 'us'); UPDATE log SET region = 'eu' WHERE id = 4").await?;
        session.run("INSERT INTO log_eu VALUES (5, 'eu')").await?;
        session.run("SET session_replication_role = replica; DELETE FROM log WHERE id = 5").await?;
        let events = written(&session).await?;
        assert_eq!(events, ["inserted 3", "inserted null", "updated null", "inserted null", "deleted null"]);
        assert_eq!(session.text("SHOW zerodb.retention").await?, "2h");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn restore_brings_no_old_events_and_no_old_ids() -> Result<()> {
    on_every_server(async |db| {
        let session = furnished(&db).await?;
        let id_of_one = "SELECT zerodb._event_id('1', 1)";
        let old_id = session.text(id_of_one).await?;
        let last_delivery = session.number("SELECT max(id) FROM zerodb.deliveries").await?;
        assert!(session.event_count().await? > 0);
        let session = dump_and_restore(&db).await?;
        for table in [
            "outbox",
            "delivery",
            "attempt",
            "lease",
            "order_queue",
            "order_signal",
        ] {
            assert_eq!(
                session
                    .number(&format!("SELECT count(*) FROM zerodb.{table}"))
                    .await?,
                0,
                "{table}"
            );
        }
        assert_eq!(session.number("SELECT count(*) FROM zerodb.instance").await?, 1);
        assert_ne!(session.text(id_of_one).await?, old_id);
        session.run("INSERT INTO item VALUES (9)").await?;
        session
            .run("SELECT zerodb.replay(id, '-infinity', 'infinity') FROM zerodb.zerodb_hooks")
            .await?;
        assert!(session.number("SELECT min(id) FROM zerodb.deliveries").await? > last_delivery);
        // The place in the log is of this server.
        assert_eq!(
            session.json("SELECT zerodb.status()").await?["undispatched_events"],
            json!(1)
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn restore_keeps_the_grants() -> Result<()> {
    on_every_server(async |db| {
        let session = furnished(&db).await?;
        let (boss, hand) = (db.create_role("boss").await?, db.create_role("hand").await?);
        session
            .run(&format!(
                "SELECT zerodb.grant_admin('{boss}'), zerodb.grant_worker('{hand}')"
            ))
            .await?;
        dump_and_restore(&db).await?;
        let app = db.session_as(&format!("{}_app", db.name)).await?;
        app.run(&format!("SET zerodb.user_id = '{ALICE}'")).await?;
        app.run("SELECT zerodb.create_hook('*', 'new', hook_type => 'log'), zerodb.emit('on_import', '{}')")
            .await?;
        assert_eq!(
            app.number("SELECT count(*) FROM zerodb.list_hooks(active_only => false)")
                .await?,
            3
        );
        assert_eq!(app.error("SELECT * FROM zerodb.hook_detail").await?.code, "42501");
        let boss = db.session_as(&boss).await?;
        assert_eq!(boss.number("SELECT count(*) FROM zerodb.zerodb_hooks").await?, 4);
        let hand = db.session_as(&hand).await?;
        assert_eq!(hand.number("SELECT count(*) FROM zerodb.outbox").await?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hook_matches_by_its_predicate_after_a_restore() -> Result<()> {
    on_every_server(async |db| {
        furnished(&db).await?;
        let session = dump_and_restore(&db).await?;
        session.run(&format!("SET zerodb.user_id = '{ALICE}'; INSERT INTO item VALUES (4), (7)")).await?;
        let count = "SELECT zerodb.replay(id, '-infinity', 'infinity', true) FROM zerodb.zerodb_hooks WHERE hook_name = 'hers'";
        assert_eq!(session.number(count).await?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn drop_extension_leaves_the_users_tables_whole_and_writable() -> Result<()> {
    on_every_server(async |db| {
        let (session, other) = (furnished(&db).await?, db.session().await?);
        session.run("SELECT zerodb.create_store(dimensions => 3)").await?;
        session.run("INSERT INTO zerodb_store.files (file_name) VALUES ('a')").await?;
        other.run("INSERT INTO item VALUES (10)").await?;
        session.run("DROP EXTENSION zerodb_hooks").await?;
        assert_eq!(session.number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'zerodb%'").await?, 0);
        for session in [&session, &other] {
            session
                .run(
                    "INSERT INTO item (id) SELECT max(id) + 1 FROM item; UPDATE item SET name = 'x';
                    INSERT INTO log VALUES (6, 'us'); UPDATE log SET region = 'eu' WHERE id = 6; DELETE FROM log WHERE id = 6",
                )
                .await?;
            session.run("INSERT INTO zerodb_store.vectors (content) VALUES ('x'); UPDATE zerodb_store.files SET content = 'y'").await?;
        }
        assert_eq!(session.number("SELECT count(*) FROM item").await?, 4);
        assert_eq!(session.number("SELECT count(*) FROM zerodb_store.vectors").await?, 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn create_extension_again_works_in_sessions_that_knew_the_old_one() -> Result<()> {
    on_every_server(async |db| {
        let (session, other) = (furnished(&db).await?, db.session().await?);
        session.run("SELECT zerodb.create_store(dimensions => 3)").await?;
        other.run("INSERT INTO item VALUES (10)").await?;
        session.run("DROP EXTENSION zerodb_hooks").await?;
        session.run("CREATE EXTENSION zerodb_hooks").await?;
        session.run(&watch_all("item")).await?;
        session.run("SELECT zerodb.create_store(dimensions => 3)").await?;
        session.run(EVERYTHING).await?;
        other.run("INSERT INTO item VALUES (11)").await?;
        session.run("INSERT INTO item VALUES (12)").await?;
        assert_eq!(written(&session).await?, ["inserted 11", "inserted 12"]);
        session
            .run("INSERT INTO zerodb_store.vectors (content) VALUES ('x')")
            .await?;
        assert_eq!(session.event_types().await?[2], "zerodb.vector.stored");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_constant_user_of_a_watch_survives_and_that_of_a_dropped_table_does_not() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let watch = |table: &str| {
            format!(
                r#"CREATE TABLE {table} (id int);
                SELECT zerodb.watch('{table}', 'zerodb.table.row_inserted', '{{"user_id": {{"value": "{ALICE}"}}}}')"#
            )
        };
        session
            .run(&format!("{}; {}; DROP TABLE gone; {EVERYTHING}", watch("kept"), watch("gone")))
            .await?;
        let restored = dump_and_restore(&db).await?;
        restored.run("INSERT INTO kept VALUES (1)").await?;
        assert_eq!(restored.text("SELECT user_id FROM zerodb.outbox").await?, ALICE);
        assert_eq!(restored.texts("SELECT target FROM zerodb.watch_tenant").await?, ["kept"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_restore_keeps_usage_and_budgets() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run(&format!(
                "SELECT zerodb.set_budget(100, user_id => '{ALICE}'), zerodb.set_budget(NULL, 7, handler => 'auto_graph')"
            ))
            .await?;
        let bobs = Use { user: BOB, ..used(10) };
        record(&session, &[used(60)], false).await?;
        roll_up(&session, "-1 s", 10).await?;
        record(&session, &[used(20), bobs], true).await?;
        let kept = ["SELECT * FROM zerodb.usage ORDER BY user_id", "SELECT user_id, handler, imposed, tokens_per_day, tokens_today, tokens_left, requests_per_minute FROM zerodb.budgets ORDER BY user_id, handler"];
        let mut before = Vec::new();
        for query in kept {
            before.push(session.rows(query).await?);
        }
        drop(session);
        let session = dump_and_restore(&db).await?;
        for (query, before) in kept.iter().zip(before) {
            let after = session.rows(query).await?;
            assert_eq!(after.len(), before.len(), "{query}");
            assert_eq!(after, before, "{query}");
        }
        Ok(())
    })
    .await
}
