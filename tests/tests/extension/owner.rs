//! Actions on users' tables: what a worker's role can make of them by arguments of its own.

use serde_json::json;
use zerodb_hooks_harness::{Result, Session, on_every_server};

/// A table with its chunks and a hook on it; returns the hook.
async fn documents(session: &Session) -> Result<String> {
    session
        .run("CREATE TABLE docs (id bigint PRIMARY KEY, content text, embedding real[]);
            CREATE TABLE secrets (id bigint PRIMARY KEY, chunk integer, content text);
            INSERT INTO docs VALUES (1, 'a'); INSERT INTO secrets VALUES (1, 0, 'x');
            SELECT zerodb.create_chunk_table('docs', dimensions => 2);
            SELECT zerodb.register_event_type('doc.stored', 'documents', ARRAY['id'], 'A document was stored');
            SELECT zerodb.watch('docs', 'doc.stored', operations => '{insert,update}')")
        .await?;
    session
        .text("SELECT id FROM zerodb.create_hook('doc.stored', 'auto_embed')")
        .await
}

fn act(hook: &str, action: &str, args: &serde_json::Value) -> String {
    format!("SELECT zerodb._as_owner('{hook}', 'docs'::regclass::oid, '{action}', $${args}$$, '{{1,0}}')")
}

#[tokio::test]
async fn no_argument_becomes_sql() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let hook = documents(&session).await?;
        let evil = "real[], id = 2 FROM (SELECT 1 AS n) AS k RETURNING k.n) SELECT '[]'::jsonb --";
        let template = "SELECT id FROM zerodb.create_hook('doc.stored', 'auto_embed', '{\"template\": \"{{ content }}\"}', user_id => gen_random_uuid())";
        let templated = session.text(template).await?;
        for hook in [&hook, &templated] {
            for (action, args) in [
                ("embed_write", json!({"rows": [{"key": [evil], "source": evil, "hash": evil}], "model": evil, "dimensions": 2})),
                ("embed_write", json!({"plan": {"target": evil, "type": evil, "key": [evil]}, "columns": [evil], "rows": []})),
                ("embed_read", json!({"keys": [[evil]], "columns": ["content", evil]})),
                ("embed_page", json!({"after": [evil], "limit": evil, "missing": true})),
                ("embed_plan", json!({"event_type": evil, "columns": [evil]})),
                ("embed_count", json!({"user_id": evil, "tenant": evil})),
            ] {
                let _either = session.run(&act(hook, action, &args)).await;
                assert_eq!(session.number("SELECT id FROM docs").await?, 1, "{args}");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn chunks_go_to_the_table_of_chunks_of_the_config_only() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let hook = documents(&session).await?;
        let other = session.number("SELECT 'secrets'::regclass::oid::bigint").await?;
        let plan = json!({"table": "docs", "key": ["id"], "text": "content", "target": "embedding", "chunks": other, "chunk_key": ["id"], "copied": []});
        let args = json!({"plan": plan, "key": ["1"], "source": "", "chunks": [], "limit": 10});
        for action in ["chunk_read", "chunk_write", "chunk_page", "chunk_count"] {
            let error = session.error(&act(&hook, action, &args)).await?;
            assert_eq!(error.code, "42501", "vectors of this hook lie in a column: {action}: {error:?}");
        }
        session
            .run(&format!("SELECT zerodb.update_hook('{hook}', '{{\"chunk_table\": \"docs_chunks\"}}')"))
            .await?;
        let found = session.json(&act(&hook, "chunk_read", &args)).await?;
        let mut args = args;
        args["source"] = found["source"].clone();
        args["dimensions"] = json!(2);
        args["chunks"] = json!([{"n": 0, "content": "a", "hash": "00", "vector": 0}]);
        assert_eq!(session.json(&act(&hook, "chunk_write", &args)).await?, json!(true));
        assert_eq!(session.text("SELECT string_agg(content, ' ') FROM docs_chunks").await?, "a");
        assert_eq!(session.text("SELECT string_agg(content, ' ') FROM secrets").await?, "x");
        Ok(())
    })
    .await
}
