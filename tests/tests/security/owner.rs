//! With whose rights a hook acts on a table, and whose function it may run.

use serde_json::json;
use zerodb_hooks_harness::{Result, on_every_server};

use crate::actors::Stage;

#[tokio::test]
async fn the_hook_of_a_superuser_has_the_rights_of_the_tables_owner_only() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let schema = &stage.mallory_role;
        let canary = stage.canary().await?;
        stage
            .mallory
            .run(&format!(
                "CREATE TABLE {schema}.docs (id bigint PRIMARY KEY, content text, embedding real[]);
                INSERT INTO {schema}.docs VALUES (1, 'c');
                SELECT zerodb.watch('{schema}.docs', 'app.thing', '{{\"id\": \"id\"}}');
                CREATE FUNCTION {schema}.climb() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN PERFORM {canary}('{{}}'); new.content := current_user; RETURN new; END $$;
                CREATE TRIGGER climb BEFORE UPDATE ON {schema}.docs FOR EACH ROW EXECUTE FUNCTION {schema}.climb()"
            ))
            .await?;
        let hook = stage.admin.text("SELECT id FROM zerodb.create_hook('app.*', 'auto_embed')").await?;
        let act = |action: &str, args: serde_json::Value| {
            format!("SELECT zerodb._as_owner('{hook}', '{schema}.docs'::regclass::oid, '{action}', $${args}$$, '{{1,0}}')")
        };
        let read = stage.admin.json(&act("embed_read", json!({"keys": [["1"]]}))).await?;
        let args = json!({"model": "m", "dimensions": 2, "rows": [{"key": ["1"], "source": read[0]["source"], "hash": "00"}]});
        stage.admin.run(&act("embed_write", args)).await?;
        assert_eq!(stage.admin.text(&format!("SELECT content FROM {schema}.docs")).await?, *schema);
        assert!(!stage.mallory_rules().await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_function_that_changes_hands_is_not_run_with_the_hooks_rights() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let canary = stage.canary().await?;
        let mallory = &stage.mallory_role;
        // Made while the function is the superuser's, which it then is no longer.
        stage
            .admin
            .run("CREATE FUNCTION public.act(e jsonb) RETURNS void LANGUAGE sql AS ''")
            .await?;
        let hook = stage
            .admin
            .text("SELECT id FROM zerodb.create_hook('app.thing', 'h', '{\"function\": \"public.act\"}', hook_type => 'sql')")
            .await?;
        let event = stage.mallory.text("SELECT zerodb.emit('app.thing', '{}')").await?;
        let call = format!("SELECT zerodb._call_hook_function('{hook}', '{event}')");
        stage.admin.run(&call).await?;
        stage
            .admin
            .run(&format!("GRANT CREATE ON SCHEMA public TO {mallory}; ALTER FUNCTION public.act(jsonb) OWNER TO {mallory}"))
            .await?;
        stage
            .mallory
            .run(&format!("CREATE OR REPLACE FUNCTION public.act(e jsonb) RETURNS void LANGUAGE sql AS 'SELECT {canary}(e)'"))
            .await?;
        let error = stage.admin.error(&call).await?;
        assert_eq!(error.code, "42501", "{error:?}");
        assert!(error.hint.is_some());
        assert!(!stage.mallory_rules().await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn whose_function_a_hook_may_run() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let (mallory, victim) = (&stage.mallory_role, &stage.victim_role);
        for (name, owner) in [("of_mallory", mallory.as_str()), ("of_victim", victim), ("of_admin", "current_user")] {
            stage
                .admin
                .run(&format!(
                    "CREATE FUNCTION public.{name}(e jsonb) RETURNS void LANGUAGE sql AS '';
                    GRANT CREATE ON SCHEMA public TO {mallory}, {victim}; ALTER FUNCTION public.{name}(jsonb) OWNER TO {owner}"
                ))
                .await?;
        }
        let may = async |name: &str, owner: &str| {
            stage
                .admin
                .text(&format!("SELECT zerodb._may_run('public.{name}(jsonb)'::regprocedure, {owner}::regrole)::text"))
                .await
        };
        let (his, hers) = (format!("'{mallory}'"), format!("'{victim}'"));
        assert_eq!(may("of_mallory", &his).await?, "true");
        assert_eq!(may("of_admin", &his).await?, "true");
        assert_eq!(may("of_mallory", &hers).await?, "false");
        assert_eq!(may("of_mallory", "current_user::text").await?, "false");
        stage.admin.run(&format!("GRANT {mallory} TO {victim}")).await?;
        assert_eq!(may("of_mallory", &hers).await?, "true", "who may act for the function's owner");
        assert_eq!(may("of_victim", &his).await?, "false");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_tables_of_a_graph_belong_to_the_owner_of_its_memories() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        stage
            .admin
            .run("SELECT zerodb.create_store('brain'); SELECT zerodb.watch('brain.memories', 'app.thing', '{\"id\": \"id\"}')")
            .await?;
        let hook = stage.admin.text("SELECT id FROM zerodb.create_hook('app.thing', 'auto_graph')").await?;
        let read = format!("SELECT zerodb._as_owner('{hook}', 'brain.memories'::regclass::oid, 'graph_read', '{{\"memory_id\": \"1\"}}', NULL)");
        assert_eq!(stage.admin.json(&read).await?["found"], false);
        stage.admin.run(&format!("ALTER TABLE brain.mentions OWNER TO {}", stage.mallory_role)).await?;
        let error = stage.admin.error(&read).await?;
        assert_eq!(error.code, "42501", "{error:?}");
        assert!(error.hint.is_some());
        Ok(())
    })
    .await
}
