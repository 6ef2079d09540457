//! The worker's role in the hands of somebody else: what `_as_owner` and `_call_hook_function` let it choose, which is
//! rows and values.

use serde_json::json;
use zerodb_hooks_harness::{Database, Result, Session, on_every_server};

use crate::actors::{MALLORY, Stage, VICTIM};

/// A table of the superuser's with a column that no hook is about, watched, and a hook of his on it.
struct Documents {
    stage: Stage,
    worker: Session,
    hook: String,
}

impl Documents {
    async fn set(db: &Database) -> Result<Self> {
        let stage = Stage::set(db).await?;
        let role = db.create_role("worker").await?;
        stage
            .admin
            .run(&format!(
                "SELECT zerodb.grant_worker('{role}');
                CREATE TABLE docs (id bigint PRIMARY KEY, title text, content text, embedding real[], secret text DEFAULT 'hunter2', other real[], user_id uuid);
                INSERT INTO docs (id, title, content, user_id) VALUES (1, 't', 'c', '{MALLORY}'), (2, 't', 'c', '{VICTIM}');
                SELECT zerodb.register_event_type('doc.stored', 'documents', '{{id}}', 'a document');
                SELECT zerodb.watch('docs', 'doc.stored')"
            ))
            .await?;
        let hook = stage
            .admin
            .text("SELECT id FROM zerodb.create_hook('doc.stored', 'auto_embed')")
            .await?;
        let worker = db.session_as(&role).await?;
        Ok(Self { stage, worker, hook })
    }

    async fn refused(&self, sql: &str) -> Result<()> {
        let error = self.worker.error(sql).await?;
        assert_eq!(error.code, "42501", "{sql}\n{error:?}");
        assert!(error.hint.is_some(), "{error:?}");
        Ok(())
    }
}

fn act(hook: &str, table: &str, action: &str, args: &serde_json::Value) -> String {
    format!("SELECT zerodb._as_owner('{hook}', '{table}'::regclass::oid, '{action}', $${args}$$, '{{1,0}}')")
}

/// What names columns of its own, as a worker of an older version did.
fn plan(key: &str, columns: &[&str], target: &str) -> serde_json::Value {
    json!({"plan": {"table": "t", "key": [key], "columns": columns, "target": target, "text": columns[0], "fields": [key]},
        "keys": [["1"]], "key": ["1"], "limit": 10, "columns": columns, "summary": "x", "source": "x", "model": "m",
        "dimensions": 2, "rows": [{"key": ["1"], "source": "x", "hash": "00"}], "chunks": []})
}

