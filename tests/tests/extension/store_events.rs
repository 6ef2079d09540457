//! That the events of the store say what happened: upserts, batches, memories that are forgotten, deliveries that are
//! given up.

use serde_json::{Value, json};
use zerodb_hooks_harness::{Database, Result, Session, on_every_server};

use crate::{ALICE, BOB, EVERYTHING};

async fn store(db: &Database) -> Result<Session> {
    let session = db.session().await?;
    if db.major() == 18 {
        session.run("CREATE EXTENSION IF NOT EXISTS vector").await?;
    }
    session.run("SELECT zerodb.create_store(dimensions => 3)").await?;
    session.run(EVERYTHING).await?;
    session.run(&format!("SET zerodb.user_id = '{ALICE}'")).await?;
    Ok(session)
}

fn vector(db: &Database, text: &str) -> String {
    match db.major() {
        18 => format!("'[{text}]'"),
        _ => format!("'{{{text}}}'"),
    }
}

/// What statements add to the log: the types, each with how often, and the data of those of one type.
async fn added(session: &Session, sql: &str, of: &str) -> Result<(Vec<String>, Vec<Value>)> {
    let before = session.events().await?.len();
    session.run(sql).await?;
    let events = session.events().await?.split_off(before);
    let data = events
        .iter()
        .filter(|event| event.event == of)
        .map(|event| event.data.clone());
    let data = data.collect();
    let mut types: Vec<_> = events.into_iter().map(|event| event.event).collect();
    types.sort();
    Ok((types, data))
}

