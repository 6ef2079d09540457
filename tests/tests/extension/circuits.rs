//! The circuits of endpoints as all workers share them: one probe, one event for each change, and nobody sees
//! another's; and what is noted of hooks that fail. Every call is the worker's own statement.

use serde_json::json;
use zerodb_hooks_harness::{Database, Result, Session, on_every_server};
use zerodb_hooks_worker::store::statements::{
    CLOSE_CIRCUIT, LIST_HELD_ENDPOINTS, NOTE_FAILING, OPEN_CIRCUIT, PRUNE_ENDPOINTS, THROTTLE_ENDPOINT,
};

use crate::endpoints::Ask;
use crate::{ALICE, BOB};

const OF_ALICE: &str = "webhook:aaaaaaaa-0000-4000-8000-000000000001:https:a.example:443";
const OF_ALL: &str =
    "webhook:00000000-0000-0000-0000-000000000000:https:a.example:443 aaaaaaaa-0000-4000-8000-000000000001";

async fn open(session: &Session, endpoint: &str) -> Result<()> {
    session
        .client
        .execute(
            OPEN_CIRCUIT,
            &[&endpoint, &1_000_i64, &5_i32, &"the endpoint answered 503"],
        )
        .await?;
    Ok(())
}

async fn close(session: &Session, endpoint: &str) -> Result<()> {
    session.client.execute(CLOSE_CIRCUIT, &[&endpoint]).await?;
    Ok(())
}

async fn held(session: &Session) -> Result<usize> {
    Ok(session.client.query(LIST_HELD_ENDPOINTS, &[]).await?.len())
}

/// The pause of every endpoint is over.
const OVER: &str = "UPDATE zerodb.endpoint SET paused_until = clock_timestamp() - interval '1 ms'";

async fn two_sessions(db: &Database) -> Result<(Session, Session)> {
    Ok((db.session().await?, db.session().await?))
}

