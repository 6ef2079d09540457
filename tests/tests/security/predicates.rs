//! Conditions that take long or fail: they cost their own hook, and nobody else anything.

use zerodb_hooks_harness::{Result, Session, Worker, on_every_server};

use crate::actors::{Stage, VICTIM};

/// Four nested searches over a thousand numbers: it ends in some centuries.
const ENDLESS: &str = "exists($.id[*] ? (exists($.id[*] ? (exists($.id[*] ? (exists($.id[*] ? (@ < 0)))))))) || exists($.id[*] ? (exists($.id[*] ? (exists($.id[*] ? (exists($.id[*] ? (@ < 0))))))))";
const THOUSAND: &str = "SELECT zerodb.emit('app.thing', jsonb_build_object('id', (SELECT jsonb_agg(n) FROM generate_series(1, 1000) AS n)))";

async fn log_hook(session: &Session, name: &str, config: &str) -> Result<String> {
    session
        .text(&format!(
            "SELECT id FROM zerodb.create_hook('app.thing', '{name}', '{config}', hook_type => 'log')"
        ))
        .await
}

fn worker(url: &str) -> Result<Worker> {
    Worker::start_with(url, &["--lease-s", "3", "--poll-ms", "200"], &[])
}

#[tokio::test]
async fn a_condition_that_does_not_end_switches_its_own_hook_off() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let endless = ENDLESS.replace("@ < 0", "exists(@ ? (@ < 0))");
        let slow = log_hook(&stage.mallory, "slow", &format!("{{\"when\": \"{endless}\"}}")).await?;
        log_hook(&stage.victim, "plain", "{}").await?;
        log_hook(
            &stage.victim,
            "asked",
            "{\"when\": \"exists($.id[*] ? (@ == 7))\"}",
        )
        .await?;
        let _worker = worker(&db.worker_url())?;
        stage.mallory.run(THOUSAND).await?;
        stage
            .victim
            .run("SELECT zerodb.emit('app.thing', '{\"id\": [7]}')")
            .await?;
        let mine = format!(
            "SELECT count(*) FROM zerodb.deliveries WHERE user_id = '{VICTIM}' AND state = 'completed'"
        );
        stage.admin.becomes(&mine, 2).await?;
        stage
            .mallory
            .becomes("SELECT is_active FROM zerodb.zerodb_hooks", "f")
            .await?;
        let fault = format!("SELECT fault FROM zerodb.hook_status WHERE hook_id = '{slow}'");
        assert!(stage.mallory.text(&fault).await?.contains("did not end"));
        assert_eq!(
            stage
                .victim
                .number("SELECT count(*) FROM zerodb.hook_fault")
                .await?,
            0
        );
        let last = "SELECT zerodb.status() #>> '{hooks,0,fault}'";
        assert!(stage.mallory.text(last).await?.contains("did not end"));
        // The event was not lost: a condition that ends decides it.
        stage
            .mallory
            .run(&format!(
                "SELECT zerodb.update_hook('{slow}', '{{\"when\": \"exists($.id[*] ? (@ == 1000))\"}}', true)"
            ))
            .await?;
        stage.mallory.completed(1).await?;
        assert_eq!(
            stage
                .mallory
                .number("SELECT count(*) FROM zerodb.hook_fault")
                .await?,
            0
        );
        Ok(())
    })
    .await
}

/// Errors that `silent` does not swallow, and data that jsonb does not take.
#[tokio::test]
async fn a_condition_that_fails_is_not_true_and_stops_nobody() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        for (place, when) in [
            "$.note.datetime() < \\\"2026-01-01\\\".datetime()",
            "$.note.double() > 1",
            "$.id == 1",
            "strict $.none.none == 1",
        ]
        .iter()
        .enumerate()
        {
            log_hook(&stage.mallory, &format!("h{place}"), &format!("{{\"when\": \"{when}\"}}")).await?;
        }
        let direct = "INSERT INTO zerodb.outbox (xid, created_at, ord, relid, slot, user_id, event_type, data)
            SELECT pg_current_xact_id(), now(), 1000, 0, 0, h.user_id, 'app.thing', '{\"id\": \"\\u0000\"}' FROM zerodb.zerodb_hooks AS h LIMIT 1";
        stage.admin.run(direct).await?;
        stage
            .mallory
            .run("SELECT zerodb.emit('app.thing', '{\"note\": \"2026-01-01T00:00:00+01:00\", \"id\": 1}')")
            .await?;
        log_hook(&stage.victim, "plain", "{}").await?;
        stage.victim.run("SELECT zerodb.emit('app.thing', '{}')").await?;
        let _worker = worker(&db.worker_url())?;
        let mine = format!("SELECT count(*) FROM zerodb.deliveries WHERE user_id = '{VICTIM}' AND state = 'completed'");
        stage.admin.becomes(&mine, 1).await?;
        stage.admin.idle().await?;
        assert_eq!(stage.mallory.number("SELECT count(*) FROM zerodb.deliveries").await?, 1, "$.id == 1");
        Ok(())
    })
    .await
}

