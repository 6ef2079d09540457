//! The audit trail: what is in it, who is named in it, and how long it stays.

use serde_json::{Value, json};
use zerodb_hooks_harness::{Database, Result, Session, on_every_server};

use crate::dump::dump_and_restore;
use crate::{ALICE, BOB};

/// A superuser's session, and one of a role that acts for Alice.
async fn two_sessions(db: &Database) -> Result<(Session, Session, String)> {
    let admin = db.session().await?;
    let role = db.create_role("app").await?;
    admin.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
    let theirs = db.session_as(&role).await?;
    theirs.run(&format!("SET zerodb.user_id = '{ALICE}'")).await?;
    Ok((admin, theirs, role))
}

/// What has happened, oldest first.
async fn actions(session: &Session) -> Result<Vec<String>> {
    session
        .texts("SELECT action FROM zerodb.audit WHERE action NOT LIKE 'rights.%' ORDER BY id")
        .await
}

async fn last(session: &Session) -> Result<Value> {
    let rows = session
        .rows("SELECT * FROM zerodb.audit ORDER BY id DESC LIMIT 1")
        .await?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

async fn webhook(session: &Session) -> Result<String> {
    session
        .text(
            r#"SELECT id FROM zerodb.create_hook('on_recall', 'ship', '{"url": "https://example.com/a", "retry_count": 1}',
                hook_type => 'webhook')"#,
        )
        .await
}

#[tokio::test]
async fn what_is_done_to_a_hook_is_there_with_who_did_it() -> Result<()> {
    on_every_server(async |db| {
        let (_, theirs, role) = two_sessions(&db).await?;
        let hook = webhook(&theirs).await?;
        theirs
            .run(&format!(
                r#"SELECT zerodb.update_hook('{hook}', '{{"url": "https://example.com/a", "retry_count": 7}}');
                SELECT zerodb.update_hook('{hook}', is_active => false); SELECT zerodb.update_hook('{hook}', is_active => true);
                SELECT zerodb.update_hook('{hook}', is_active => true); SELECT zerodb.rotate_secret('{hook}')"#
            ))
            .await?;
        assert_eq!(
            actions(&theirs).await?,
            ["hook.created", "hook.changed", "hook.disabled", "hook.enabled", "secret.rotated"]
        );
        let changed = theirs.rows("SELECT * FROM zerodb.audit WHERE action = 'hook.changed'").await?;
        assert_eq!(changed[0]["before"], json!({"hook_config": {"retry_count": 1}}));
        assert_eq!(changed[0]["after"], json!({"hook_config": {"retry_count": 7}}));
        for (name, value) in [("session_role", &role), ("role", &role), ("object", &"ship".into()), ("hook_id", &hook)] {
            assert_eq!(changed[0][name], json!(value), "{name}");
        }
        assert_eq!((&changed[0]["acting_for"], &changed[0]["user_id"]), (&json!(ALICE), &json!(ALICE)));
        Ok(())
    })
    .await
}

/// Who has logged in, and as whom it then called.
#[tokio::test]
async fn a_role_that_was_set_is_named_beside_the_one_that_has_logged_in() -> Result<()> {
    on_every_server(async |db| {
        let (admin, theirs, role) = two_sessions(&db).await?;
        let hook = webhook(&theirs).await?;
        admin.run(&format!("SELECT zerodb.take_hook('{hook}')")).await?;
        admin
            .run(&format!(
                "SET ROLE {role}; SET zerodb.user_id = '{ALICE}'; SELECT zerodb.delete_hook('{hook}')"
            ))
            .await?;
        let deleted = last(&theirs).await?;
        admin.run("RESET ROLE; RESET zerodb.user_id").await?;
        let superuser = admin.text("SELECT session_user").await?;
        assert_eq!(
            (&deleted["session_role"], &deleted["role"]),
            (&json!(superuser), &json!(role))
        );
        let taken = theirs
            .rows("SELECT * FROM zerodb.audit WHERE action = 'hook.taken'")
            .await?;
        assert_eq!(
            (&taken[0]["before"], &taken[0]["after"]),
            (&json!({"owner": role}), &json!({"owner": superuser}))
        );
        assert_eq!(taken[0]["acting_for"], Value::Null);
        Ok(())
    })
    .await
}

