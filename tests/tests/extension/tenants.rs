//! Tenants apart: what one user may see and do, and what not.

use serde_json::json;
use zerodb_hooks_harness::{Database, Result, Session, on_every_server};

use crate::{ALICE, BOB};

/// Alice and Bob, each with a hook, an event and a delivery; sessions of a role with the rights of a user.
pub struct Two {
    pub admin: Session,
    pub alice: Session,
    pub bob: Session,
}

pub async fn two_users(db: &Database) -> Result<Two> {
    let admin = db.session().await?;
    let role = db.create_role("app").await?;
    admin.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
    let (alice, bob) = (db.session_as(&role).await?, db.session_as(&role).await?);
    for (session, user) in [(&alice, ALICE), (&bob, BOB)] {
        session.run(&format!("SET zerodb.user_id = '{user}'")).await?;
        session
            .run("SELECT zerodb.create_hook('*', 'mine', '{}', NULL, 'log')")
            .await?;
        session
            .run("SELECT zerodb.emit('on_import', '{\"bank_id\": \"b\"}')")
            .await?;
        session
            .run("SELECT zerodb.replay(id, '-infinity', 'infinity') FROM zerodb.list_hooks()")
            .await?;
    }
    admin
        .run(
            "INSERT INTO zerodb.attempt (delivery_id, started_at, attempt, duration_ms, slot, outcome, worker)
            SELECT id, now(), 1, 5, 0, 'failed', 'w' FROM zerodb.delivery",
        )
        .await?;
    Ok(Two { admin, alice, bob })
}