/// Which conditions the dispatcher evaluates itself.
#[tokio::test]
async fn what_has_no_bound_is_not_called_simple() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for (path, simple) in [
            ("$.size > 1000", true),
            ("$.a.b == \"x (y) && $[*] ?\" && !($.c < -1.5)", true),
            ("exists($.a) || $.b starts with \"/tmp\"", true),
            ("strict $.a == null", true),
            ("$.entity_id", true),
            ("$[*] == 1", false),
            ("$.a[*] == 1", false),
            ("$.* == 1", false),
            ("$.** == 1", false),
            ("$.a == $.b", false),
            ("$.a ? (@ > 1) == 2", false),
            ("exists($ ? (@.a == 1))", false),
            ("$.a like_regex \"(a*)*b\"", false),
            ("$.a.size() > 3", false),
            ("$.a + 1 == 3", false),
            ("$.\"a\\\" == 1 || \\\"\" == $.b", false),
            ("no path", false),
        ] {
            let path = path.replace('\'', "''");
            let found = session
                .text(&format!("SELECT zerodb._is_simple('{path}')"))
                .await?;
            assert_eq!(found == "t", simple, "{path}");
        }
        let many = vec!["$.a == 1"; 200].join(" || ");
        assert_eq!(
            session
                .text(&format!("SELECT zerodb._is_simple('{many}')"))
                .await?,
            "f"
        );
        Ok(())
    })
    .await
}

/// Some of a key's events are decided by the dispatcher, and some later: they still run in the order of the writes.
#[tokio::test]
async fn what_is_decided_later_keeps_the_order() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let role = &stage.victim_role;
        stage
            .victim
            .run(&format!(
                "CREATE TABLE {role}.seen (n int GENERATED ALWAYS AS IDENTITY, i int);
                CREATE FUNCTION {role}.see(e jsonb) RETURNS void LANGUAGE sql AS
                $$ INSERT INTO {role}.seen (i) VALUES ((e -> 'data' ->> 'i')::int) $$;
                SELECT zerodb.create_hook('app.thing', 'see', '{{\"function\": \"{role}.see\", \"when\": \"$.i > 0\", \"order_by\": \"$.key\"}}',
                    hook_type => 'sql')"
            ))
            .await?;
        let _worker = worker(&db.worker_url())?;
        for i in 1..=30 {
            // With an array in it, the dispatcher leaves it.
            let more = if i % 2 == 0 { ", \"tags\": [1]" } else { "" };
            stage
                .victim
                .run(&format!("SELECT zerodb.emit('app.thing', '{{\"i\": {i}, \"key\": \"k\"{more}}}')"))
                .await?;
        }
        stage.victim.run("SELECT zerodb.emit('app.thing', '{\"i\": 0, \"key\": \"k\", \"tags\": []}')").await?;
        let seen = format!("SELECT count(*) FROM {role}.seen");
        stage.victim.becomes(&seen, 30).await?;
        let order = format!("SELECT string_agg(i::text, ',' ORDER BY n) FROM {role}.seen");
        let expected: Vec<_> = (1..=30).map(|i| i.to_string()).collect();
        assert_eq!(stage.victim.text(&order).await?, expected.join(","));
        stage.admin.idle().await?;
        assert_eq!(stage.admin.number("SELECT count(*) FROM zerodb.candidate").await?, 0);
        Ok(())
    })
    .await
}
