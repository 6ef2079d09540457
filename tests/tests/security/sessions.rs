//! The worker's sessions: what a database sets for everybody does not reach them, what users' code leaves in them
//! goes, and what happens to them is booked on nobody.

use zerodb_hooks_harness::{Cluster, PgVersion, Result, SOON, Session, eventually, on_every_server};

use crate::actors::Stage;
use crate::at_work::{emit, hook, in_state, is_served, start, worker, worker_role};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_database_sets_for_everybody_does_not_stop_the_worker() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let log = hook(&stage.victim, "log", "log", "{}").await?;
        let keep = keeping_hook(&stage.victim, &stage.victim_role, "{}").await?;
        stage
            .admin
            .run(
                "CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC;
                 CREATE FUNCTION evil.no(a bigint, b bigint) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
                 BEGIN RAISE EXCEPTION 'an operator of somebody else was called'; END $$;
                 CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.no)",
            )
            .await?;
        let role = worker_role(&db, &stage.admin).await?;
        let mut settings = vec![
            "default_transaction_isolation = 'serializable'",
            "default_transaction_read_only = on",
            "default_transaction_deferrable = on",
            "search_path = evil, pg_catalog",
            "statement_timeout = '300ms'",
            "lock_timeout = '1ms'",
            "idle_session_timeout = '300ms'",
            "row_security = off",
            "standard_conforming_strings = off",
        ];
        if db.major() >= 17 {
            settings.push("transaction_timeout = '400ms'");
        }
        for setting in settings {
            stage
                .admin
                .run(&format!("ALTER DATABASE {} SET {setting}", db.name))
                .await?;
        }
        let _worker = start(&db, &role, &[])?;
        for _ in 0..3 {
            is_served(&stage.victim, &log).await?;
            is_served(&stage.victim, &keep).await?;
        }
        Ok(())
    })
    .await
}

/// A `sql` hook that keeps each event in its owner's table `kept`.
async fn keeping_hook(session: &Session, role: &str, config: &str) -> Result<String> {
    session
        .run(&format!(
            "CREATE TABLE {role}.kept (e jsonb);
             CREATE FUNCTION {role}.keep(e jsonb) RETURNS void LANGUAGE sql AS 'INSERT INTO {role}.kept VALUES (e)'"
        ))
        .await?;
    session
        .text(&format!(
            "SELECT id FROM zerodb.create_hook('app.thing', 'keep', '{{\"function\": \"{role}.keep\"}}'::jsonb || '{config}', hook_type => 'sql')"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn lack_of_a_connection_is_no_attempt() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let log = hook(&stage.victim, "log", "log", "{}").await?;
        let (worker, role) = worker(&db, &stage.admin, &[]).await?;
        for _ in 0..3 {
            is_served(&stage.victim, &log).await?;
        }
        // A server that is full: what is connected stays, and nothing else comes.
        stage
            .admin
            .run(&format!("ALTER ROLE {role} CONNECTION LIMIT 0"))
            .await?;
        let keep = keeping_hook(&stage.victim, &stage.victim_role, r#"{"max_attempts": 1}"#).await?;
        emit(&stage.victim, 5).await?;
        eventually(SOON, async || {
            let said = worker.stdout() + &worker.stderr();
            said.contains("deliveries are deferred").then_some(())
        })
        .await?;
        stage
            .admin
            .run(&format!("ALTER ROLE {role} CONNECTION LIMIT -1"))
            .await?;
        stage.victim.becomes(&in_state(&keep, "completed"), 5).await?;
        let attempts = format!("SELECT sum(attempts) FROM zerodb.deliveries WHERE hook_id = '{keep}'");
        assert_eq!(stage.victim.text(&attempts).await?, "5");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_a_trigger_takes_for_its_session_is_given_back() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run(
                "SELECT zerodb.create_store(dimensions => 8);
                 SELECT zerodb.create_hook('zerodb.vector.stored', 'auto_embed', '{}');
                 CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN PERFORM pg_advisory_lock(4242); PERFORM set_config('work_mem', '64kB', false); RETURN NULL; END $$;
                 CREATE TRIGGER hold AFTER UPDATE ON zerodb_store.vectors FOR EACH ROW EXECUTE FUNCTION hold()",
            )
            .await?;
        let _worker = start(&db, "postgres", &[])?;
        session
            .run("INSERT INTO zerodb_store.vectors (id, content) VALUES ('a', 'some text')")
            .await?;
        session.becomes("SELECT count(embedding)::text FROM zerodb_store.vectors", 1).await?;
        let held = "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND objid = 4242
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        session.becomes(held, 0).await
    })
    .await
}

/// Fills the server's queue of notifications, which a session that listens and does not hear keeps full.
async fn fill_the_queue(filling: &Session) -> Result<()> {
    loop {
        match filling.run("SELECT pg_notify('fill', repeat('x', 7900))").await {
            Ok(()) => {}
            Err(error) if error.to_string().contains("NOTIFY queue") => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_commit_is_not_completed() -> Result<()> {
    // Only from 17 on can the queue be made small enough to be filled.
    let Some(version) = PgVersion::present().iter().find(|version| version.major >= 17) else {
        eprintln!("SKIPPED: this needs PostgreSQL 17");
        return Ok(());
    };
    let cluster = Cluster::start_with(version, &["max_notify_queue_pages = 64"])?;
    let session = cluster.session("postgres").await?;
    session
        .run(
            "CREATE EXTENSION zerodb_hooks; SELECT zerodb.create_store(dimensions => 8);
             SELECT zerodb.create_hook('zerodb.vector.stored', 'auto_embed', '{\"max_attempts\": 1000}');
             CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('app', repeat('x', 7900)); RETURN NULL; END $$;
             CREATE TRIGGER tell AFTER UPDATE ON zerodb_store.vectors FOR EACH ROW EXECUTE FUNCTION tell()",
        )
        .await?;
    let deaf = cluster.session("postgres").await?;
    deaf.run("LISTEN app").await?;
    deaf.run("BEGIN").await?;
    deaf.run("SELECT 1").await?;
    fill_the_queue(&session).await?;
    let arguments = ["--lease-s", "3", "--poll-ms", "200"];
    let _worker = zerodb_hooks_harness::Worker::start_with(&cluster.url("postgres"), &arguments, &[])?;
    session
        .run("SET zerodb.notify = off; INSERT INTO zerodb_store.vectors (id, content) VALUES ('a', 'some text')")
        .await?;
    eventually(SOON, async || {
        let failed =
            "SELECT count(*) FROM zerodb.attempts WHERE outcome = 'failed' AND error LIKE '%NOTIFY queue%'";
        (session.number(failed).await.ok()? > 0).then_some(())
    })
    .await?;
    let completed = "SELECT count(*)::text FROM zerodb.deliveries WHERE state = 'completed'";
    assert_eq!(session.text(completed).await?, "0");
    deaf.run("COMMIT").await?;
    // Asking makes room of what everybody has heard.
    session
        .becomes("SELECT (pg_notification_queue_usage() < 0.5)::text", "true")
        .await?;
    session.becomes(completed, 1).await?;
    session
        .becomes("SELECT count(embedding)::text FROM zerodb_store.vectors", 1)
        .await
}