#[tokio::test]
async fn an_embedding_that_the_application_gives_is_stored_and_one_of_auto_embed_is_not_told() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        let (one, two) = (vector(&db, "1,2,3"), vector(&db, "3,2,1"));
        session.run("INSERT INTO zerodb_store.vectors (id, content) VALUES ('v', 'x')").await?;
        let upsert = |vector: &str| {
            format!(
                "INSERT INTO zerodb_store.vectors (id, embedding) VALUES ('v', {vector})
                ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding"
            )
        };
        let stored = "zerodb.vector.stored";
        for (sql, expected) in [
            (upsert(&one), 1),
            (upsert(&one), 0),
            (format!("UPDATE zerodb_store.vectors SET embedding = {two}, embedding_hash = '\\x01', embedding_model = 'm'"), 0),
            (upsert(&one), 1),
            (format!("UPDATE zerodb_store.vectors SET embedding = {two}, embedding_hash = NULL"), 1),
            ("UPDATE zerodb_store.vectors SET embedding = NULL".to_owned(), 1),
            ("UPDATE zerodb_store.vectors SET metadata = '{\"a\": 1}'".to_owned(), 0),
        ] {
            let (types, _) = added(&session, &sql, stored).await?;
            assert_eq!(types, vec![stored; expected], "{sql}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_batch_that_is_upserted_or_merged_is_one_batch() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        let upsert = |ids: &str, content: &str| {
            format!(
                "INSERT INTO zerodb_store.vectors (id, content) SELECT id, '{content}' FROM unnest('{{{ids}}}'::text[]) AS u (id)
                ON CONFLICT (id) DO UPDATE SET content = excluded.content"
            )
        };
        let merge = "MERGE INTO zerodb_store.vectors AS t USING (VALUES ('a'), ('e')) AS s (id) ON s.id = t.id
            WHEN MATCHED THEN UPDATE SET content = 'merged' WHEN NOT MATCHED THEN INSERT (id, content) VALUES (s.id, 'merged')";
        let batch = "zerodb.vector.batch_stored";
        for (sql, singles, counts) in [
            (upsert("a,b,c", "one"), 3, vec![3]),
            (upsert("a,b,c", "two"), 3, vec![3]),
            (upsert("a,b,d", "three"), 3, vec![3]),
            (upsert("a,b,d", "three"), 0, vec![]),
            (upsert("a", "four"), 1, vec![]),
            (merge.to_owned(), 2, vec![2]),
            // An UPDATE stores nothing new, and what it changed is no part of the next statement's batch.
            ("UPDATE zerodb_store.vectors SET content = 'five'".to_owned(), 5, vec![]),
            ("INSERT INTO zerodb_store.vectors (id, content) VALUES ('z', 'z')".to_owned(), 1, vec![]),
        ] {
            let (types, data) = added(&session, &sql, batch).await?;
            assert_eq!(types.len(), singles + counts.len(), "{sql}: {types:?}");
            let found: Vec<_> = data.iter().map(|data| data["count"].as_i64().unwrap_or_default()).collect();
            assert_eq!(found, counts, "{sql}");
            assert!(data.iter().all(|data| data["user_id"] == ALICE), "{data:?}");
        }
        // A transaction of one text: the first statement fails, and leaves nothing for the second.
        session.error(&format!("{}; SELECT 1 / 0", upsert("a,b,c", "six"))).await?;
        let (types, _) = added(&session, "INSERT INTO zerodb_store.vectors (id, content) VALUES ('y', 'y')", batch).await?;
        assert_eq!(types.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn memories_that_are_forgotten_are_one_event_for_each_user_and_bank() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        session
            .run(&format!(
                "INSERT INTO zerodb_store.memories (id, bank_id, content, user_id) VALUES
                    ('m1', 'b', 'x', '{ALICE}'), ('m2', 'b', 'x', '{ALICE}'), ('m3', NULL, 'x', '{ALICE}'), ('m\"4', 'b', 'x', '{BOB}')"
            ))
            .await?;
        let (types, mut data) = added(&session, "DELETE FROM zerodb_store.memories", "on_forget").await?;
        assert_eq!(types.len(), 3 + 4, "{types:?}");
        data.sort_by_key(|data| data["memory_ids"].to_string());
        let expected = |bank: Option<&str>, ids: Value| json!({"bank_id": bank, "memory_ids": ids, "reason": null, "compliance": null});
        assert_eq!(
            data,
            [expected(Some("b"), json!(["m1", "m2"])), expected(None, json!(["m3"])), expected(Some("b"), json!(["m\"4"]))]
        );
        let users = "SELECT DISTINCT user_id || ' ' || coalesce(bank_id, '-') FROM zerodb.events WHERE event = 'on_forget' ORDER BY 1";
        let of = |user: &str, bank: &str| format!("{user} {bank}");
        assert_eq!(session.texts(users).await?, [of(ALICE, "-"), of(ALICE, "b"), of(BOB, "b")]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_long_list_goes_on_in_further_events() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        session
            .run("INSERT INTO zerodb_store.memories (id, bank_id, content) SELECT 'm' || n, 'b', 'x' FROM generate_series(1, 2500) AS n")
            .await?;
        let (_, data) = added(&session, "DELETE FROM zerodb_store.memories", "on_forget").await?;
        let lengths: Vec<_> = data.iter().map(|data| data["memory_ids"].as_array().map_or(0, Vec::len)).collect();
        assert_eq!(lengths, [1000, 1000, 500]);
        let ids = "SELECT count(DISTINCT m.id) FROM zerodb.events AS e, jsonb_array_elements_text(e.data -> 'memory_ids') AS m (id) WHERE event = 'on_forget'";
        assert_eq!(session.number(ids).await?, 2500);
        // Ids of 50,000 bytes: the list is cut by its size.
        session
            .run("INSERT INTO zerodb_store.memories (id, content) SELECT n || repeat(md5(n::text), 1500), 'x' FROM generate_series(1, 30) AS n")
            .await?;
        let (_, data) = added(&session, "DELETE FROM zerodb_store.memories", "on_forget").await?;
        assert!(data.len() > 1 && data.iter().all(|data| data.to_string().len() < 1_000_000), "{}", data.len());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn remembering_is_a_retain_and_deleting_what_was_remembered_a_forget() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        let (types, data) = added(&session, "SELECT zerodb.remember('likes tea', 'alice', tags => '{drinks}')", "on_retain").await?;
        assert_eq!(types, ["on_retain", "zeromemory.remembered"]);
        let id = session.text("SELECT id FROM zerodb_store.zeromemory").await?;
        let retain = json!({"bank_id": null, "memory_id": id, "content_length": 9, "tags": ["drinks"], "policy_actions": null});
        assert_eq!(data, [retain]);
        let (types, data) = added(&session, "DELETE FROM zerodb_store.zeromemory", "on_forget").await?;
        assert_eq!(types, ["on_forget", "zeromemory.forgotten"]);
        assert_eq!(data[0]["memory_ids"], json!([id]));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_setting_that_is_no_uuid_fails_no_write_into_the_store() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        session.run("SET zerodb.user_id = 'user_789'; SET zerodb.project_id = '{'").await?;
        session.run("INSERT INTO zerodb_store.vectors (content) VALUES ('x')").await?;
        let rows = session.rows("SELECT user_id, project_id FROM zerodb_store.vectors").await?;
        assert_eq!(rows, [json!({"user_id": null, "project_id": null})]);
        // Whom the policy holds for is nobody with it.
        let role = db.create_role("app").await?;
        session
            .run(&format!("GRANT USAGE ON SCHEMA zerodb_store TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA zerodb_store TO {role}"))
            .await?;
        let app = db.session_as(&role).await?;
        app.run("SET zerodb.user_id = 'user_789'").await?;
        assert_eq!(app.number("SELECT count(*) FROM zerodb_store.vectors").await?, 0);
        assert_eq!(app.error("INSERT INTO zerodb_store.vectors (content) VALUES ('x')").await?.code, "42501");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_user_of_an_event_is_in_its_data_where_the_type_has_the_field() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        session.run("CREATE TABLE own (id int PRIMARY KEY); SELECT zerodb.watch('own', 'zerodb.table.row_inserted')").await?;
        let inserted = "zerodb.table.row_inserted";
        let (_, data) = added(&session, "INSERT INTO own VALUES (1)", inserted).await?;
        assert_eq!(data[0]["user_id"], ALICE);
        let emit = "SELECT zerodb.emit('zerodb.table.row_inserted', '{\"row_id\": 1}')";
        let (_, data) = added(&session, emit, inserted).await?;
        assert_eq!(data, [json!({"row_id": 1, "user_id": ALICE})]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_trace_that_is_none_by_the_standard_is_not_kept() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
        let zeros =
            |trace: usize, parent: usize| format!("00-{}-{}-01", "0".repeat(trace), "0".repeat(parent));
        for (traceparent, expected) in [
            (format!("00-{TRACE}-01"), Some(format!("00-{TRACE}-01"))),
            (format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)), None),
            (format!("00-{}-{}-01", &TRACE[..32], "0".repeat(16)), None),
            (zeros(32, 16), None),
            (format!("ff-{TRACE}-01"), None),
            (format!("00-{}-01", TRACE.to_uppercase()), None),
            (format!("00-{TRACE}-01-more"), None),
            (format!("00-{TRACE}"), None),
            (format!("01-{TRACE}-01"), Some(format!("00-{TRACE}-01"))),
            (format!("01-{TRACE}-01-more"), Some(format!("00-{TRACE}-01"))),
            (format!("01-{TRACE}-01more"), None),
            (format!("00-{TRACE}-0g"), None),
            (String::new(), None),
        ] {
            session
                .run(&format!("SET zerodb.traceparent = '{traceparent}'"))
                .await?;
            session
                .run("INSERT INTO zerodb_store.event_stream (topic) VALUES ('t')")
                .await?;
            let kept = "SELECT traceparent FROM zerodb.outbox ORDER BY xid DESC, ord DESC LIMIT 1";
            assert_eq!(
                session.rows(kept).await?,
                [json!({"traceparent": expected})],
                "{traceparent}"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_delivery_that_is_discarded_by_hand_is_told_once() -> Result<()> {
    on_every_server(async |db| {
        let session = crate::watched(&db).await?;
        session.run("INSERT INTO item VALUES (1), (2)").await?;
        session.run("SELECT zerodb.replay(id, '-infinity', 'infinity') FROM zerodb.zerodb_hooks").await?;
        session.run("SELECT zerodb.discard(id) FROM zerodb.deliveries").await?;
        let failures = "SELECT data FROM zerodb.events WHERE event = 'on_hook_failure' ORDER BY (data ->> 'delivery_id')::bigint";
        let told = session.rows(failures).await?;
        assert_eq!(told.len(), 2, "{told:?}");
        let data = &told[0]["data"];
        assert_eq!(data["hook_name"], "everything");
        assert_eq!(data["event"], "zerodb.table.row_inserted");
        assert_eq!(data["last_error"], "discarded by hand");
        assert_eq!(data["attempts"], 0);
        let again = session.error("SELECT zerodb.discard(id) FROM zerodb.deliveries WHERE state = 'discarded' LIMIT 1").await?;
        assert_eq!(again.code, "55000");
        // A delivery of the meta-event itself is given up in silence.
        session.run("SELECT zerodb.replay(id, '-infinity', 'infinity') FROM zerodb.zerodb_hooks").await?;
        session
            .run("SELECT zerodb.discard(d.id) FROM zerodb.deliveries AS d JOIN zerodb.events AS e ON e.id = d.event_id
                WHERE e.event = 'on_hook_failure' AND d.state = 'pending'")
            .await?;
        assert_eq!(session.rows(failures).await?.len(), 2);
        Ok(())
    })
    .await
}
