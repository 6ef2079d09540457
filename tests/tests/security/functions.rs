//! Functions of `sql` hooks: what one leaves behind, refuses to end or takes its time for is nobody else's.

use zerodb_hooks_harness::{Result, SOON, Session, on_every_server};

use crate::actors::Stage;
use crate::at_work::{emit, hook, in_state, is_served, worker};

/// Lets a role's function write down what it finds in its session.
async fn recorder(session: &Session, role: &str, name: &str) -> Result<String> {
    session
        .run(&format!(
            "CREATE TABLE {role}.found (what text, process int);
             CREATE FUNCTION {role}.look(e jsonb) RETURNS void LANGUAGE plpgsql AS $$
             BEGIN
                 INSERT INTO {role}.found SELECT concat_ws(',', nullif(current_setting('app.secret', true), ''), current_setting('statement_timeout'),
                     current_setting('search_path') ~ 'mallory_trap', current_setting('work_mem'), to_regclass('pg_temp.audit'),
                     (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4242
                         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())),
                     (SELECT count(*) FROM pg_cursors WHERE name = 'left'), (SELECT count(*) FROM pg_prepared_statements)), pg_backend_pid();
             END $$"
        ))
        .await?;
    hook(session, name, "sql", &format!(r#"{{"function": "{role}.look"}}"#)).await
}

/// A function that leaves what it can, in a hook of its own. What the server refuses is no matter.
async fn trap(session: &Session, role: &str) -> Result<String> {
    let leave = [
        "CREATE TEMP TABLE audit (note text)",
        "DECLARE left CURSOR WITH HOLD FOR SELECT 1",
        "PREPARE left AS SELECT 1",
        "LISTEN app",
    ];
    let attempts: String = leave
        .iter()
        .map(|statement| format!("BEGIN EXECUTE '{statement}'; EXCEPTION WHEN OTHERS THEN NULL; END; "))
        .collect();
    session
        .run(&format!(
            "CREATE FUNCTION {role}.trap(e jsonb) RETURNS void LANGUAGE plpgsql AS $$
             BEGIN
                 {attempts}
                 PERFORM pg_advisory_lock(4242);
                 PERFORM set_config('app.secret', 'known', false), set_config('work_mem', '64kB', false),
                     set_config('search_path', 'mallory_trap, pg_catalog', false);
             END $$"
        ))
        .await?;
    hook(
        session,
        "trap",
        "sql",
        &format!(r#"{{"function": "{role}.trap"}}"#),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_leaves_behind_is_not_there_for_the_next() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let trap = trap(&stage.mallory, &stage.mallory_role).await?;
        let (_worker, _) = worker(&db, &stage.admin, &[]).await?;
        for _ in 0..6 {
            is_served(&stage.mallory, &trap).await?;
        }
        let looks = recorder(&stage.victim, &stage.victim_role, "look").await?;
        let own = recorder(&stage.mallory, &stage.mallory_role, "look").await?;
        for _ in 0..3 {
            is_served(&stage.victim, &looks).await?;
            is_served(&stage.mallory, &own).await?;
        }
        let memory = stage.admin.text("SHOW work_mem").await?;
        for role in [&stage.victim_role, &stage.mallory_role] {
            let found = stage
                .admin
                .texts(&format!("SELECT DISTINCT what FROM {role}.found"))
                .await?;
            assert_eq!(found, [format!("30s,f,{memory},0,0,0")], "of {role}");
        }
        // Some things no server can be told to forget, such as a connection of dblink or a seed.
        let shared = format!(
            "SELECT count(*) FROM {}.found AS m JOIN {}.found AS v USING (process)",
            stage.mallory_role, stage.victim_role
        );
        assert_eq!(stage.admin.number(&shared).await?, 0);
        Ok(())
    })
    .await
}

/// Sessions in which a function runs.
const RUNNING: &str =
    "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
    AND query LIKE '%zerodb._call_hook_function%' AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_refuses_to_be_cancelled_is_ended() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let (role, victim) = (&stage.mallory_role, &stage.victim_role);
        stage
            .mallory
            .run(&format!(
                "CREATE FUNCTION {role}.hang(e jsonb) RETURNS void LANGUAGE plpgsql AS $$
                 BEGIN LOOP BEGIN PERFORM pg_sleep(1e6); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$"
            ))
            .await?;
        let config = format!(r#"{{"function": "{role}.hang", "timeout_ms": 500, "max_attempts": 1}}"#);
        let hangs = hook(&stage.mallory, "hang", "sql", &config).await?;
        let looks = recorder(&stage.victim, victim, "look").await?;
        let (_worker, _) = worker(&db, &stage.admin, &[]).await?;
        emit(&stage.mallory, 4).await?;
        is_served(&stage.victim, &looks).await?;
        stage.mallory.becomes(&in_state(&hangs, "discarded"), 4).await?;
        stage.admin.becomes(RUNNING, 0).await?;
        is_served(&stage.victim, &looks).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_that_refuses_to_be_cancelled_is_ended() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run(
                "SELECT zerodb.create_store(dimensions => 8);
                 SELECT zerodb.create_hook('zerodb.vector.stored', 'auto_embed', '{\"max_attempts\": 1}');
                 CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN LOOP BEGIN PERFORM pg_sleep(1e6); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;
                 CREATE TRIGGER hang AFTER UPDATE ON zerodb_store.vectors FOR EACH ROW EXECUTE FUNCTION hang()",
            )
            .await?;
        let _worker = crate::at_work::start(&db, "postgres", &[])?;
        session
            .run("INSERT INTO zerodb_store.vectors (id, content) VALUES ('a', 'some text')")
            .await?;
        let discarded = "SELECT count(*)::text FROM zerodb.deliveries WHERE state = 'discarded' AND last_error LIKE '%no end within%'";
        session.becomes(discarded, 1).await?;
        let running = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database()
            AND state = 'active' AND query LIKE '%embed_write%' AND pid <> pg_backend_pid()";
        session.becomes(running, 0).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_functions_of_a_role_leave_turns_to_others() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let role = &stage.mallory_role;
        let looks = recorder(&stage.victim, &stage.victim_role, "look").await?;
        stage
            .mallory
            .run(&format!(
                "CREATE FUNCTION {role}.slow(e jsonb) RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(3600)'"
            ))
            .await?;
        let (_worker, _) = worker(&db, &stage.admin, &[]).await?;
        let config = format!(r#"{{"function": "{role}.slow", "timeout_ms": 3600000}}"#);
        for n in 0..6 {
            stage
                .mallory
                .run(&format!(
                    "SET zerodb.user_id = 'aaaaaaaa-0000-4000-8000-00000000000{n}'"
                ))
                .await?;
            hook(&stage.mallory, "slow", "sql", &config).await?;
            emit(&stage.mallory, 3).await?;
        }
        zerodb_hooks_harness::eventually(SOON, async || {
            let running: i64 = stage.admin.number(RUNNING).await.ok()?;
            (running >= 2).then_some(())
        })
        .await?;
        for _ in 0..3 {
            is_served(&stage.victim, &looks).await?;
        }
        Ok(())
    })
    .await
}
