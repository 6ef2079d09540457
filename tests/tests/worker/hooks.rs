//! Which hooks fire, for whose events, and what happens to deliveries when hooks change.

use anyhow::Result;
use zerodb_hooks_harness::{SOON, on_every_server};

use crate::setup::{recording_hook, watched_table, worker};

const ALICE: &str = "a0000000-0000-0000-0000-000000000001";
const BOB: &str = "b0000000-0000-0000-0000-000000000002";
const PROJECT: &str = "c0000000-0000-0000-0000-000000000003";

#[tokio::test(flavor = "multi_thread")]
async fn a_users_hooks_see_that_users_events_only() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let hook = |name: &str, user: &str| {
            format!("SELECT id FROM zerodb.create_hook('doc.created', '{name}', '{{}}', hook_type => 'log', user_id => {user})")
        };
        let alice = session.text(&hook("l", &format!("'{ALICE}'"))).await?;
        let bob = session.text(&hook("l", &format!("'{BOB}'"))).await?;
        let everyone = session.text(&hook("l", "NULL")).await?;
        let _worker = worker(&database)?;
        session.run(&format!("INSERT INTO doc (user_id) VALUES ('{ALICE}'), ('{ALICE}'), ('{BOB}'), (NULL)")).await?;
        session.idle().await?;
        let count = async |hook: &str| {
            session.number(&format!("SELECT count(*) FROM zerodb.deliveries WHERE hook_id = '{hook}' AND state = 'completed'")).await
        };
        assert_eq!((count(&alice).await?, count(&bob).await?, count(&everyone).await?), (2, 1, 4));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projects_hook_fires_for_that_project_and_a_global_one_for_all() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let scoped =
            format!("SELECT id FROM zerodb.create_hook('doc.created', 'scoped', '{{}}', '{PROJECT}', 'log')");
        let scoped = session.text(&scoped).await?;
        let global = session
            .text("SELECT id FROM zerodb.create_hook('doc.*', 'global', '{}', NULL, 'log')")
            .await?;
        let _worker = worker(&database)?;
        session
            .run(&format!(
                "INSERT INTO doc (project_id) VALUES ('{PROJECT}'), (gen_random_uuid()), (NULL)"
            ))
            .await?;
        session.idle().await?;
        let of = |hook: &str| format!("SELECT count(*) FROM zerodb.deliveries WHERE hook_id = '{hook}'");
        assert_eq!(session.number(&of(&scoped)).await?, 1);
        assert_eq!(session.number(&of(&global)).await?, 3);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn when_lets_through_only_events_for_which_it_is_true() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "big", r#"{"when": "$.size > 1000"}"#).await?;
        let _worker = worker(&database)?;
        session
            .run("INSERT INTO doc (size) VALUES (5), (5000), (NULL), (1001)")
            .await?;
        session.idle().await?;
        assert_eq!(
            session.texts("SELECT doc_id FROM seen ORDER BY doc_id").await?,
            ["2", "4"]
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_hook_keeps_its_deliveries_and_a_deleted_ones_are_cancelled() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let down = r#"{"url": "http://127.0.0.1:1/", "retry_count": 900, "retry_delay_ms": 100}"#;
        let create = format!(
            "SELECT id FROM zerodb.create_hook('doc.created', 'down', '{down}', hook_type => 'webhook')"
        );
        let hook = session.text(&create).await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (body) VALUES ('a')").await?;
        session
            .becomes(
                "SELECT least(count(*), 1) FROM zerodb.attempts WHERE outcome = 'failed'",
                1,
            )
            .await?;
        session
            .run(&format!(
                "SELECT zerodb.update_hook('{hook}', is_active => false)"
            ))
            .await?;
        // An attempt that runs now may still end; the second look shows that no other follows.
        session
            .becomes(
                "SELECT count(*) FROM zerodb.deliveries WHERE state = 'retryable'",
                1,
            )
            .await?;
        let attempts = session.number("SELECT attempts FROM zerodb.deliveries").await?;
        session
            .run("INSERT INTO doc (body) VALUES ('while inactive')")
            .await?;
        let other = session
            .text("SELECT id FROM zerodb.create_hook('doc.created', 'l', '{}', hook_type => 'log')")
            .await?;
        session
            .run("INSERT INTO doc (body) VALUES ('proof of life')")
            .await?;
        let lived = format!(
            "SELECT count(*) FROM zerodb.deliveries WHERE hook_id = '{other}' AND state = 'completed'"
        );
        session.becomes(&lived, 1).await?;
        let of = |what: &str| format!("SELECT {what} FROM zerodb.deliveries WHERE hook_id = '{hook}'");
        assert_eq!(session.number(&of("count(*)")).await?, 1);
        assert_eq!(session.number(&of("max(attempts)")).await?, attempts);
        session
            .run(&format!("SELECT zerodb.update_hook('{hook}', is_active => true)"))
            .await?;
        session
            .becomes(&of(&format!("(max(attempts) > {attempts})::integer")), 1)
            .await?;
        session
            .run(&format!("SELECT zerodb.delete_hook('{hook}')"))
            .await?;
        // An attempt that ended while the hook was being deleted is cancelled by the next round of maintenance, within
        // a minute.
        let cancelled = of("count(*) FILTER (WHERE state = 'cancelled')");
        session.becomes_within(3 * SOON, &cancelled, 1).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn redeliver_replay_and_discard_do_what_they_say() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let hook = recording_hook(&session, "record", "{}").await?;
        let _worker = worker(&database)?;
        session
            .run("INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, 5)")
            .await?;
        session.idle().await?;
        let delivery = session.text("SELECT min(id) FROM zerodb.deliveries").await?;
        session
            .run(&format!("SELECT zerodb.redeliver({delivery})"))
            .await?;
        session.becomes("SELECT count(*) FROM seen", 6).await?;
        let again = format!("SELECT zerodb.replay('{hook}', '-infinity', dry_run => true)");
        assert_eq!(session.number(&again).await?, 5);
        assert_eq!(
            session
                .number(&format!("SELECT zerodb.replay('{hook}', '-infinity')"))
                .await?,
            5
        );
        session.becomes("SELECT count(*) FROM seen", 11).await?;
        session.idle().await?;
        let error = session
            .error(&format!("SELECT zerodb.discard({delivery})"))
            .await?;
        assert_eq!(error.code, "55000");
        session
            .run(&format!(
                "SELECT zerodb.update_hook('{hook}', is_active => false)"
            ))
            .await?;
        session
            .run(&format!(
                "SELECT zerodb.redeliver({delivery}); SELECT zerodb.discard({delivery})"
            ))
            .await?;
        let state = session
            .text(&format!(
                "SELECT state FROM zerodb.deliveries WHERE id = {delivery}"
            ))
            .await?;
        assert_eq!(state, "discarded");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discarded_delivery_emits_on_hook_failure_which_cannot_trigger_itself() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let fail = r#"{"function": "public.fail", "max_attempts": 1}"#;
        session
            .run(&format!(
                "CREATE FUNCTION fail(event jsonb) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
                 SELECT zerodb.create_hook('doc.created', 'first', '{fail}', hook_type => 'sql');
                 SELECT zerodb.create_hook('on_hook_failure', 'second', '{fail}', hook_type => 'sql')"
            ))
            .await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (body) VALUES ('x')").await?;
        session.discarded(2).await?;
        session.idle().await?;
        let failures = session.rows("SELECT data FROM zerodb.events WHERE event = 'on_hook_failure'").await?;
        assert_eq!(failures.len(), 1);
        assert_eq!(failures[0]["data"]["hook_name"], "first");
        assert_eq!(failures[0]["data"]["event"], "doc.created");
        assert_eq!(failures[0]["data"]["last_error"], "no");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_jsonb_refuses_does_not_stop_the_dispatcher() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        session
            .run(
                r#"CREATE TABLE raw (raw_id bigint PRIMARY KEY, body json);
                 SELECT zerodb.register_event_type('raw.stored', 'app', '{raw_id,body}', 'raw JSON');
                 SELECT zerodb.watch('raw', 'raw.stored');
                 SELECT zerodb.create_hook('raw.stored', 'some', '{"when": "$.raw_id > 0"}', hook_type => 'log');
                 INSERT INTO raw VALUES (1, '"\u0000"'), (2, '1e999999'), (3, '"plain"')"#,
            )
            .await?;
        let _worker = worker(&database)?;
        session.idle().await?;
        assert_eq!(
            session.in_state("completed")
                .await?,
            1
        );
        Ok(())
    })
    .await
}
