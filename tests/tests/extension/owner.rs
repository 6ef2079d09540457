//! Actions on users' tables: what a worker's role can make of them by arguments of its own.

use serde_json::json;
use zerodb_hooks_tests::{Result, Session, on_every_server};

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
        for (plan, dimensions) in [
            (json!({"table": "docs", "key": ["id"], "columns": ["content"], "target": "embedding", "type": evil}), 2),
            (json!({"table": "docs", "key": ["id"], "columns": [evil], "target": "embedding"}), 2),
            (json!({"table": "docs", "key": [evil], "columns": ["content"], "target": "embedding"}), 2),
            (json!({"table": "docs", "key": ["id"], "columns": ["content"], "target": evil, "hash_column": evil, "user_column": evil}), 2),
        ] {
            let args = json!({"plan": plan, "tenant": "x", "model": "m", "dimensions": dimensions,
                "rows": [{"key": ["1"], "source": "x", "hash": "00"}]});
            let _either = session.run(&act(&hook, "embed_write", &args)).await;
            assert_eq!(session.number("SELECT id FROM docs").await?, 1, "{args}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn chunks_go_to_a_table_of_chunks_only() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let hook = documents(&session).await?;
        let other = session.number("SELECT 'secrets'::regclass::oid::bigint").await?;
        let plan = json!({"table": "docs", "key": ["id"], "text": "content", "target": "embedding", "chunks": other, "chunk_key": ["id"], "copied": []});
        for action in ["chunk_read", "chunk_write", "chunk_page", "chunk_count"] {
            let args = json!({"plan": plan, "key": ["1"], "source": "", "chunks": [], "limit": 10});
            let error = session.error(&act(&hook, action, &args)).await?;
            assert_eq!(error.code, "55000", "{action}: {error:?}");
        }
        assert_eq!(session.number("SELECT count(*) FROM secrets").await?, 1);
        Ok(())
    })
    .await
}
