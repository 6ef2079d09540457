//! Least privilege: what the three grants give, what nobody has, and that functions cannot be led astray.

use zerodb_hooks_harness::{Result, on_every_server};

use crate::ALICE;

/// The calls of every function with arguments of the right types, as SQL, and the function's signature before a tab.
const EVERY_FUNCTION: &str = "SELECT p.oid::regprocedure || E'\\t' || format('SELECT %I.%I(%s)', 'zerodb', p.proname,
        (SELECT string_agg(format('NULL::%s', format_type(t, NULL)), ', ' ORDER BY n)
        FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS u (t, n)))
    FROM pg_proc AS p WHERE p.pronamespace = 'zerodb'::regnamespace AND p.prorettype NOT IN ('trigger'::regtype, 'internal'::regtype)
    ORDER BY 1";

const EVERY_RELATION: &str = "SELECT oid::regclass::text FROM pg_class
    WHERE relnamespace = 'zerodb'::regnamespace AND relkind IN ('r', 'p', 'v', 'S') ORDER BY 1";

#[tokio::test]
async fn a_role_without_a_grant_is_denied_everything() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        let stranger = db.session_as(&db.create_role("stranger").await?).await?;
        for call in admin.texts(EVERY_FUNCTION).await? {
            let (signature, sql) = call.split_once('\t').unwrap_or_default();
            assert_eq!(stranger.error(sql).await?.code, "42501", "{signature}");
        }
        for relation in admin.texts(EVERY_RELATION).await? {
            assert_eq!(
                stranger.error(&format!("SELECT * FROM {relation}")).await?.code,
                "42501",
                "{relation}"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn usage_of_the_schema_alone_gives_nothing_more() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        let role = db.create_role("curious").await?;
        admin
            .run(&format!("GRANT USAGE ON SCHEMA zerodb TO {role}"))
            .await?;
        let curious = db.session_as(&role).await?;
        let executable =
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'zerodb'::regnamespace
            AND has_function_privilege(oid, 'EXECUTE')";
        assert_eq!(curious.texts(executable).await?, Vec::<String>::new());
        for relation in admin.texts(EVERY_RELATION).await? {
            assert_eq!(
                curious.error(&format!("SELECT * FROM {relation}")).await?.code,
                "42501",
                "{relation}"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nothing_is_granted_to_public() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let granted = session
            .texts(
                "SELECT 'function ' || p.oid::regprocedure FROM pg_proc AS p
                    CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
                    WHERE p.pronamespace = 'zerodb'::regnamespace AND a.grantee = 0
                UNION ALL SELECT 'relation ' || c.oid::regclass FROM pg_class AS c
                    CROSS JOIN aclexplode(c.relacl) AS a WHERE c.relnamespace = 'zerodb'::regnamespace AND a.grantee = 0
                UNION ALL SELECT 'schema' FROM pg_namespace AS n CROSS JOIN aclexplode(n.nspacl) AS a
                    WHERE n.nspname = 'zerodb' AND a.grantee = 0",
            )
            .await?;
        assert_eq!(granted, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_user_has_no_way_to_the_inside() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        let role = db.create_role("app").await?;
        admin.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
        let user = db.session_as(&role).await?;
        // Also loads the library.
        user.run(&format!("SET zerodb.user_id = '{ALICE}'; SELECT zerodb._lexical_model()"))
            .await?;
        for sql in [
            "SELECT * FROM zerodb.hook_detail",
            "SELECT zerodb._all_tenants()",
            "SELECT zerodb._rotate_log(0, '1 s')",
            "SELECT zerodb._prune_deliveries('1 s', 0, 1)",
            "SELECT zerodb._prune_cursor()",
            "SELECT zerodb._call_hook_function(gen_random_uuid(), '{}')",
            "SELECT zerodb.register_event_type('a.b', 'a', '{}', '')",
            "SELECT zerodb.grant_admin(current_user::regrole)",
            "SELECT zerodb.grant_user(current_user::regrole)",
            "INSERT INTO zerodb.event_type (name, channel) VALUES ('x', 'y')",
            "INSERT INTO zerodb.outbox SELECT * FROM zerodb.outbox",
            "UPDATE zerodb.outbox SET data = '{}'",
            "DELETE FROM zerodb.delivery",
            "UPDATE zerodb.delivery SET user_id = user_id",
            "INSERT INTO zerodb.attempt SELECT * FROM zerodb.attempt",
            "INSERT INTO zerodb.delivery (id, event_xid, event_ord, event_slot, hook_id, user_id) SELECT 1, event_xid, event_ord, event_slot, hook_id, user_id FROM zerodb.delivery",
            "DELETE FROM zerodb.batch",
            "UPDATE zerodb.order_queue SET released = true",
            "DELETE FROM zerodb.order_queue",
            "DELETE FROM zerodb.order_signal",
            "DELETE FROM zerodb.completion",
            "TRUNCATE zerodb.zerodb_hooks CASCADE",
            "UPDATE zerodb.cursor SET seq = 1",
            "SELECT * FROM zerodb.outbox_0",
            "CREATE TABLE zerodb.mine (id int)",
            "SET zerodb.retention = '7 min'",
        ] {
            assert_eq!(user.error(sql).await?.code, "42501", "{sql}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_retention_that_a_user_set_before_the_library_was_loaded_does_not_count() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        let role = db.create_role("app").await?;
        admin.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
        let user = db.session_as(&role).await?;
        user.run("SET zerodb.retention = '7 min'").await?;
        user.run("SELECT zerodb._lexical_model()").await?;
        assert_eq!(user.text("SHOW zerodb.retention").await?, "7d");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn no_role_may_attach_the_trigger_functions_that_run_with_the_owners_rights() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        admin.run("GRANT CREATE ON SCHEMA public TO PUBLIC").await?;
        for grant in ["user", "worker", "admin"] {
            let role = db.create_role(grant).await?;
            admin
                .run(&format!("SELECT zerodb.grant_{grant}('{role}')"))
                .await?;
            let executable = admin
                .texts(&format!(
                    "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'zerodb'::regnamespace
                    AND prorettype = 'trigger'::regtype AND has_function_privilege('{role}', oid, 'EXECUTE')"
                ))
                .await?;
            let expected: &[&str] = if grant == "worker" {
                &[]
            } else {
                &["zerodb._capture()"]
            };
            assert_eq!(executable, expected, "grant_{grant}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_worker_reads_everything_and_changes_deliveries_only() -> Result<()> {
    on_every_server(async |db| {
        let admin = crate::watched(&db).await?;
        let role = db.create_role("worker").await?;
        admin.run(&format!("SELECT zerodb.grant_worker('{role}')")).await?;
        admin.run(&format!("SELECT zerodb.create_hook('*', 'hers', '{{}}', NULL, 'log', '{ALICE}')")).await?;
        admin.run("INSERT INTO item VALUES (1)").await?;
        let worker = db.session_as(&role).await?;
        assert_eq!(worker.number("SELECT count(*) FROM zerodb.outbox").await?, 1);
        assert_eq!(worker.number("SELECT count(*) FROM zerodb.zerodb_hooks").await?, 2);
        for sql in [
            "INSERT INTO zerodb.lease (worker, expires_at) VALUES ('w', now())",
            "INSERT INTO zerodb.delivery (event_xid, event_ord, event_slot, hook_id, user_id, due_at)
                SELECT o.xid, o.ord, o.slot, h.id, h.user_id, now() FROM zerodb.outbox AS o, zerodb.zerodb_hooks AS h",
            "INSERT INTO zerodb.attempt (delivery_id, started_at, attempt, duration_ms, slot, outcome, worker)
                SELECT id, now(), 1, 1, event_slot, 'completed', 'w' FROM zerodb.delivery",
            "INSERT INTO zerodb.cursor (seq, done, upto, xid, ord) SELECT seq + 1, done, upto, xid, ord FROM zerodb.cursor",
            "SELECT zerodb._rotate_log(0, '1 s'), zerodb._prune_deliveries('1 s', 0, 1), zerodb._prune_cursor(), zerodb.status()",
            "UPDATE zerodb.order_queue SET released = true; DELETE FROM zerodb.order_signal; SELECT zerodb._order_key('{}', '$')",
            "DELETE FROM zerodb.delivery",
        ] {
            worker.run(sql).await?;
        }
        for sql in [
            "SELECT zerodb.create_hook('*', 'w', hook_type => 'log')",
            "UPDATE zerodb.zerodb_hooks SET is_active = false",
            "DELETE FROM zerodb.outbox",
            "TRUNCATE zerodb.outbox",
            "UPDATE zerodb.hook_detail SET owner = 10",
            "SELECT zerodb.register_event_type('a.b', 'a', '{}', '')",
            "SELECT zerodb.grant_admin(current_user::regrole)",
            "SELECT * FROM public.item",
        ] {
            assert_eq!(worker.error(sql).await?.code, "42501", "{sql}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn every_function_has_a_fixed_search_path() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let loose = session
            .texts(
                "SELECT p.oid::regprocedure::text FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
                WHERE p.pronamespace = 'zerodb'::regnamespace AND l.lanname <> 'c'
                AND 'search_path=pg_catalog, pg_temp' <> ALL (coalesce(p.proconfig, '{}'))",
            )
            .await?;
        assert_eq!(loose, Vec::<String>::new());
        let definers = session
            .texts(
                "SELECT p.proname::text FROM pg_proc AS p WHERE p.pronamespace = 'zerodb'::regnamespace AND p.prosecdef ORDER BY 1",
            )
            .await?;
        // A new one needs a thought: whoever may execute it has the rights of the extension's owner.
        let known = [
            "_audit_hooks",
            "_cancel_all_deliveries",
            "_cancel_deliveries",
            "_disable_hook",
            "_dispatch",
            "_emit_failure",
            "_forget_fault",
            "_leave_order",
            "_note_settings",
            "_prune_audit",
            "_prune_cursor",
            "_prune_deliveries",
            "_queue_ordered",
            "_rotate_log",
            "_seal_secret",
            "_show_secret",
            "_tell_endpoint",
            "_unworkable",
        ];
        assert_eq!(definers, known);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn no_argument_of_the_rights_of_others_shadows_an_operator() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        admin.run("GRANT CREATE ON SCHEMA public TO PUBLIC").await?;
        let role = db.create_role("app").await?;
        admin.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
        let user = db.session_as(&role).await?;
        user.run(
            "CREATE FUNCTION public.bad(varchar, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''led astray''; END';
            CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = public.bad)",
        )
        .await?;
        admin.run("SET search_path = public, pg_catalog").await?;
        admin.run("SELECT zerodb.create_hook('on_import', 'x', hook_type => 'log')").await?;
        admin.run("SELECT zerodb.emit('on_import', '{}'); SELECT * FROM zerodb.events; SELECT zerodb.status()").await
    })
    .await
}

#[tokio::test]
async fn the_extension_refuses_a_schema_that_somebody_else_prepared() -> Result<()> {
    for version in zerodb_hooks_harness::PgVersion::present() {
        let db = zerodb_hooks_harness::Database::create_bare(version).await?;
        let admin = db.session().await?;
        let role = db.create_role("squatter").await?;
        admin
            .run(&format!("GRANT CREATE ON DATABASE {} TO {role}", db.name))
            .await?;
        let squatter = db.session_as(&role).await?;
        squatter.run("CREATE SCHEMA zerodb").await?;
        let error = admin.error("CREATE EXTENSION zerodb_hooks").await?;
        assert_eq!(error.code, "55000", "{error:?}");
        assert!(error.hint.is_some());
        squatter.run("DROP SCHEMA zerodb").await?;
        admin.run("CREATE SCHEMA zerodb").await?;
        admin.run("CREATE EXTENSION zerodb_hooks").await?;
    }
    Ok(())
}