/// The current role at the call, which a trigger further in is not told.
#[tokio::test]
async fn a_function_that_runs_as_its_owner_is_named_by_it() -> Result<()> {
    on_every_server(async |db| {
        let (admin, theirs, role) = two_sessions(&db).await?;
        let hook = webhook(&theirs).await?;
        admin
            .run(&format!(
                "CREATE FUNCTION pause(uuid) RETURNS void LANGUAGE sql SECURITY DEFINER SET zerodb.user_id = '{ALICE}'
                    AS 'SELECT zerodb.update_hook($1, is_active => false)';
                ALTER FUNCTION pause OWNER TO {role}; SELECT pause('{hook}')"
            ))
            .await?;
        let paused = last(&theirs).await?;
        assert_eq!(paused["action"], json!("hook.disabled"));
        assert_eq!(paused["role"], json!(role));
        assert_ne!(paused["session_role"], json!(role));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_direct_write_is_there_too_and_what_is_undone_is_not() -> Result<()> {
    on_every_server(async |db| {
        let (admin, theirs, role) = two_sessions(&db).await?;
        let hook = webhook(&theirs).await?;
        // A call that failed leaves its caller behind for nobody.
        admin
            .run(&format!(
                "BEGIN; SET LOCAL ROLE {role}; SET LOCAL zerodb.user_id = '{ALICE}'; SAVEPOINT s; SELECT zerodb.update_hook('{hook}', is_active => false)"
            ))
            .await?;
        assert_eq!(admin.error("SELECT zerodb.delete_hook(gen_random_uuid())").await?.code, "P0002");
        admin
            .run("ROLLBACK TO s; RESET ROLE; SET LOCAL session_replication_role = replica; UPDATE zerodb.zerodb_hooks SET is_active = false; COMMIT")
            .await?;
        let row = last(&admin).await?;
        assert_eq!((&row["action"], &row["role"]), (&json!("hook.disabled"), &row["session_role"]), "{row}");
        admin.run("TRUNCATE zerodb.zerodb_hooks CASCADE").await?;
        assert_eq!(actions(&theirs).await?, ["hook.created", "hook.disabled", "hook.deleted"]);
        assert_eq!(last(&admin).await?["before"]["hook_config"], json!({"url": "https://example.com/…", "retry_count": 1}));
        Ok(())
    })
    .await
}

/// What is secret about a config of a handler of one's own only its author knows.
#[tokio::test]
async fn no_value_that_may_be_a_secret_is_in_the_trail() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run(
                r#"SELECT zerodb.create_hook('on_recall', 'own', '{"api": "canary-1", "deep": {"key": "canary-2"}, "list": ["canary-3"],
                    "url": "https://canary-4:canary-5@example.com/canary-6?key=canary-7#canary-8", "secret": "canary-9",
                    "message": "canary-10", "size": 12}', hook_type => 'function');
                SELECT zerodb.update_hook(id, '{"api": "canary-11", "size": 12}') FROM zerodb.list_hooks();
                SELECT zerodb.create_hook('on_recall', 'sent', '{"url": "https://hooks.example.com/services/canary-12?x=canary-13",
                    "headers": {"X-Kind": "canary-14"}, "body_template": "{\"text\": \"canary-15\"}",
                    "secret": "${ZERODB_SECRET_A}"}', hook_type => 'webhook');
                SELECT zerodb.delete_hook(id) FROM zerodb.list_hooks()"#,
            )
            .await?;
        let all = session.text("SELECT string_agg(a::text, ' ') FROM zerodb.audit AS a").await?;
        assert!(!all.contains("canary"), "{all}");
        let changed = session.json("SELECT after FROM zerodb.audit WHERE action = 'hook.changed'").await?;
        assert_eq!(changed, json!({"hook_config": {"api": "…"}}), "what did not change is not there");
        let sent = session.json("SELECT after -> 'hook_config' FROM zerodb.audit WHERE action = 'hook.created' AND object = 'sent'");
        let expected = json!({"url": "https://hooks.example.com/…", "headers": "…", "body_template": "…", "secret": "${ZERODB_SECRET_A}"});
        assert_eq!(sent.await?, expected);
        Ok(())
    })
    .await
}

