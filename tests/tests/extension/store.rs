//! The ready-made tables, and what each write to them records.

use serde_json::{Value, json};
use zerodb_hooks_harness::{Database, Result, Session, on_every_server};

use crate::{ALICE, BOB, EVERYTHING, PROJECT};

async fn store(db: &Database) -> Result<Session> {
    let session = db.session().await?;
    if db.major() == 18 {
        session.run("CREATE EXTENSION IF NOT EXISTS vector").await?;
    }
    session.run("SELECT zerodb.create_store(dimensions => 3)").await?;
    session.run(EVERYTHING).await?;
    session
        .run(&format!(
            "SET zerodb.user_id = '{ALICE}'; SET zerodb.project_id = '{PROJECT}'"
        ))
        .await?;
    Ok(session)
}

/// What one statement adds to the log.
async fn events_of(session: &Session, sql: &str) -> Result<Vec<(String, Value)>> {
    let before = session.events().await?.len();
    session.run(sql).await?;
    let mut events: Vec<_> = session
        .events()
        .await?
        .split_off(before)
        .into_iter()
        .map(|e| (e.event, e.data))
        .collect();
    events.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(events)
}

fn event(name: &str, data: Value) -> (String, Value) {
    let mut data = data;
    if let Some(fields) = data.as_object_mut().filter(|_| name.starts_with("zero")) {
        fields.insert("user_id".into(), ALICE.into());
        if name != "zeromemory.remembered" {
            fields.insert("project_id".into(), PROJECT.into());
        }
    }
    (name.to_owned(), data)
}

#[tokio::test]
async fn create_store_again_changes_nothing() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        let all = "SELECT c.oid, c.xmin, c.relname FROM pg_class AS c WHERE c.relnamespace = 'zerodb_store'::regnamespace
            UNION ALL SELECT oid, xmin, tgname FROM pg_trigger UNION ALL SELECT oid, xmin, proname FROM pg_proc
            WHERE pronamespace = 'zerodb_store'::regnamespace ORDER BY 1";
        let before = session.rows(all).await?;
        session.run("SELECT zerodb.create_store(dimensions => 3)").await?;
        assert_eq!(session.rows(all).await?, before);
        session.run("DROP TABLE zerodb_store.files, zerodb_store.file_chunks").await?;
        session.run("SELECT zerodb.create_store(dimensions => 3)").await?;
        session.run("INSERT INTO zerodb_store.files (file_name) VALUES ('a')").await
    })
    .await
}

