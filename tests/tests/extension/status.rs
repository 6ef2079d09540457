//! What the status says where there is much: it counts to its limits and names them, and reads no more.

use serde_json::json;
use zerodb_hooks_harness::{Result, on_every_server};

use crate::list_history::{HOOK_OF_ALICE, history};
use crate::{ALICE, BOB};

#[tokio::test]
async fn a_backlog_is_counted_to_a_limit_that_is_named() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let before = session.json("SELECT zerodb.status()").await?;
        assert_eq!((&before["limited"], &before["rate_seconds"]), (&json!([]), &json!(300.0)));
        session
            .run(&format!(
                "INSERT INTO zerodb.outbox (xid, created_at, ord, relid, slot, user_id, event_type, data)
                SELECT pg_current_xact_id(), now(), g, 0, 0, CASE g % 2 WHEN 0 THEN '{ALICE}'::uuid ELSE '{BOB}' END,
                    'on_recall', '{{}}' FROM generate_series(1, 12000) AS g"
            ))
            .await?;
        session
            .run(&format!(
                "INSERT INTO zerodb.delivery (event_xid, event_ord, event_slot, hook_id, user_id, due_at)
                SELECT '1', g, 0, '{HOOK_OF_ALICE}', '{ALICE}', now() FROM generate_series(1, 12000) AS g"
            ))
            .await?;
        session.run("BEGIN").await?;
        let rows = "SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables
            WHERE schemaname = 'zerodb' AND relname ~ '^(outbox|delivery)'";
        let before = session.number(rows).await?;
        let status = session.json("SELECT zerodb.status()").await?;
        let read = session.number(rows).await? - before;
        session.run("COMMIT").await?;
        assert_eq!(status["undispatched_events"], 10_000);
        assert_eq!(status["waiting_deliveries"], 10_000);
        assert_eq!(status["limited"], json!(["undispatched_events", "waiting_deliveries"]));
        assert!(read < 25_000, "{read} rows");
        // A tenant sees its own of those that are read.
        let role = db.create_role("app").await?;
        session.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
        let bob = db.session_as(&role).await?;
        bob.run(&format!("SET zerodb.user_id = '{BOB}'")).await?;
        let status = bob.json("SELECT zerodb.status()").await?;
        assert_eq!((&status["undispatched_events"], &status["waiting_deliveries"]), (&json!(5000), &json!(0)));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn hooks_with_trouble_come_first_and_a_hundred_at_most() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run("SELECT zerodb.create_hook('*', 'h' || g, hook_type => 'log') FROM generate_series(1, 130) AS g")
            .await?;
        session
            .run(
                "INSERT INTO zerodb.delivery (event_xid, event_ord, event_slot, hook_id, user_id, state, last_error)
                SELECT '1', 0, 0, h.id, h.user_id, 'discarded', 'bad: x' FROM zerodb.zerodb_hooks AS h WHERE h.hook_name = 'h77';
                INSERT INTO zerodb.attempt (delivery_id, started_at, attempt, duration_ms, slot, outcome, worker)
                SELECT id, now(), 1, 5, 0, 'discarded', 'w' FROM zerodb.delivery;
                INSERT INTO zerodb.delivery (event_xid, event_ord, event_slot, hook_id, user_id, due_at)
                SELECT '1', 0, 0, h.id, h.user_id, now() FROM zerodb.zerodb_hooks AS h WHERE h.hook_name = 'h120'",
            )
            .await?;
        let status = session.json("SELECT zerodb.status()").await?;
        let hooks = status["hooks"].as_array().cloned().unwrap_or_default();
        assert_eq!(hooks.len(), 100);
        let named = |at: usize| (&hooks[at]["hook_name"], &hooks[at]["discarded_5m"], &hooks[at]["waiting"]);
        assert_eq!(named(0), (&json!("h77"), &json!(1), &json!(0)));
        assert_eq!(named(1), (&json!("h120"), &json!(0), &json!(1)));
        assert_eq!(status["limited"], json!(["hooks"]));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_user_sees_in_the_status_what_is_its_own() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        history(&session).await?;
        let role = db.create_role("app").await?;
        session.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
        let (alice, nobody) = (db.session_as(&role).await?, db.session_as(&role).await?);
        alice.run(&format!("SET zerodb.user_id = '{ALICE}'")).await?;
        for (user, own) in [(&session, "true".to_owned()), (&alice, format!("user_id = '{ALICE}'"))] {
            let status = user.json("SELECT zerodb.status()").await?;
            for (field, states) in [
                ("running_deliveries", "'running'"),
                ("waiting_deliveries", "'pending', 'retryable'"),
            ] {
                let there = format!("SELECT count(*) FROM zerodb.deliveries WHERE state IN ({states}) AND {own}");
                assert_eq!(status[field], session.number(&there).await?, "{field}, {own}");
            }
            let hooks = status["hooks"].as_array().cloned().unwrap_or_default();
            let completed: i64 = hooks.iter().filter_map(|hook| hook["completed_5m"].as_i64()).sum();
            // The five minutes are others at each look: all of the last four at least, and none that is not there.
            let there = |age| format!("SELECT sum(size) FROM zerodb.completion WHERE finished_at > now() - interval '{age}' AND {own}");
            let (least, most) = (session.number(&there("4 min")).await?, session.number(&there("1 d")).await?);
            assert!((least..=most).contains(&completed), "{completed}, {own}");
        }
        let pending = "SELECT pending FROM zerodb.hook_status ORDER BY hook_name";
        assert_eq!(alice.texts(pending).await?, session.texts(pending).await?[..1]);
        let status = nobody.json("SELECT zerodb.status()").await?;
        assert_eq!((&status["waiting_deliveries"], &status["running_deliveries"], &status["hooks"]), (&json!(0), &json!(0), &json!([])));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hook_that_never_asked_a_model_has_no_usage() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("SELECT zerodb.create_hook('on_recall', 'quiet', hook_type => 'log')").await?;
        let usage = "SELECT jsonb_build_array(requests_today, tokens_today, tokens) FROM zerodb.hook_status";
        assert_eq!(session.json(usage).await?, json!([null, null, null]));
        session
            .run(
                "INSERT INTO zerodb.usage_entry (id, user_id, hook_id, prompt_tokens, completion_tokens, requests, inputs, estimated,
                    handler, provider, model)
                SELECT gen_random_uuid(), h.user_id, h.id, 9223372036854775807, 5, 2, 2, false, 'h', 'p', 'm' FROM zerodb.zerodb_hooks AS h",
            )
            .await?;
        assert_eq!(session.json(usage).await?, json!([2, i64::MAX, i64::MAX]));
        Ok(())
    })
    .await
}