/// What an administrator changes, once more than it makes a difference.
const BY_ADMIN: &str = "
    CREATE TABLE doc (id int PRIMARY KEY, body text); ALTER TABLE doc OWNER TO %role;
    SELECT zerodb.register_event_type('app.doc', 'app', '{id}', ''), zerodb.register_event_type('app.doc', 'app', '{id}', '');
    SELECT zerodb.bind_tenant('%role', 'aaaaaaaa-0000-4000-8000-000000000001'), zerodb.grant_worker('%role'), zerodb.unbind_tenant('%role');
    INSERT INTO zerodb.endpoint (name) VALUES ('provider'); SELECT zerodb.resume_endpoint('provider')";
/// The same of a user.
const BY_USER: &str = "
    SELECT zerodb.watch('doc', 'app.doc'), zerodb.watch('doc', 'app.doc'),
        zerodb.watch('doc', 'app.doc', operations => '{insert,delete}'), zerodb.unwatch('doc');
    SELECT zerodb.set_budget(10), zerodb.set_budget(20), zerodb.set_budget(), zerodb.set_budget();
    SELECT zerodb.create_hook('on_recall', 'log', hook_type => 'log'); SELECT zerodb.emit('on_recall', '{}');
    SELECT zerodb.replay(id, '-infinity', 'infinity') FROM zerodb.list_hooks();
    SELECT zerodb.replay(id, '-infinity', dry_run => true) FROM zerodb.list_hooks();
    SELECT zerodb.redeliver(id) FROM zerodb.deliveries; SELECT zerodb.discard(id) FROM zerodb.deliveries";

