//! Whose rights count: those of the current user at the moment of the call, never of an outer, session or login user.

use zerodb_hooks_harness::{Result, on_every_server};

use crate::actors::{EVERY_USER, MALLORY, Stage};

/// Mallory's code runs where a superuser is the outer user: in the index of a table that somebody analyzes.
#[tokio::test]
async fn code_that_an_analyze_sets_off_makes_no_hook() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let (role, canary) = (&stage.mallory_role, stage.canary().await?);
        stage
            .mallory
            .run(&format!(
                "CREATE TABLE {role}.t (a int);
                CREATE FUNCTION {role}.f(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
                CREATE INDEX ON {role}.t ({role}.f(a));
                INSERT INTO {role}.t SELECT generate_series(1, 10);
                CREATE OR REPLACE FUNCTION {role}.f(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
                BEGIN
                    PERFORM set_config('zerodb.user_id', '{MALLORY}', true);
                    PERFORM zerodb.create_hook('app.thing', 'h' || i, '{{\"function\": \"{canary}\"}}', hook_type => 'sql');
                    RETURN i;
                END $$"
            ))
            .await?;
        let error = stage.admin.error(&format!("ANALYZE {role}.t")).await?;
        assert_eq!(error.code, "42501", "{error:?}");
        assert!(error.message.contains("security-restricted"), "{error:?}");
        let hooks = stage.admin.number("SELECT count(*) FROM zerodb.zerodb_hooks").await?;
        assert_eq!(hooks, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_restricted_operation_makes_and_changes_nothing_but_may_emit() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let role = &stage.mallory_role;
        let hook = stage
            .mallory
            .text("SELECT id FROM zerodb.create_hook('app.thing', 'mine', hook_type => 'log')")
            .await?;
        for call in [
            "zerodb.create_hook('app.thing', 'other', hook_type => 'log')".to_owned(),
            format!("zerodb.update_hook('{hook}', is_active => false)"),
            format!("zerodb.take_hook('{hook}')"),
            format!("zerodb.delete_hook('{hook}')"),
            format!("zerodb.replay('{hook}', '-infinity')"),
            format!("zerodb.backfill('{hook}')"),
            "zerodb.set_budget(1)".to_owned(),
            "zerodb.redeliver(1)".to_owned(),
            "zerodb.discard(1)".to_owned(),
        ] {
            let view = format!(
                "CREATE OR REPLACE FUNCTION {role}.act() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM {call}; RETURN 1; END $$;
                DROP MATERIALIZED VIEW IF EXISTS {role}.v;
                CREATE MATERIALIZED VIEW {role}.v AS SELECT {role}.act() WITH NO DATA"
            );
            stage.mallory.run(&view).await?;
            let error = stage
                .mallory
                .error(&format!("REFRESH MATERIALIZED VIEW {role}.v"))
                .await?;
            assert_eq!(error.code, "42501", "{call}: {error:?}");
            assert!(error.message.contains("security-restricted"), "{call}: {error:?}");
        }
        let emits = format!(
            "CREATE OR REPLACE FUNCTION {role}.act() RETURNS int LANGUAGE plpgsql AS $$
            BEGIN PERFORM zerodb.emit('app.thing', '{{}}'); RETURN 1; END $$;
            REFRESH MATERIALIZED VIEW {role}.v"
        );
        stage.mallory.run(&emits).await?;
        assert_eq!(stage.mallory.number("SELECT count(*) FROM zerodb.events").await?, 1);
        Ok(())
    })
    .await
}

/// Inside another's SECURITY DEFINER function the hook is that one's, who wrote the function, and not the caller's.
#[tokio::test]
async fn a_hook_made_by_a_definers_function_is_the_definers() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let role = &stage.mallory_role;
        stage
            .mallory
            .run(&format!(
                "CREATE FUNCTION {role}.make() RETURNS void LANGUAGE sql SECURITY DEFINER
                AS 'SELECT zerodb.create_hook(''app.thing'', ''x'', hook_type => ''log'', user_id => ''{MALLORY}'')'"
            ))
            .await?;
        stage
            .admin
            .run(&format!("SET zerodb.user_id = '{MALLORY}'; SELECT {role}.make()"))
            .await?;
        let owner = "SELECT owner::regrole::text FROM zerodb.hook_detail";
        assert_eq!(&stage.admin.text(owner).await?, role);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn every_user_is_a_right_and_not_a_value() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        stage
            .admin
            .run("SELECT zerodb.create_hook('*', 'audit', hook_type => 'log')")
            .await?;
        stage
            .victim
            .run("SELECT zerodb.emit('app.thing', '{\"note\": \"secret\"}')")
            .await?;
        let mallory = &stage.mallory;
        mallory
            .run(&format!("SET zerodb.user_id = '{EVERY_USER}'"))
            .await?;
        for view in [
            "zerodb_hooks",
            "list_hooks()",
            "events",
            "outbox",
            "deliveries",
            "budgets",
            "usage",
        ] {
            let seen = format!("SELECT count(*) FROM zerodb.{view}");
            assert_eq!(mallory.number(&seen).await?, 0, "{view}");
        }
        for call in [
            "zerodb.create_hook('*', 'spy', hook_type => 'log')".to_owned(),
            format!("zerodb.create_hook('*', 'spy', hook_type => 'log', user_id => '{EVERY_USER}')"),
            "zerodb.set_budget(0)".to_owned(),
            "zerodb.emit('app.thing', '{}')".to_owned(),
            format!("zerodb.emit('app.thing', '{{}}', user_id => '{EVERY_USER}')"),
        ] {
            assert_eq!(
                mallory.error(&format!("SELECT {call}")).await?.code,
                "42501",
                "{call}"
            );
        }
        let audit = stage.admin.text("SELECT id FROM zerodb.zerodb_hooks").await?;
        for call in ["delete_hook", "take_hook", "get_hook", "backfill"] {
            let error = mallory.error(&format!("SELECT zerodb.{call}('{audit}')")).await?;
            assert_eq!(error.code, "P0002", "{call}");
        }
        Ok(())
    })
    .await
}

/// No privilege on a table lets a user lock it against others, or its rows against the worker.
#[tokio::test]
async fn a_user_locks_neither_tables_nor_rows() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        stage
            .mallory
            .run("SELECT zerodb.create_hook('app.thing', 'mine', hook_type => 'log'), zerodb.emit('app.thing', '{}')")
            .await?;
        stage
            .mallory
            .run("SELECT zerodb.replay(id, '-infinity') FROM zerodb.list_hooks()")
            .await?;
        let tables = "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'zerodb'::regnamespace AND relkind IN ('r', 'p')";
        for table in stage.admin.texts(tables).await? {
            for mode in ["ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "EXCLUSIVE", "ACCESS EXCLUSIVE"] {
                let lock = format!("BEGIN; LOCK TABLE {table} IN {mode} MODE");
                assert_eq!(stage.mallory.error(&lock).await?.code, "42501", "{lock}");
                stage.mallory.run("ROLLBACK").await?;
            }
            for strength in ["UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"] {
                let lock = format!("SELECT 1 FROM {table} FOR {strength}");
                assert_eq!(stage.mallory.error(&lock).await?.code, "42501", "{lock}");
            }
        }
        Ok(())
    })
    .await
}