#[tokio::test]
async fn each_user_sees_hooks_events_deliveries_and_attempts_of_his_own() -> Result<()> {
    on_every_server(async |db| {
        let two = two_users(&db).await?;
        let views = [
            "zerodb_hooks",
            "list_hooks()",
            "events",
            "outbox",
            "deliveries",
            "delivery",
            "attempts",
            "attempt",
        ];
        for view in views {
            let count = format!("SELECT count(*) FROM zerodb.{view}");
            assert_eq!(two.admin.number(&count).await?, 2, "{view}");
            assert_eq!(two.alice.number(&count).await?, 1, "{view}");
            assert_eq!(two.bob.number(&count).await?, 1, "{view}");
        }
        for view in ["zerodb_hooks", "events", "deliveries"] {
            let users = two
                .alice
                .texts(&format!("SELECT user_id FROM zerodb.{view}"))
                .await?;
            assert_eq!(users, [ALICE], "{view}");
        }
        two.alice.run("RESET zerodb.user_id").await?;
        for view in views {
            assert_eq!(
                two.alice
                    .number(&format!("SELECT count(*) FROM zerodb.{view}"))
                    .await?,
                0,
                "{view}"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_hook_of_another_user_is_absent_and_not_forbidden() -> Result<()> {
    on_every_server(async |db| {
        let two = two_users(&db).await?;
        let id = two.bob.text("SELECT id FROM zerodb.list_hooks()").await?;
        for call in [
            "get_hook('{}')",
            "update_hook('{}', is_active => false)",
            "delete_hook('{}')",
            "replay('{}', '-infinity')",
        ] {
            let error = two
                .alice
                .error(&format!("SELECT zerodb.{}", call.replace("{}", &id)))
                .await?;
            assert_eq!(
                (error.code.as_str(), error.message),
                ("P0002", format!("hook {id} does not exist"))
            );
        }
        let left = two
            .admin
            .rows(&format!(
                "SELECT user_id, is_active FROM zerodb.zerodb_hooks WHERE user_id = '{BOB}'"
            ))
            .await?;
        assert_eq!(left, [json!({"user_id": BOB, "is_active": true})]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_event_of_another_user_is_absent() -> Result<()> {
    on_every_server(async |db| {
        let two = two_users(&db).await?;
        let id = two.bob.text("SELECT id FROM zerodb.events").await?;
        for call in [
            format!("event_json('{id}')"),
            format!("await_event('{id}', '0 s')"),
        ] {
            assert_eq!(
                two.alice.error(&format!("SELECT zerodb.{call}")).await?.code,
                "P0002",
                "{call}"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_delivery_of_another_user_is_absent() -> Result<()> {
    on_every_server(async |db| {
        let two = two_users(&db).await?;
        let id = two.bob.text("SELECT id FROM zerodb.deliveries").await?;
        for call in ["redeliver", "discard"] {
            assert_eq!(
                two.alice
                    .error(&format!("SELECT zerodb.{call}({id})"))
                    .await?
                    .code,
                "P0002",
                "{call}"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_replay_cannot_reach_the_events_of_another_user() -> Result<()> {
    on_every_server(async |db| {
        let two = two_users(&db).await?;
        let replayed = "SELECT zerodb.replay(id, '-infinity', 'infinity') FROM zerodb.list_hooks()";
        assert_eq!(two.alice.number(replayed).await?, 1);
        // Nor by writing the delivery oneself, for her own hook and for his.
        let bobs = two
            .admin
            .json(&format!(
                "SELECT to_jsonb(o) FROM zerodb.outbox AS o WHERE user_id = '{BOB}'"
            ))
            .await?;
        let (xid, slot) = (bobs["xid"].as_str().unwrap_or_default(), &bobs["slot"]);
        for (owner, hook_of) in [(ALICE, ALICE), (ALICE, BOB), (BOB, BOB)] {
            let hook = two
                .admin
                .text(&format!(
                    "SELECT id FROM zerodb.zerodb_hooks WHERE user_id = '{hook_of}'"
                ))
                .await?;
            let insert = format!(
                "INSERT INTO zerodb.delivery (event_xid, event_ord, event_slot, hook_id, user_id, due_at)
                VALUES ('{xid}', 0, {slot}, '{hook}', '{owner}', now())"
            );
            assert_eq!(two.alice.error(&insert).await?.code, "42501", "{owner} {hook_of}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_user_can_do_what_a_user_does() -> Result<()> {
    on_every_server(async |db| {
        let Two { alice, .. } = two_users(&db).await?;
        let id = alice.text("SELECT id FROM zerodb.list_hooks()").await?;
        let event = alice.text("SELECT zerodb.emit('on_import', '{}')").await?;
        for call in [
            format!("get_hook('{id}')"),
            format!("update_hook('{id}', '{{\"when\": \"$.bank_id == \\\"b\\\"\"}}', true)"),
            format!("replay('{id}', '-infinity', 'infinity', true)"),
            format!("replay('{id}', '-infinity', 'infinity')"),
            "redeliver((SELECT min(id) FROM zerodb.deliveries))".into(),
            "discard((SELECT min(id) FROM zerodb.deliveries))".into(),
            format!("event_json('{event}')"),
            format!("await_event('{event}', '0 s')"),
            "wait_idle('0 s')".into(),
            "status()".into(),
            format!("delete_hook('{id}')"),
        ] {
            alice.run(&format!("SELECT zerodb.{call}")).await?;
        }
        alice
            .run("SELECT * FROM zerodb.watches; SELECT * FROM zerodb.event_types")
            .await
    })
    .await
}

#[tokio::test]
async fn a_user_replays_and_discards_in_order_and_sees_his_own_order_only() -> Result<()> {
    on_every_server(async |db| {
        let Two { admin, alice, bob } = two_users(&db).await?;
        for user in [&alice, &bob] {
            user.run(r#"SELECT zerodb.create_hook('*', 'ordered', '{"order_by": "$.bank_id"}', NULL, 'log')"#)
                .await?;
            user.run("SELECT zerodb.emit('on_import', '{\"bank_id\": \"b\"}')").await?;
            let replay = "SELECT zerodb.replay(id, '-infinity', 'infinity') FROM zerodb.list_hooks() WHERE hook_name = 'ordered'";
            assert_eq!(user.number(replay).await?, 2);
        }
        for table in ["order_queue", "order_signal"] {
            let count = format!("SELECT count(*) FROM zerodb.{table}");
            assert_eq!(admin.number(&count).await?, 4, "{table}");
            assert_eq!(alice.number(&count).await?, 2, "{table}");
        }
        // What is blocked waits too, is discarded one by one, and can be delivered again.
        assert_eq!(alice.number("SELECT (zerodb.status() ->> 'waiting_deliveries')::int").await?, 3);
        assert_eq!(alice.text("SELECT zerodb.wait_idle('0 s')").await?, "f");
        let last = alice.text("SELECT max(id) FROM zerodb.deliveries").await?;
        alice.run(&format!("SELECT zerodb.discard({last})")).await?;
        assert_eq!(alice.number("SELECT count(*) FROM zerodb.order_queue").await?, 1);
        alice.run(&format!("SELECT zerodb.redeliver({last})")).await?;
        assert_eq!(alice.number("SELECT count(*) FROM zerodb.order_queue").await?, 2);
        alice.run("SELECT zerodb.delete_hook(id) FROM zerodb.list_hooks() WHERE hook_name = 'ordered'").await?;
        assert_eq!(admin.number("SELECT count(*) FROM zerodb.order_queue").await?, 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_user_replays_by_the_predicate_of_his_hook() -> Result<()> {
    on_every_server(async |db| {
        let Two { alice, .. } = two_users(&db).await?;
        let when = r#"{"when": "$.bank_id == \"other\""}"#;
        alice.run(&format!("SELECT zerodb.create_hook('*', 'some', '{when}', NULL, 'log')")).await?;
        alice.run("SELECT zerodb.emit('on_import', '{\"bank_id\": \"other\"}')").await?;
        let replay = "SELECT zerodb.replay(id, '-infinity', 'infinity') FROM zerodb.list_hooks() WHERE hook_name = 'some'";
        assert_eq!(alice.number(replay).await?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_user_watches_his_own_table_only() -> Result<()> {
    on_every_server(async |db| {
        let Two { admin, alice, .. } = two_users(&db).await?;
        admin
            .run("GRANT CREATE ON SCHEMA public TO PUBLIC; CREATE TABLE foreign_table (id int)")
            .await?;
        alice.run("CREATE TABLE mine (id int PRIMARY KEY)").await?;
        alice
            .run("SELECT zerodb.watch('mine', 'zerodb.table.row_inserted')")
            .await?;
        alice.run("INSERT INTO mine VALUES (1)").await?;
        assert_eq!(
            alice
                .number("SELECT count(*) FROM zerodb.events WHERE event LIKE '%inserted'")
                .await?,
            1
        );
        let error = alice
            .error("SELECT zerodb.watch('foreign_table', 'zerodb.table.row_inserted')")
            .await?;
        assert_eq!(error.code, "42501");
        alice.run("SELECT zerodb.unwatch('mine')").await
    })
    .await
}

#[tokio::test]
async fn an_administrator_acts_for_every_user() -> Result<()> {
    on_every_server(async |db| {
        let two = two_users(&db).await?;
        let role = db.create_role("admin").await?;
        two.admin
            .run(&format!("SELECT zerodb.grant_admin('{role}')"))
            .await?;
        let admin = db.session_as(&role).await?;
        for view in ["zerodb_hooks", "events", "deliveries", "attempts"] {
            assert_eq!(
                admin
                    .number(&format!("SELECT count(*) FROM zerodb.{view}"))
                    .await?,
                2,
                "{view}"
            );
        }
        let made = admin
            .json("SELECT to_jsonb(zerodb.create_hook('*', 'all', hook_type => 'log'))")
            .await?;
        assert_eq!(made["user_id"], json!("00000000-0000-0000-0000-000000000000"));
        admin
            .run(
                &format!("SELECT zerodb.create_hook('*', 'for her', '{{}}', NULL, 'log', '{ALICE}')")
                    .replace("for her", "hers"),
            )
            .await?;
        admin.run("SELECT zerodb.emit('on_import', '{}')").await?;
        admin
            .run("SELECT zerodb.register_event_type('order.created', 'app', '{id}', 'x')")
            .await?;
        admin
            .run("SELECT zerodb.status(), zerodb.wait_idle('0 s')")
            .await?;
        assert_eq!(
            admin
                .number("SELECT count(*) FROM zerodb.events WHERE user_id IS NULL")
                .await?,
            1
        );
        Ok(())
    })
    .await
}