#[tokio::test]
async fn all_that_changes_what_acts_later_is_in_the_trail() -> Result<()> {
    on_every_server(async |db| {
        let (admin, theirs, role) = two_sessions(&db).await?;
        admin.run(&BY_ADMIN.replace("%role", &role)).await?;
        theirs.run(BY_USER).await?;
        let rows = admin
            .texts("SELECT concat_ws(' ', action, object) FROM zerodb.audit WHERE action NOT LIKE 'delivery.%' AND object <> 'hooks_worker' ORDER BY id")
            .await?;
        let expected = [
            format!("rights.granted {role}"), "event_type.registered app.doc".into(), format!("tenant.bound {role}"),
            format!("rights.granted {role}"), format!("tenant.unbound {role}"), "endpoint.resumed provider".into(),
            "watch.made public.doc".into(), "watch.changed public.doc".into(), "watch.removed public.doc".into(),
            "budget.set *".into(), "budget.set *".into(), "budget.removed *".into(), "hook.created log".into(),
            "hook.replayed log".into(),
        ];
        assert_eq!(rows, expected);
        let budget = admin.rows("SELECT * FROM zerodb.audit WHERE action = 'budget.set' ORDER BY id DESC LIMIT 1").await?;
        assert_eq!((&budget[0]["before"]["tokens_per_day"], &budget[0]["after"]["tokens_per_day"]), (&json!(10), &json!(20)));
        let by_hand = theirs.texts("SELECT action FROM zerodb.audit WHERE hook_id IS NOT NULL AND object <> 'log' ORDER BY id");
        assert_eq!(by_hand.await?, ["delivery.redelivered", "delivery.discarded"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_restore_brings_the_trail_and_adds_nothing() -> Result<()> {
    on_every_server(async |db| {
        let (session, theirs, _) = two_sessions(&db).await?;
        webhook(&theirs).await?;
        drop(theirs);
        let trail = "SELECT to_jsonb(a) FROM zerodb.audit AS a ORDER BY id";
        let before = session.rows(trail).await?;
        assert_eq!(before.len(), 3);
        let session = dump_and_restore(&db).await?;
        assert_eq!(session.rows(trail).await?, before);
        session
            .run("SELECT zerodb.delete_hook(id) FROM zerodb.zerodb_hooks")
            .await?;
        assert_eq!(actions(&session).await?, ["hook.created", "hook.deleted"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn rows_go_with_their_retention_and_no_earlier() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run(&format!(
                "INSERT INTO zerodb.audit (at, action, user_id, object, session_role, role)
                SELECT now() - n * interval '100 days', 'hook.changed', '{BOB}', n, 'x', 'x' FROM generate_series(9, 1, -1) AS n"
            ))
            .await?;
        let prune = "SELECT zerodb._prune_audit(4)";
        session.run("SET zerodb.audit_retention = 0").await?;
        assert_eq!(session.text(prune).await?, "f");
        session.run("SET zerodb.audit_retention = '250 d'").await?;
        let left = "SELECT object FROM zerodb.audit WHERE object <> 'hooks_worker' ORDER BY id";
        assert_eq!(session.text(prune).await?, "t");
        assert!(session.texts(left).await?.len() > 4, "a step is bounded");
        for more in ["t", "t", "f"] {
            assert_eq!(session.text(prune).await?, more);
        }
        assert_eq!(session.texts(left).await?, ["2", "1"]);
        for sql in ["DELETE FROM zerodb.audit", "UPDATE zerodb.audit SET object = ''", "TRUNCATE zerodb.audit"] {
            assert_eq!(session.error(sql).await?.code, "42501", "{sql}");
        }
        assert_eq!(session.texts(left).await?, ["2", "1"]);
        // What a superuser sets is told by nobody but the worker, which looks.
        session.run("SELECT zerodb._note_settings(), zerodb._note_settings()").await?;
        let noted = session
            .texts("SELECT concat_ws(' ', before, after) FROM zerodb.audit WHERE object = 'zerodb.audit_retention'")
            .await?;
        assert_eq!(noted, [r#"{"value": "31622400"} {"value": "21600000"}"#]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_trail_is_listed_newest_first_page_by_page() -> Result<()> {
    on_every_server(async |db| {
        let (admin, theirs, _) = two_sessions(&db).await?;
        let hook = webhook(&theirs).await?;
        for count in 2..5 {
            theirs
                .run(&format!(
                    r#"SELECT zerodb.update_hook('{hook}', '{{"url": "https://example.com/a", "retry_count": {count}}}')"#
                ))
                .await?;
        }
        let page = |before: &str| {
            format!("SELECT (l.after #>> '{{hook_config,retry_count}}') || ' ' || l.id FROM zerodb.list_audit('{hook}', {before}, 2) AS l")
        };
        let first = theirs.texts(&page("NULL")).await?;
        assert!(first[0].starts_with("4 ") && first[1].starts_with("3 "), "{first:?}");
        let cursor = first[1].rsplit(' ').next().unwrap_or_default().to_owned();
        let second = theirs.texts(&page(&cursor)).await?;
        assert!(second[0].starts_with("2 ") && second[1].starts_with("1 "), "{second:?}");
        let count = |of: &str| format!("SELECT count(*) FROM zerodb.list_audit(user_id => {of})");
        assert_eq!(admin.number(&count("NULL")).await?, 6, "also what is everybody's");
        assert_eq!(admin.number(&count(&format!("'{ALICE}'"))).await?, 4);
        assert_eq!(theirs.number(&count("NULL")).await?, 4);
        assert_eq!(theirs.error(&count(&format!("'{BOB}'"))).await?.code, "42501");
        assert_eq!(theirs.error("SELECT zerodb.list_audit(max_rows => 1001)").await?.code, "22023");
        Ok(())
    })
    .await
}