#[tokio::test]
async fn no_table_is_touched_that_is_not_watched_for_the_hook() -> Result<()> {
    on_every_server(async |db| {
        let documents = Documents::set(&db).await?;
        let admin = &documents.stage.admin;
        admin
            .run("CREATE TABLE unwatched (LIKE docs INCLUDING ALL); CREATE TABLE paused (LIKE docs INCLUDING ALL); CREATE TABLE elsewhere (LIKE docs INCLUDING ALL);
                SELECT zerodb.watch('paused', 'doc.stored'), zerodb.watch('elsewhere', 'app.thing');
                ALTER TABLE paused DISABLE TRIGGER USER; CREATE VIEW seen AS SELECT * FROM docs; CREATE TEMP TABLE brief (LIKE docs INCLUDING ALL)")
            .await?;
        let tables = ["pg_authid", "pg_proc", "pg_attribute", "information_schema.sql_features", "zerodb.zerodb_hooks",
            "zerodb.hook_detail", "zerodb.embedding", "unwatched", "paused", "elsewhere", "seen"];
        for table in tables {
            for action in ["embed_plan", "embed_read", "embed_page", "embed_write", "embed_count", "chunk_read", "chunk_write", "summary_part"] {
                documents.refused(&act(&documents.hook, table, action, &plan("oid", &["rolpassword"], "prosrc"))).await?;
            }
        }
        let gone = documents.worker.error(&format!("SELECT zerodb._as_owner('{}', 4294967295, 'embed_count', '{{}}', NULL)", documents.hook)).await?;
        assert_eq!(gone.code, "42P01", "{gone:?}");
        let open = documents.worker.json(&act(&documents.hook, "docs", "embed_count", &json!({}))).await?;
        assert_eq!(open["total"], 2, "the watched table is the hook's");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_backfill_of_a_table_that_is_not_watched_does_nothing() -> Result<()> {
    on_every_server(async |db| {
        let documents = Documents::set(&db).await?;
        let admin = &documents.stage.admin;
        admin
            .run("CREATE TABLE private (LIKE docs INCLUDING ALL)")
            .await?;
        let hook = &documents.hook;
        admin
            .run(&format!(
                "INSERT INTO zerodb.backfill (hook_id, relid, event_type, missing_only, replaces_given)
                VALUES ('{hook}', 'private'::regclass, 'doc.stored', true, false)"
            ))
            .await?;
        for action in ["embed_plan", "embed_count", "embed_page"] {
            documents
                .refused(&act(
                    hook,
                    "private",
                    action,
                    &json!({"event_type": "doc.stored", "limit": 10}),
                ))
                .await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hook_does_not_act_on_the_table_of_a_stranger() -> Result<()> {
    on_every_server(async |db| {
        let documents = Documents::set(&db).await?;
        let stage = &documents.stage;
        let table = format!("{}.docs", stage.victim_role);
        stage
            .victim
            .run(&format!(
                "CREATE TABLE {table} (id bigint PRIMARY KEY, content text, embedding real[]);
                SELECT zerodb.watch('{table}', 'doc.stored')"
            ))
            .await?;
        let hook = stage
            .mallory
            .text("SELECT id FROM zerodb.create_hook('doc.stored', 'auto_embed')")
            .await?;
        // By its number, which the worker's role may know without seeing the schema.
        let table = stage
            .admin
            .text(&format!("SELECT '{table}'::regclass::oid"))
            .await?;
        for action in ["embed_plan", "embed_read", "embed_write", "embed_count"] {
            documents
                .refused(&act(
                    &hook,
                    &table,
                    action,
                    &plan("id", &["content"], "embedding"),
                ))
                .await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hook_has_the_actions_of_its_own_handler_only() -> Result<()> {
    on_every_server(async |db| {
        let documents = Documents::set(&db).await?;
        let admin = &documents.stage.admin;
        let hook = async |name: &str, kind: &str, config: &str| {
            admin
                .text(&format!("SELECT id FROM zerodb.create_hook('doc.stored', '{name}', '{config}', hook_type => '{kind}')"))
                .await
        };
        let summaries = hook("auto_summarize", "first_party", r#"{"target_column": "title"}"#).await?;
        let log = hook("l", "log", "{}").await?;
        let all = plan("id", &["secret"], "secret");
        for (hook, actions) in [
            (&documents.hook, &["summary_read", "summary_write", "graph_read", "graph_write", "graph_retract"][..]),
            (&summaries, &["embed_read", "embed_write", "chunk_write", "graph_write"]),
            (&log, &["embed_read", "summary_write", "summary_part", "graph_retract"]),
        ] {
            for action in actions {
                documents.refused(&act(hook, "docs", action, &all)).await?;
            }
        }
        for name in ["statement", "as_owner", "EMBED_READ", "embed_read ", "../embed_read", ""] {
            let unknown = documents.worker.error(&act(&documents.hook, "docs", name, &all)).await?;
            assert_eq!(unknown.code, "42883", "{name}: {unknown:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn only_the_columns_of_the_config_are_read_and_written() -> Result<()> {
    on_every_server(async |db| {
        let documents = Documents::set(&db).await?;
        let admin = &documents.stage.admin;
        let read = act(
            &documents.hook,
            "docs",
            "embed_read",
            &plan("id", &["secret"], "secret"),
        );
        assert_eq!(
            documents.worker.json(&read).await?[0]["values"],
            json!({"content": "c"})
        );
        let source = documents.worker.json(&read).await?[0]["source"].clone();
        let mut args = plan("id", &["secret"], "other");
        args["rows"] = json!([{"key": ["1"], "source": source, "hash": "00"}]);
        documents
            .worker
            .run(&act(&documents.hook, "docs", "embed_write", &args))
            .await?;
        assert_eq!(
            admin
                .text("SELECT ROW(embedding, other, secret)::text FROM docs WHERE id = 1")
                .await?,
            r#"("{1,0}",,hunter2)"#
        );
        admin
            .run(&format!(
                "SELECT zerodb.update_hook('{}', '{{\"template\": \"{{{{ title }}}}: {{{{ content }}}}\"}}')",
                documents.hook
            ))
            .await?;
        documents
            .refused(&act(
                &documents.hook,
                "docs",
                "embed_read",
                &plan("id", &["secret"], "embedding"),
            ))
            .await?;
        documents
            .refused(&act(
                &documents.hook,
                "docs",
                "embed_page",
                &plan("id", &["title", "secret"], "embedding"),
            ))
            .await?;
        let named = act(
            &documents.hook,
            "docs",
            "embed_read",
            &plan("id", &["title"], "embedding"),
        );
        assert_eq!(
            documents.worker.json(&named).await?[0]["values"],
            json!({"title": "t"})
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_hook_of_a_tenant_acts_for_that_tenant() -> Result<()> {
    on_every_server(async |db| {
        let documents = Documents::set(&db).await?;
        let admin = &documents.stage.admin;
        let hook = admin
            .text(&format!(
                "SELECT id FROM zerodb.create_hook('doc.stored', 'auto_embed', user_id => '{MALLORY}')"
            ))
            .await?;
        for said in [json!(VICTIM), json!(null), json!(MALLORY)] {
            let args = json!({"user_id": said, "tenant": said, "keys": [["1"], ["2"]]});
            let rows = documents
                .worker
                .json(&act(&hook, "docs", "embed_read", &args))
                .await?;
            assert_eq!(rows.as_array().map(Vec::len), Some(1), "{said}: {rows}");
            assert_eq!(rows[0]["key"], json!(["1"]));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_paused_hook_does_only_what_is_under_way() -> Result<()> {
    on_every_server(async |db| {
        let documents = Documents::set(&db).await?;
        let admin = &documents.stage.admin;
        let hook = &documents.hook;
        admin.run(&format!("SELECT zerodb.update_hook('{hook}', is_active => false)")).await?;
        let read = act(hook, "docs", "embed_read", &json!({"keys": [["1"]]}));
        documents.refused(&read).await?;
        admin
            .run(&format!(
                "INSERT INTO zerodb.lease (worker, expires_at) VALUES ('t', 'infinity');
                INSERT INTO zerodb.delivery (event_xid, event_ord, event_slot, hook_id, user_id, state, lease_id)
                SELECT '1', 1, 0, '{hook}', zerodb._every_user(), 'running', l.id FROM zerodb.lease AS l"
            ))
            .await?;
        documents.worker.run(&read).await?;
        admin.run(&format!("DELETE FROM zerodb.zerodb_hooks WHERE id = '{hook}'")).await?;
        assert_eq!(documents.worker.error(&read).await?.code, "P0002");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_function_is_called_only_with_events_of_the_log_that_match() -> Result<()> {
    on_every_server(async |db| {
        let documents = Documents::set(&db).await?;
        let stage = &documents.stage;
        let schema = &stage.victim_role;
        stage
            .victim
            .run(&format!(
                "CREATE TABLE {schema}.got (e jsonb);
                CREATE FUNCTION {schema}.keep(e jsonb) RETURNS void LANGUAGE sql AS 'INSERT INTO {schema}.got VALUES (e)'"
            ))
            .await?;
        let hook = stage
            .victim
            .text(&format!("SELECT id FROM zerodb.create_hook('app.thing', 'h', '{{\"function\": \"{schema}.keep\"}}', hook_type => 'sql')"))
            .await?;
        let emit = async |session: &Session, event: &str| {
            session.text(&format!("SELECT zerodb.emit('{event}', '{{\"id\": 1.10, \"note\": 12345678901234567890.123456789}}')")).await
        };
        let call = |event: &str| format!("SELECT zerodb._call_hook_function('{hook}', '{event}')");
        for other in [emit(&stage.mallory, "app.thing").await?, emit(&stage.victim, "doc.stored").await?] {
            documents.refused(&call(&other)).await?;
        }
        for none in ["evt_00000000000000000000000000000001", "", "{\"id\": 1}"] {
            assert_eq!(documents.worker.error(&call(none)).await?.code, "P0002", "{none}");
        }
        assert_eq!(stage.victim.number(&format!("SELECT count(*) FROM {schema}.got")).await?, 0);
        let own = emit(&stage.victim, "app.thing").await?;
        documents.worker.run(&call(&own)).await?;
        let same = format!("SELECT (e::text = zerodb.event_json('{own}')::text)::text FROM {schema}.got");
        assert_eq!(stage.victim.text(&same).await?, "true");
        let digits = format!("SELECT e -> 'data' ->> 'note' FROM {schema}.got");
        assert_eq!(stage.victim.text(&digits).await?, "12345678901234567890.123456789");
        Ok(())
    })
    .await
}