#[tokio::test]
async fn create_store_refuses_bad_arguments() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        session
            .run("CREATE SCHEMA taken; CREATE TABLE taken.vectors (id int)")
            .await?;
        for (arguments, code) in [
            ("'zerodb'", "22023"),
            ("'pg_mine'", "22023"),
            ("'information_schema'", "22023"),
            ("''", "22023"),
            ("NULL", "22023"),
            ("dimensions => 0", "22023"),
            ("dimensions => 16001", "22023"),
            ("dimensions => 4", "22023"),
            ("'taken'", "42P07"),
        ] {
            let error = session
                .error(&format!("SELECT zerodb.create_store({arguments})"))
                .await?;
            assert_eq!(error.code, code, "{arguments}: {error:?}");
            assert!(error.hint.is_some(), "{arguments}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn embeddings_are_vectors_where_pgvector_is_and_arrays_where_it_is_not() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        let kind = session
            .text(
                "SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                WHERE attrelid = 'zerodb_store.vectors'::regclass AND attname = 'embedding'",
            )
            .await?;
        let (expected, good, bad) = match db.major() {
            18 => ("vector(3)", "'[1,2,3]'", "'[1,2]'"),
            _ => ("real[]", "'{1,2,3}'", "'{1,2}'"),
        };
        assert_eq!(kind, expected);
        session
            .run(&format!(
                "INSERT INTO zerodb_store.vectors (embedding) VALUES ({good})"
            ))
            .await?;
        session
            .error(&format!(
                "INSERT INTO zerodb_store.vectors (embedding) VALUES ({bad})"
            ))
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn vectors_record_stored_and_deleted() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        let stored = event("zerodb.vector.stored", json!({"vector_id": "v1", "namespace": "default", "source": "api"}));
        let insert = "INSERT INTO zerodb_store.vectors (id, content) VALUES ('v1', 'hello')";
        assert_eq!(events_of(&session, insert).await?, std::slice::from_ref(&stored));
        let change = "UPDATE zerodb_store.vectors SET content = 'other'";
        assert_eq!(events_of(&session, change).await?, [stored]);
        // A handler that writes its result back must not fire again.
        let embedded = "UPDATE zerodb_store.vectors SET embedding_model = 'm', embedding_hash = 'x', metadata = '{\"a\": 1}'";
        assert_eq!(events_of(&session, embedded).await?, []);
        let deleted = event("zerodb.vector.deleted", json!({"vector_id": "v1", "namespace": "default"}));
        assert_eq!(events_of(&session, "DELETE FROM zerodb_store.vectors").await?, [deleted]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn memories_record_stored_retain_deleted_and_forget() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        let insert = "INSERT INTO zerodb_store.memories (id, agent_id, bank_id, content, tags)
            VALUES ('m1', 'agent', 'bank', 'hello', '{a,b}')";
        let retain = json!({"bank_id": "bank", "memory_id": "m1", "content_length": 5, "tags": ["a", "b"], "policy_actions": null});
        let stored = event("zerodb.memory.stored", json!({"memory_id": "m1", "agent_id": "agent"}));
        assert_eq!(events_of(&session, insert).await?, [event("on_retain", retain), stored]);
        let forget = json!({"bank_id": "bank", "memory_ids": ["m1"], "reason": null, "compliance": null});
        let deleted = event("zerodb.memory.deleted", json!({"memory_id": "m1", "agent_id": "agent"}));
        let events = events_of(&session, "DELETE FROM zerodb_store.memories").await?;
        assert_eq!(events, [event("on_forget", forget), deleted]);
        let banks = session.texts("SELECT DISTINCT bank_id FROM zerodb.events WHERE event LIKE 'on%'").await?;
        assert_eq!(banks, ["bank"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn files_record_uploaded_with_their_measured_size() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        let insert = "INSERT INTO zerodb_store.files (id, file_name, content_type, content, size_bytes)
            VALUES ('f1', 'a.txt', 'text/plain', 'größe', 999)";
        let data =
            json!({"file_id": "f1", "file_name": "a.txt", "content_type": "text/plain", "size_bytes": 7});
        assert_eq!(
            events_of(&session, insert).await?,
            [event("zerodb.file.uploaded", data)]
        );
        let summary = "UPDATE zerodb_store.files SET summary = 's', summary_model = 'm', summary_hash = 'x'";
        assert_eq!(events_of(&session, summary).await?, []);
        let bytes = events_of(
            &session,
            r"UPDATE zerodb_store.files SET content = NULL, content_bytes = '\x0001'",
        )
        .await?;
        assert_eq!(bytes[0].1["size_bytes"], json!(2));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn table_rows_record_inserted_updated_and_deleted() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        let data = json!({"table_name": "orders", "row_id": "r1"});
        for (sql, name) in [
            (
                "INSERT INTO zerodb_store.table_rows (id, table_name) VALUES ('r1', 'orders')",
                "inserted",
            ),
            (
                "UPDATE zerodb_store.table_rows SET row_data = '{\"a\": 1}'",
                "updated",
            ),
            ("DELETE FROM zerodb_store.table_rows", "deleted"),
        ] {
            let expected = event(&format!("zerodb.table.row_{name}"), data.clone());
            assert_eq!(events_of(&session, sql).await?, [expected]);
        }
        let touched = "INSERT INTO zerodb_store.table_rows (id, table_name) VALUES ('r2', 'orders');
            UPDATE zerodb_store.table_rows SET updated_at = now()";
        assert_eq!(events_of(&session, touched).await?.len(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn stream_banks_and_legal_holds_record_their_events() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        for (sql, name, data) in [
            (
                "INSERT INTO zerodb_store.event_stream (id, topic) VALUES ('e1', 'news')",
                "zerodb.event.published",
                json!({"event_id": "e1", "topic": "news"}),
            ),
            (
                "INSERT INTO zerodb_store.banks (id, profile, created_by) VALUES ('b1', 'p', 'me')",
                "on_bank_created",
                json!({"bank_id": "b1", "profile": "p", "created_by": "me"}),
            ),
            (
                "INSERT INTO zerodb_store.legal_holds (bank_id, hold_id) VALUES ('b1', 'h1')",
                "on_legal_hold",
                json!({"bank_id": "b1", "hold_id": "h1", "action": "set"}),
            ),
            (
                "DELETE FROM zerodb_store.banks",
                "on_bank_deleted",
                json!({"bank_id": "b1", "memory_count": null, "deleted_by": null}),
            ),
        ] {
            assert_eq!(events_of(&session, sql).await?, [event(name, data)], "{sql}");
        }
        let banks = session
            .texts("SELECT DISTINCT bank_id FROM zerodb.events WHERE event LIKE 'on%'")
            .await?;
        assert_eq!(banks, ["b1"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn remember_stores_a_memory_and_records_it() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        let before = session.events().await?.len();
        let id = session.text("SELECT zerodb.remember('likes tea', 'alice', 'semantic', tags => '{drinks}')").await?;
        let recorded = session.events().await?.split_off(before);
        let data = json!({"memory_id": id, "entity_id": "alice", "memory_type": "semantic", "namespace": "default"});
        assert_eq!((recorded[0].event.clone(), recorded[0].data.clone()), event("zeromemory.remembered", data));
        let row = session.rows("SELECT id, content, tags, user_id, project_id FROM zerodb_store.zeromemory").await?;
        let expected = json!({"id": id, "content": "likes tea", "tags": ["drinks"], "user_id": ALICE, "project_id": PROJECT});
        assert_eq!(row, [expected]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn remember_refuses_bad_arguments() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        for (arguments, code) in [
            ("'', 'alice'", "22023"),
            ("NULL, 'alice'", "22023"),
            ("'x', ' '", "22023"),
            ("'x', 'alice', 'eternal'", "22023"),
            ("'x', 'alice', importance => 2", "22023"),
            ("'x', 'alice', metadata => '[]'", "22023"),
            ("'x', 'alice', schema => 'nowhere'", "42P01"),
        ] {
            let error = session
                .error(&format!("SELECT zerodb.remember({arguments})"))
                .await?;
            assert_eq!(error.code, code, "{arguments}: {error:?}");
            assert!(error.hint.is_some(), "{arguments}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn graph_neighbors_reads_relations_by_depth_and_time() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        session
            .run(
                "INSERT INTO zerodb_store.entities (id, canonical_name, norm_name) OVERRIDING SYSTEM VALUE
                    SELECT n, name, zerodb._norm_name(name) FROM (VALUES (1, 'Ada'), (2, 'Äther  Inc'), (3, 'London')) AS v (n, name);
                INSERT INTO zerodb_store.relations (source_id, predicate, target_id, confidence) VALUES
                    (1, 'WORKS_AT', 2, 0.9), (2, 'BASED_IN', 3, 0.8);
                INSERT INTO zerodb_store.relations (source_id, predicate, target_id, valid_at, invalid_at)
                    VALUES (1, 'LIVED_IN', 3, '2001-01-01', '2002-01-01')",
            )
            .await?;
        let names = "SELECT source || ' ' || predicate || ' ' || target || ' ' || depth FROM zerodb.graph_neighbors";
        let at = async |arguments: &str| session.texts(&format!("{names}({arguments})")).await;
        assert_eq!(at("'ada'").await?, ["Ada WORKS_AT Äther  Inc 1"]);
        assert_eq!(at("' ADA ', 2").await?, ["Ada WORKS_AT Äther  Inc 1", "Äther  Inc BASED_IN London 2"]);
        assert_eq!(at("'äther inc'").await?.len(), 2);
        assert_eq!(at("'ada', as_of => '2001-06-01'").await?, ["Ada LIVED_IN London 1"]);
        assert_eq!(at("'nobody'").await?, Vec::<String>::new());
        session.run(&format!("SET zerodb.user_id = '{BOB}'")).await?;
        assert_eq!(at("'ada'").await?, Vec::<String>::new());
        for arguments in ["'ada', 0", "'ada', 7", "'ada', \"limit\" => 0"] {
            assert_eq!(session.error(&format!("{names}({arguments})")).await?.code, "22023", "{arguments}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_tenant_sees_only_his_rows_of_a_store() -> Result<()> {
    on_every_server(async |db| {
        let session = store(&db).await?;
        session.run("INSERT INTO zerodb_store.vectors (content) VALUES ('x')").await?;
        let role = db.create_role("app").await?;
        session
            .run(&format!("GRANT USAGE ON SCHEMA zerodb_store TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA zerodb_store TO {role}"))
            .await?;
        let app = db.session_as(&role).await?;
        for (user, count) in [(ALICE, 1), (BOB, 0)] {
            app.run(&format!("SET zerodb.user_id = '{user}'")).await?;
            assert_eq!(app.number("SELECT count(*) FROM zerodb_store.vectors").await?, count);
        }
        let forged = format!("INSERT INTO zerodb_store.vectors (content, user_id) VALUES ('x', '{ALICE}')");
        assert_eq!(app.error(&forged).await?.code, "42501");
        Ok(())
    })
    .await
}
