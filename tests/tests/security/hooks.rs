//! A hook's owner: nobody becomes it by editing, nobody works through it, and nobody inherits it.

use zerodb_hooks_harness::{Result, on_every_server, on_main_server};

use crate::actors::{Stage, VICTIM, user};

const OWNER: &str = "SELECT coalesce(owner::regrole::text, 'nobody') FROM zerodb.hook_detail";

#[tokio::test]
async fn an_administrator_who_tunes_a_hook_lends_it_no_rights() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let canary = stage.canary().await?;
        let make = format!("SELECT id FROM zerodb.create_hook('app.thing', 'h', '{{\"function\": \"{canary}\"}}', hook_type => 'sql')");
        let hook = stage.mallory.text(&make).await?;
        stage
            .admin
            .run(&format!(
                "SELECT zerodb.update_hook('{hook}', '{{\"function\": \"{canary}\", \"timeout_ms\": 60000}}');
                UPDATE zerodb.zerodb_hooks SET hook_config = hook_config || '{{\"concurrency\": 2}}'"
            ))
            .await?;
        assert_eq!(stage.admin.text(OWNER).await?, stage.mallory_role);
        let taken = stage
            .admin
            .error(&format!("SELECT zerodb.take_hook('{hook}')"))
            .await?;
        assert_eq!(taken.code, "42501", "{taken:?}");
        assert!(taken.hint.is_some());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_superuser_cannot_lend_his_rights_to_the_function_of_an_ordinary_role() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let canary = stage.canary().await?;
        let make = |name: &str, function: &str| {
            format!(
                "SELECT zerodb.create_hook('app.thing', '{name}', '{{\"function\": \"{function}\"}}', hook_type => 'sql')"
            )
        };
        let refused = stage.admin.error(&make("his", &canary)).await?;
        assert_eq!(refused.code, "42501", "{refused:?}");
        stage
            .admin
            .run("CREATE FUNCTION public.mine(e jsonb) RETURNS void LANGUAGE sql AS ''")
            .await?;
        stage.admin.take_warnings();
        stage.admin.run(&make("own", "public.mine")).await?;
        let warned = stage.admin.take_warnings();
        assert!(
            warned
                .iter()
                .any(|w| w.severity == "WARNING" && w.message.contains("superuser")),
            "{warned:?}"
        );
        Ok(())
    })
    .await
}

/// Two roles of one tenant: the second sees the first one's hooks, but does not work through his rights.
#[tokio::test]
async fn a_role_of_the_same_tenant_does_not_work_through_anothers_rights() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let (colleague, colleague_role) = user(&db, &stage.admin, "colleague", VICTIM).await?;
        let role = &stage.victim_role;
        stage
            .victim
            .run(&format!(
                "CREATE FUNCTION {role}.f(e jsonb) RETURNS void LANGUAGE sql AS '';
                GRANT USAGE ON SCHEMA {role} TO {colleague_role}"
            ))
            .await?;
        let hook = stage
            .victim
            .text(&format!(
                "SELECT id FROM zerodb.create_hook('app.thing', 'f', '{{\"function\": \"{role}.f\"}}', hook_type => 'sql')"
            ))
            .await?;
        for call in [
            format!("zerodb.update_hook('{hook}', '{{\"function\": \"pg_catalog.pg_notify\"}}')"),
            format!("zerodb.update_hook('{hook}', '{{\"function\": \"{role}.f\", \"timeout_ms\": 5}}')"),
            format!("zerodb.replay('{hook}', '-infinity')"),
            format!("zerodb.backfill('{hook}')"),
            format!("zerodb.take_hook('{hook}')"),
        ] {
            let error = colleague.error(&format!("SELECT {call}")).await?;
            assert_eq!(error.code, "42501", "{call}: {error:?}");
        }
        // Switching it off is the tenant's business.
        colleague
            .run(&format!("SELECT zerodb.update_hook('{hook}', is_active => false)"))
            .await?;
        assert_eq!(stage.admin.text(OWNER).await?, *role);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_hooks_of_a_dropped_role_belong_to_nobody() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let (leaver, role) = user(&db, &stage.admin, "leaver", VICTIM).await?;
        leaver
            .run("SELECT zerodb.create_hook('app.thing', 'auto_graph')")
            .await?;
        drop(leaver);
        stage
            .admin
            .run(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}"))
            .await?;
        let (next, _) = user(&db, &stage.admin, "leaver", VICTIM).await?;
        let orphan = "SELECT count(*) FROM zerodb.hook_detail AS d WHERE EXISTS (SELECT FROM pg_roles AS r WHERE r.oid = d.owner)";
        assert_eq!(stage.admin.number(orphan).await?, 0);
        let error = next
            .error("SELECT zerodb.replay(id, '-infinity') FROM zerodb.list_hooks()")
            .await?;
        assert_eq!(error.code, "42501", "{error:?}");
        assert!(error.message.contains("nobody"), "{error:?}");
        next.run("SELECT zerodb.take_hook(id) FROM zerodb.list_hooks()")
            .await?;
        assert_eq!(stage.admin.text(OWNER).await?, role);
        Ok(())
    })
    .await
}

