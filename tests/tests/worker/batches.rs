//! Deliveries that are leased and completed many at a time are still one each to everybody who looks.

use anyhow::Result;
use zerodb_hooks_harness::on_every_server;

use crate::setup::{recording_hook, watched_table, worker, worker_with};

const ALICE: &str = "00000000-0000-0000-0000-00000000000a";
const BOB: &str = "00000000-0000-0000-0000-00000000000b";

#[tokio::test(flavor = "multi_thread")]
async fn what_completed_belongs_to_its_user() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let role = database.create_role("app").await?;
        session
            .run(&format!("SELECT zerodb.grant_user('{role}')"))
            .await?;
        for user in [ALICE, BOB] {
            session
                .run(&format!(
                    "SELECT zerodb.create_hook('doc.created', 'mine', hook_type => 'log', user_id => '{user}');
                     INSERT INTO doc (body, user_id) SELECT 'x', '{user}' FROM generate_series(1, 3)"
                ))
                .await?;
        }
        let _worker = worker(&database)?;
        session.idle().await?;
        let bob = database.session_as(&role).await?;
        bob.run(&format!("SET zerodb.user_id = '{BOB}'")).await?;
        for view in ["deliveries", "attempts"] {
            let count = format!("SELECT count(*) FROM zerodb.{view}");
            assert_eq!(session.number(&count).await?, 6, "{view}");
            assert_eq!(bob.number(&count).await?, 3, "{view}");
        }
        let of = |user| format!("SELECT min(id) FROM zerodb.deliveries WHERE user_id = '{user}'");
        let (hers, his) = (session.text(&of(ALICE)).await?, session.text(&of(BOB)).await?);
        for action in ["redeliver", "discard"] {
            let error = bob.error(&format!("SELECT zerodb.{action}({hers})")).await?;
            assert_eq!(error.code, "P0002", "{action}");
        }
        bob.run(&format!("SELECT zerodb.redeliver({his})")).await?;
        session.idle().await?;
        assert_eq!(bob.number("SELECT count(*) FROM zerodb.deliveries").await?, 3);
        assert_eq!(bob.number("SELECT count(*) FROM zerodb.attempts").await?, 4);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn some_of_a_batch_may_fail_and_go_on_under_the_same_id() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        // Every third document fails until the table mended_now is there.
        session
            .run(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     IF new.doc_id % 3 = 0 AND NOT EXISTS (SELECT FROM pg_class WHERE relname = 'mended_now') THEN
                         RAISE EXCEPTION 'not yet';
                     END IF;
                     RETURN new;
                 END $$;
                 CREATE TRIGGER refuse BEFORE INSERT ON seen FOR EACH ROW EXECUTE FUNCTION refuse();
                 INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, 30)",
            )
            .await?;
        let _worker = worker(&database)?;
        session.completed(20).await?;
        session.becomes("SELECT count(DISTINCT delivery_id) FROM zerodb.attempts WHERE outcome = 'failed'", 10).await?;
        assert_eq!(
            session.texts("SELECT DISTINCT error FROM zerodb.attempts WHERE outcome = 'failed'").await?,
            ["not yet"]
        );
        session.run("CREATE TABLE mended_now ()").await?;
        session.completed(30).await?;
        assert_eq!(session.number("SELECT count(*) FROM zerodb.deliveries").await?, 30);
        assert_eq!(
            session.number("SELECT count(DISTINCT doc_id) FROM seen").await?,
            30
        );
        assert_eq!(
            session
                .number("SELECT count(DISTINCT delivery_id) FROM zerodb.attempts WHERE outcome = 'completed'")
                .await?,
            30
        );
        assert_eq!(
            session.number("SELECT (zerodb.status() ->> 'running_deliveries')::int").await?,
            0
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_killed_workers_batch_only_what_had_not_ended_runs_again() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", r#"{"concurrency": 1}"#).await?;
        // The first ten go through; the next waits for a lock, and with it all that follow.
        session
            .run(
                "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     IF (SELECT count(*) FROM public.seen) >= 10 THEN PERFORM pg_advisory_xact_lock(11); END IF;
                     RETURN new;
                 END $$;
                 CREATE TRIGGER hold BEFORE INSERT ON seen FOR EACH ROW EXECUTE FUNCTION hold();
                 SELECT pg_advisory_lock(11);
                 INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, 20)",
            )
            .await?;
        let mut first = worker(&database)?;
        let completed = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'completed'";
        session.becomes(completed, 10).await?;
        assert_eq!(session.in_state("running").await?, 10);
        assert_eq!(
            session.number("SELECT (zerodb.status() ->> 'running_deliveries')::int").await?,
            10
        );
        first.kill9()?;
        session
            .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'zerodb-hooks functions' AND datname = current_database()")
            .await?;
        session.run("SELECT pg_advisory_unlock(11)").await?;
        let _second = worker_with(&database, &["--name", "second"])?;
        session.becomes(completed, 20).await?;
        assert_eq!(
            session
                .number("SELECT count(*) FROM (SELECT FROM seen GROUP BY doc_id HAVING count(*) > 1) AS twice")
                .await?,
            0,
            "what had ended did not run again"
        );
        assert_eq!(
            session
                .number("SELECT count(*) FROM zerodb.attempts WHERE worker = 'second'")
                .await?,
            10
        );
        Ok(())
    })
    .await
}
