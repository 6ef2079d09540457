//! Emitting, reading and waiting for events.

use serde_json::{Value, json};
use zerodb_hooks_harness::{Result, Session, on_every_server};

use crate::{ALICE, PROJECT};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The envelope of an event, its keys in order, and true when its timestamp is RFC 3339 in UTC.
async fn envelope(session: &Session, id: &str) -> Result<(Value, Vec<String>)> {
    let value = session.json(&format!("SELECT zerodb.event_json('{id}')")).await?;
    let stamp = value["timestamp"].as_str().unwrap_or_default().to_owned();
    let shape = "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z$";
    assert_eq!(
        session.text(&format!("SELECT '{stamp}' ~ '{shape}'")).await?,
        "t",
        "{stamp}"
    );
    let near = format!("SELECT abs(extract(epoch FROM now() - '{stamp}'::timestamptz)) < 60");
    assert_eq!(session.text(&near).await?, "t");
    let mut keys: Vec<_> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.clone())
        .collect();
    keys.sort();
    Ok((value, keys))
}

#[tokio::test]
async fn emit_records_whether_or_not_a_hook_wants_it() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let id = session
            .text(&format!("SELECT zerodb.emit('on_recall', '{{\"bank_id\": \"b1\", \"query\": \"q\"}}', '{PROJECT}', '{ALICE}')"))
            .await?;
        assert!(id.strip_prefix("evt_").is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit())));
        let row = session.rows("SELECT id, event, channel, data, user_id, project_id, bank_id, trace_id FROM zerodb.events").await?;
        let expected = json!({"id": id, "event": "on_recall", "channel": "astrocyte", "data": {"bank_id": "b1", "query": "q"},
            "user_id": ALICE, "project_id": PROJECT, "bank_id": "b1", "trace_id": null});
        assert_eq!(row, [expected]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn emit_takes_user_and_project_from_the_settings() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run(&format!(
                "SET zerodb.user_id = '{ALICE}'; SET zerodb.project_id = '{PROJECT}'"
            ))
            .await?;
        session
            .run("SELECT zerodb.emit('on_import', '{}', bank_id => 'explicit')")
            .await?;
        let rows = session
            .rows("SELECT user_id, project_id, bank_id FROM zerodb.events")
            .await?;
        assert_eq!(
            rows,
            [json!({"user_id": ALICE, "project_id": PROJECT, "bank_id": "explicit"})]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn emit_refuses_what_is_no_event() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for (arguments, message) in [
            ("'nope', '{}'", "unknown event type 'nope'"),
            ("'*', '{}'", "unknown event type ''"),
            ("'zerodb.*', '{}'", "cannot emit the pattern 'zerodb.*'"),
            ("NULL, '{}'", "unknown event type ''"),
            ("'on_import', NULL", "the data of an event must be a JSON object"),
            ("'on_import', '[]'", "the data of an event must be a JSON object"),
            (
                "'on_import', 'null'",
                "the data of an event must be a JSON object",
            ),
        ] {
            let error = session.error(&format!("SELECT zerodb.emit({arguments})")).await?;
            assert_eq!(
                (error.code.as_str(), error.message.as_str()),
                ("22023", message),
                "{arguments}"
            );
            assert!(error.hint.is_some());
        }
        assert_eq!(session.event_count().await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_envelope_of_a_zerodb_event_has_exactly_these_keys() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("SET timezone = 'Asia/Tokyo'").await?;
        let id = session
            .text("SELECT zerodb.emit('zerodb.file.uploaded', '{\"file_id\": \"f\"}')")
            .await?;
        let (value, keys) = envelope(&session, &id).await?;
        assert_eq!(keys, ["channel", "data", "event", "id", "timestamp"]);
        assert_eq!(value["id"], json!(id));
        assert_eq!(value["event"], json!("zerodb.file.uploaded"));
        assert_eq!(value["channel"], json!("zerodb"));
        assert_eq!(value["data"], json!({"file_id": "f"}));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_envelope_of_an_astrocyte_event_has_exactly_these_keys() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run(&format!("SET zerodb.traceparent = '{TRACEPARENT}'"))
            .await?;
        let id = session
            .text("SELECT zerodb.emit('on_retain', '{\"memory_id\": \"m\"}', bank_id => 'b')")
            .await?;
        let (value, keys) = envelope(&session, &id).await?;
        assert_eq!(
            keys,
            ["bank_id", "data", "event_id", "timestamp", "trace_id", "type"]
        );
        assert_eq!(
            value["event_id"].as_str().map(|uuid| uuid.replace('-', "")),
            Some(id[4..].to_owned())
        );
        assert_eq!(value["type"], json!("on_retain"));
        assert_eq!(value["bank_id"], json!("b"));
        assert_eq!(value["trace_id"], json!("4bf92f3577b34da6a3ce929d0e0e4736"));
        // The id of the envelope finds the event too.
        let uuid = value["event_id"].as_str().unwrap_or_default();
        assert_eq!(
            session
                .json(&format!("SELECT zerodb.event_json('{uuid}')"))
                .await?,
            value
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_envelope_of_a_users_own_type_is_of_its_channel() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run("SELECT zerodb.register_event_type('order.created', 'shop', '{id}', 'an order')")
            .await?;
        let id = session
            .text("SELECT zerodb.emit('order.created', '{\"id\": 1}')")
            .await?;
        let (value, keys) = envelope(&session, &id).await?;
        assert_eq!(keys, ["channel", "data", "event", "id", "timestamp"]);
        assert_eq!(value["channel"], json!("shop"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_unknown_event_is_p0002() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let real = session.text("SELECT zerodb.emit('on_import', '{}')").await?;
        // Of another installation: the salt differs.
        let foreign = format!(
            "evt_{}{}",
            if real[4..12] == *"00000000" {
                "11111111"
            } else {
                "00000000"
            },
            &real[12..]
        );
        for id in [
            "'evt_00'",
            "''",
            "'x'",
            "NULL",
            "'evt_zz000000000000000000000000000000'",
            &format!("'{foreign}'"),
        ] {
            for call in [format!("event_json({id})"), format!("await_event({id})")] {
                let error = session.error(&format!("SELECT zerodb.{call}")).await?;
                assert_eq!(error.code, "P0002", "{call}: {error:?}");
                assert_eq!(error.message, format!("event {id} does not exist"));
                assert!(error.hint.is_some());
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn await_event_refuses_an_event_of_its_own_transaction() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("BEGIN").await?;
        let id = session.text("SELECT zerodb.emit('on_import', '{}')").await?;
        let error = session
            .error(&format!("SELECT zerodb.await_event('{id}')"))
            .await?;
        assert_eq!(error.code, "55000");
        assert!(error.hint.is_some_and(|hint| hint.contains("COMMIT")));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn await_event_returns_at_its_timeout_and_wait_idle_says_no() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        assert_eq!(session.text("SELECT zerodb.wait_idle('0 s')").await?, "t");
        let id = session.text("SELECT zerodb.emit('on_import', '{}')").await?;
        let progress = session
            .json(&format!("SELECT zerodb.await_event('{id}', '50 ms')"))
            .await?;
        assert_eq!(
            progress,
            json!({"completed": 0, "pending": 0, "hook_warnings": []})
        );
        assert_eq!(session.text("SELECT zerodb.wait_idle('50 ms')").await?, "f");
        let status = session.json("SELECT zerodb.status()").await?;
        assert_eq!(status["undispatched_events"], json!(1));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn register_event_type_adds_and_changes() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("SELECT zerodb.register_event_type('order.created', 'shop', '{id}', 'first')").await?;
        session.run("SELECT zerodb.register_event_type('order.created', 'app', '{id,total}', 'second')").await?;
        let rows = session.rows("SELECT * FROM zerodb.event_types WHERE name = 'order.created'").await?;
        let expected =
            json!({"name": "order.created", "channel": "app", "fields": ["id", "total"], "description": "second"});
        assert_eq!(rows, [expected]);
        session.run("SELECT zerodb.create_hook('order.created', 'x', hook_type => 'log')").await?;
        session.run("CREATE TABLE o (id int PRIMARY KEY, total int); SELECT zerodb.watch('o', 'order.created')").await?;
        session.run("INSERT INTO o VALUES (1, 9)").await?;
        assert_eq!(session.events().await?[0].data, json!({"id": 1, "total": 9}));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn register_event_type_refuses_with_22023() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for (name, channel, message) in [
            ("NULL", "'a'", "invalid event type name NULL"),
            ("''", "'a'", "invalid event type name ''"),
            ("'Order.made'", "'a'", "invalid event type name 'Order.made'"),
            ("'order.'", "'a'", "invalid event type name 'order.'"),
            ("'order.*'", "'a'", "invalid event type name 'order.*'"),
            ("'*'", "'a'", "invalid event type name '*'"),
            (
                "'zerodb.vector.stored'",
                "'a'",
                "event type 'zerodb.vector.stored' is built in",
            ),
            (
                "'zerodb.mine'",
                "'a'",
                "event type name 'zerodb.mine' uses a reserved prefix",
            ),
            (
                "'zeromemory.mine'",
                "'a'",
                "event type name 'zeromemory.mine' uses a reserved prefix",
            ),
            (
                "'on_order'",
                "'a'",
                "event type name 'on_order' uses a reserved prefix",
            ),
            ("'order.made'", "NULL", "invalid channel NULL"),
            ("'order.made'", "'a b'", "invalid channel 'a b'"),
        ] {
            let error = session
                .error(&format!(
                    "SELECT zerodb.register_event_type({name}, {channel}, '{{id}}', '')"
                ))
                .await?;
            assert_eq!((error.code.as_str(), error.message.as_str()), ("22023", message));
            assert!(error.hint.is_some());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_commit_with_events_wakes_a_parked_worker_and_no_other_commit_notifies() -> Result<()> {
    on_every_server(async |db| {
        let (session, listener) = (crate::watched(&db).await?, db.session().await?);
        listener.run("LISTEN zerodb_hooks").await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        listener.run("SELECT 1").await?;
        assert_eq!(listener.take_notifications(), Vec::<String>::new());
        // Parked: as the worker does it.
        listener.run("SELECT zerodb._lock_session('park')").await?;
        session.run("INSERT INTO item VALUES (2)").await?;
        session
            .run("BEGIN; INSERT INTO item VALUES (3); ROLLBACK")
            .await?;
        session.run("SET zerodb.notify = off").await?;
        session.run("INSERT INTO item VALUES (4)").await?;
        let heard = zerodb_hooks_harness::eventually(zerodb_hooks_harness::SOON, async || {
            listener.run("SELECT 1").await.ok()?;
            Some(listener.take_notifications()).filter(|channels| !channels.is_empty())
        })
        .await?;
        assert_eq!(heard, ["zerodb_hooks"]);
        Ok(())
    })
    .await
}