/// A role that is renamed keeps its hooks.
#[tokio::test]
async fn a_renamed_role_keeps_its_hooks() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        stage
            .victim
            .run("SELECT zerodb.create_hook('app.thing', 'auto_graph')")
            .await?;
        let (old, new) = (&stage.victim_role, format!("{}_renamed", stage.victim_role));
        stage
            .admin
            .run(&format!("ALTER ROLE {old} RENAME TO {new}"))
            .await?;
        assert_eq!(stage.admin.text(OWNER).await?, new);
        stage
            .victim
            .run("SELECT zerodb.replay(id, '-infinity') FROM zerodb.list_hooks()")
            .await
    })
    .await
}

const PLAIN: &str = r#"{"url": "https://a.example"}"#;
/// A webhook that sends the text of rows, which it reads as its owner.
const ASKING: &str = r#"{"url": "https://a.example", "include_content": true}"#;
const ELSEWHERE: &str = r#"{"url": "https://b.example", "include_content": true}"#;

#[tokio::test]
async fn nobody_else_says_where_the_texts_of_a_webhook_go() -> Result<()> {
    on_main_server(async |db| {
        let stage = Stage::set(&db).await?;
        let (mate, _) = user(&db, &stage.admin, "mate", VICTIM).await?;
        let make =
            format!("SELECT id FROM zerodb.create_hook('app.thing', 'h', '{PLAIN}', hook_type => 'webhook')");
        let hook = stage.victim.text(&make).await?;
        let update = |config: &str| format!("SELECT zerodb.update_hook('{hook}', '{config}')");
        mate.run(&update(PLAIN)).await?;
        assert_eq!(mate.error(&update(ELSEWHERE)).await?.code, "42501");
        stage.victim.run(&update(ASKING)).await?;
        assert_eq!(mate.error(&update(ELSEWHERE)).await?.code, "42501");
        assert_eq!(mate.error(&update(PLAIN)).await?.code, "42501");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_worker_reads_no_text_that_no_webhook_sends() -> Result<()> {
    on_main_server(async |db| {
        let stage = Stage::set(&db).await?;
        let (role, victim) = (&stage.victim_role, &stage.victim);
        let make = format!("SELECT id FROM zerodb.create_hook('app.thing', 'h', '{PLAIN}', hook_type => 'webhook')");
        let hook = victim.text(&make).await?;
        victim
            .run(&format!("CREATE TABLE {role}.note (id int PRIMARY KEY, content text); CREATE TABLE {role}.diary (id int PRIMARY KEY, content text);
                SELECT zerodb.watch('{role}.note', 'app.thing'), zerodb.watch('{role}.diary', 'app.thing');
                INSERT INTO {role}.note VALUES (1, 'x'), (2, 'z'); INSERT INTO {role}.diary VALUES (3, 'y')"))
            .await?;
        let worker = db.session_as(&crate::at_work::worker_role(&db, &stage.admin).await?).await?;
        let events = stage.admin.texts("SELECT id FROM zerodb.events ORDER BY data ->> 'id'").await?;
        let note = stage.admin.text(&format!("SELECT '{role}.note'::regclass::oid")).await?;
        let read = |event: &str| format!("SELECT zerodb._as_owner('{hook}', {note}, 'content_read', '{{\"event_id\": \"{event}\", \"key\": [\"2\"]}}', NULL)");
        assert_eq!(worker.error(&read(&events[0])).await?.code, "42501", "it was not asked for");
        victim.run(&format!("SELECT zerodb.update_hook('{hook}', '{ASKING}')")).await?;
        assert_eq!(worker.json(&read(&events[0])).await?["content"], "x");
        assert_eq!(worker.error(&read(&events[2])).await?.code, "42501", "an event of another table");
        assert_eq!(worker.error(&read("evt_00000000000000000000000000000000")).await?.code, "42501");
        Ok(())
    })
    .await
}