#[tokio::test]
async fn after_a_pause_one_request_probes_and_the_others_wait_for_it() -> Result<()> {
    on_every_server(async |db| {
        let (one, other) = two_sessions(&db).await?;
        open(&one, OF_ALICE).await?;
        let waits = Ask::unlimited(OF_ALICE).of(&other, 1).await?;
        assert_eq!(waits.reason.as_deref(), Some("circuit_open"));
        assert_eq!(held(&other).await?, 1);
        one.run(OVER).await?;
        let probe = Ask::unlimited(OF_ALICE).of(&one, 1).await?;
        assert!(probe.entered && probe.probe, "{probe:?}");
        let second = Ask::unlimited(OF_ALICE).of(&other, 1).await?;
        assert!(
            !second.entered && second.reason.as_deref() == Some("circuit_open"),
            "{second:?}"
        );
        // A probe that failed doubles the pause, and frees the place of the next one.
        open(&one, OF_ALICE).await?;
        let pause = "SELECT round(extract(epoch FROM paused_until - updated_at))::int FROM zerodb.endpoint";
        assert_eq!(one.number(pause).await?, 2);
        one.run(OVER).await?;
        assert!(Ask::unlimited(OF_ALICE).of(&other, 1).await?.probe);
        close(&other, OF_ALICE).await?;
        for session in [&one, &other] {
            let usual = Ask::unlimited(OF_ALICE).of(session, 1).await?;
            assert!(usual.entered && !usual.probe, "{usual:?}");
        }
        assert_eq!(held(&other).await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn each_change_is_told_once_to_the_user_whose_endpoint_it_is() -> Result<()> {
    on_every_server(async |db| {
        let (one, other) = two_sessions(&db).await?;
        for endpoint in [OF_ALICE, OF_ALL, "mock"] {
            for session in [&one, &other] {
                open(session, endpoint).await?;
            }
            one.run(OVER).await?;
            open(&other, endpoint).await?;
            for session in [&one, &other] {
                close(session, endpoint).await?;
            }
            for session in [&one, &other] {
                session
                    .client
                    .execute(THROTTLE_ENDPOINT, &[&endpoint, &1_500_i64, &"webhook", &Some(60_i32)])
                    .await?;
            }
        }
        let events = one
            .rows(
                "SELECT e.event, e.user_id AS whose, coalesce(e.data ->> 'provider', e.data ->> 'operation') AS what
                FROM zerodb.events AS e ORDER BY e.timestamp, e.event",
            )
            .await?;
        let expected: Vec<_> = [
            (json!(ALICE), "https://a.example:443"),
            (json!(null), "https://a.example:443"),
            (json!(null), "mock"),
        ]
        .into_iter()
        .flat_map(|(whose, what)| {
            let event = |event: &str, what: String| json!({"event": event, "whose": whose, "what": what});
            [
                event("on_circuit_breaker_open", what.into()),
                event("on_circuit_breaker_close", what.into()),
                event("on_rate_limited", format!("webhook at {what}")),
            ]
        })
        .collect();
        assert_eq!(events, expected);
        let limited = one
            .json("SELECT data FROM zerodb.events WHERE event = 'on_rate_limited' LIMIT 1")
            .await?;
        assert_eq!((&limited["limit"], limited["retry_after"].as_f64()), (&json!(60), Some(1.5)));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_user_sees_its_own_endpoints_and_those_of_models() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        for endpoint in [OF_ALICE, OF_ALL, "mock"] {
            open(&admin, endpoint).await?;
        }
        let role = db.create_role("app").await?;
        admin.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
        let user = db.session_as(&role).await?;
        let seen = "SELECT string_agg(name || ' ' || circuit, ', ' ORDER BY name) FROM zerodb.endpoints";
        for (who, expected) in [
            (ALICE, format!("mock open, {OF_ALICE} open")),
            (BOB, "mock open".to_owned()),
        ] {
            user.run(&format!("SET zerodb.user_id = '{who}'")).await?;
            assert_eq!(user.text(seen).await?, expected);
        }
        assert_eq!(admin.number("SELECT count(*) FROM zerodb.endpoints").await?, 3);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_over_is_forgotten_and_a_model_is_not() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let hook = "hook:aaaaaaaa-0000-4000-8000-000000000001:bbbbbbbb-0000-4000-8000-000000000002";
        for endpoint in [OF_ALICE, OF_ALL, "mock"] {
            open(&session, endpoint).await?;
        }
        close(&session, OF_ALICE).await?;
        assert!(Ask::requests(hook, 60).of(&session, 1).await?.entered);
        let forget = async || session.client.execute(PRUNE_ENDPOINTS, &[]).await;
        assert_eq!(forget().await?, 0);
        session
            .run("UPDATE zerodb.endpoint SET updated_at = now() - interval '11 minutes'; UPDATE zerodb.endpoint_admission SET at = now() - interval '11 minutes'")
            .await?;
        assert_eq!(forget().await?, 2, "the closed circuit and the hook");
        assert_eq!(session.number("SELECT count(*) FROM zerodb.endpoint_admission").await?, 0);
        session
            .run(&format!("{OVER}, updated_at = now() - interval '25 hours'"))
            .await?;
        assert_eq!(forget().await?, 1, "the circuit that nobody asked about");
        assert_eq!(session.text("SELECT name FROM zerodb.endpoint").await?, "mock");
        Ok(())
    })
    .await
}

/// The worker's outcomes wait for nobody: not for one who deletes the hook and does not commit.
#[tokio::test]
async fn no_transaction_of_a_user_holds_up_a_note_of_failing() -> Result<()> {
    on_every_server(async |db| {
        let (admin, user) = two_sessions(&db).await?;
        let hook = admin
            .text("SELECT id FROM zerodb.create_hook('*', 'log', hook_type => 'log')")
            .await?;
        let note = async || -> Result<Option<String>> {
            let version = admin
                .number(&format!(
                    "SELECT xmin::text::bigint FROM zerodb.zerodb_hooks WHERE id = '{hook}'"
                ))
                .await?;
            let id: uuid::Uuid = hook.parse()?;
            let row = admin
                .client
                .query_one(
                    NOTE_FAILING,
                    &[&id, &version, &7_i64, &5_i32, &"down", &Some(0_i64)],
                )
                .await?;
            Ok(row.get(0))
        };
        user.run(&format!(
            "BEGIN; SELECT zerodb.update_hook('{hook}', is_active => false)"
        ))
        .await?;
        admin.run("SET statement_timeout = '10 s'").await?;
        assert_eq!(note().await?.as_deref(), Some("failing"));
        // It would be switched off now, but somebody changes it.
        assert_eq!(note().await?, None);
        user.run(&format!("ROLLBACK; BEGIN; SELECT zerodb.delete_hook('{hook}')"))
            .await?;
        assert_eq!(note().await?, None);
        user.run("ROLLBACK").await?;
        assert_eq!(note().await?.as_deref(), Some("disabled"));
        let kinds = "SELECT string_agg(data ->> 'kind', ' ' ORDER BY timestamp) FROM zerodb.events";
        assert_eq!(admin.text(kinds).await?, "failing disabled");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_delivery_that_is_discarded_by_hand_is_told_as_that_and_one_of_the_meta_event_is_not() -> Result<()>
{
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run("SELECT zerodb.create_hook('on_import', 'one', hook_type => 'log'), zerodb.create_hook('on_hook_failure', 'meta', hook_type => 'log')")
            .await?;
        // As the worker's dispatcher does it.
        let replay = "SELECT zerodb.replay(id, '-infinity', 'infinity') FROM zerodb.zerodb_hooks WHERE hook_name = ";
        session.run("SELECT zerodb.emit('on_import', '{}')").await?;
        session.run(&format!("{replay} 'one'")).await?;
        session.run("SELECT zerodb.discard(id) FROM zerodb.deliveries").await?;
        session.run(&format!("{replay} 'meta'")).await?;
        session.run("SELECT zerodb.discard(id) FROM zerodb.deliveries WHERE state = 'pending'").await?;
        let told = session
            .rows("SELECT data ->> 'kind' AS kind, data ->> 'hook_name' AS hook FROM zerodb.events WHERE event = 'on_hook_failure'")
            .await?;
        assert_eq!(told, [json!({"kind": "discarded", "hook": "one"})]);
        Ok(())
    })
    .await
}
