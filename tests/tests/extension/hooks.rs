//! Managing hooks: what the functions return and change.

use serde_json::json;
use zerodb_hooks_harness::{Result, on_every_server};

use crate::{ALICE, PROJECT};

#[tokio::test]
async fn create_hook_returns_the_row_with_its_defaults() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let row = session
            .json("SELECT to_jsonb(zerodb.create_hook('zerodb.vector.stored', 'auto_embed'))")
            .await?;
        assert_eq!(row["user_id"], json!("00000000-0000-0000-0000-000000000000"));
        assert_eq!(row["hook_type"], json!("first_party"));
        assert_eq!(row["hook_config"], json!({}));
        assert_eq!(row["is_active"], json!(true));
        assert_eq!(row["project_id"], json!(null));
        assert_eq!(row["created_at"], row["updated_at"]);
        let id = row["id"].as_str().unwrap_or_default();
        assert_eq!(
            session
                .json(&format!("SELECT to_jsonb(zerodb.get_hook('{id}'))"))
                .await?,
            row
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_table_has_the_columns_constraint_and_indexes_of_the_document() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let columns = session
            .text(
                "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN '!' ELSE '' END, ', '
                ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'zerodb.zerodb_hooks'::regclass AND attnum > 0",
            )
            .await?;
        assert_eq!(
            columns,
            "id uuid!, user_id uuid!, project_id uuid, event_type character varying(100)!, \
            hook_type character varying(50)!, hook_name character varying(100)!, hook_config jsonb!, is_active boolean!, \
            created_at timestamp with time zone!, updated_at timestamp with time zone!"
        );
        let indexes = session
            .texts("SELECT indexname FROM pg_indexes WHERE schemaname = 'zerodb' AND tablename = 'zerodb_hooks' ORDER BY 1")
            .await?;
        assert_eq!(
            indexes,
            [
                "idx_zerodb_hooks_active",
                "idx_zerodb_hooks_event_type",
                "idx_zerodb_hooks_user_id",
                "uix_zerodb_hooks_user_event_name",
                "zerodb_hooks_embedding",
                "zerodb_hooks_pkey",
                "zerodb_hooks_wanted"
            ]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn every_type_of_hook_can_be_made() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("CREATE FUNCTION on_event(jsonb) RETURNS void LANGUAGE sql AS ''").await?;
        let full = r#"{"url": "https://example.com/h", "method": "PUT", "headers": {"X-A": "b"}, "body_template": "{{ event }}",
            "timeout_ms": 5000, "retry_count": 3, "retry_delay_ms": 10, "async": true, "include_content": false,
            "format": "cloudevents", "secret": "${ZERODB_SECRET_A}", "when": "$.size_bytes > 10", "max_attempts": 4, "concurrency": 2}"#;
        for (hook_type, name, config) in [
            ("first_party", "auto_embed", r#"{"model": "bge-m3", "dimensions": 1024, "provider": "on_disk"}"#),
            ("first_party", "auto_summarize", r#"{"max_length": 200}"#),
            ("first_party", "auto_graph", r#"{"extract_entities": true, "max_relations": 20}"#),
            ("webhook", "to-slack", full),
            ("webhook", "whole-url", r#"{"url": "${ZERODB_SECRET_URL}"}"#),
            ("log", "audit.1", r#"{"level": "warning", "message": "{{ event }}"}"#),
            ("sql", "in_database", r#"{"function": "public.on_event"}"#),
            ("function", "mine", r#"{"anything": [1, 2]}"#),
        ] {
            session.run(&format!("SELECT zerodb.create_hook('*', '{name}', '{config}', hook_type => '{hook_type}')")).await?;
        }
        assert_eq!(session.number("SELECT count(*) FROM zerodb.list_hooks()").await?, 8);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn list_hooks_filters_by_type_project_and_activity() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for call in [
            "create_hook('on_import', 'first', hook_type => 'log')".to_owned(),
            format!("create_hook('on_import', 'second', '{{}}', '{PROJECT}', 'log')"),
            format!("create_hook('on_export', 'third', '{{}}', NULL, 'log', '{ALICE}')"),
            "update_hook(id, is_active => false) FROM zerodb.list_hooks() WHERE hook_name = 'first'"
                .to_owned(),
        ] {
            session.run(&format!("SELECT zerodb.{call}")).await?;
        }
        for (arguments, expected) in [
            ("", "second third"),
            ("active_only => false", "first second third"),
            ("active_only => NULL", "second third"),
            ("'on_import'", "second"),
            ("'on_import', active_only => false", "first second"),
            (&format!("project_id => '{PROJECT}'"), "second"),
            ("'on_none'", ""),
        ] {
            let names = session
                .texts(&format!("SELECT hook_name FROM zerodb.list_hooks({arguments})"))
                .await?;
            assert_eq!(names.join(" "), expected, "list_hooks({arguments})");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn one_name_may_serve_in_another_project_type_or_user() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for arguments in [
            "'on_import', 'same', '{}', NULL, 'log'".to_owned(),
            "'on_export', 'same', '{}', NULL, 'log'".to_owned(),
            format!("'on_import', 'same', '{{}}', '{PROJECT}', 'log'"),
            format!("'on_import', 'same', '{{}}', NULL, 'log', '{ALICE}'"),
        ] {
            session
                .run(&format!("SELECT zerodb.create_hook({arguments})"))
                .await?;
        }
        assert_eq!(
            session.number("SELECT count(*) FROM zerodb.zerodb_hooks").await?,
            4
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn update_hook_leaves_what_is_null_as_it_is() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let id = session
            .text(r#"SELECT (zerodb.create_hook('*', 'x', '{"level": "info"}', hook_type => 'log')).id"#)
            .await?;
        let update = async |arguments: &str| {
            session
                .json(&format!("SELECT to_jsonb(zerodb.update_hook('{id}'{arguments}))"))
                .await
        };
        let paused = update(", is_active => false").await?;
        assert_eq!(
            (&paused["hook_config"], &paused["is_active"]),
            (&json!({"level": "info"}), &json!(false))
        );
        let changed = update(r#", hook_config => '{"level": "error"}'"#).await?;
        assert_eq!(
            (&changed["hook_config"], &changed["is_active"]),
            (&json!({"level": "error"}), &json!(false))
        );
        assert_eq!(update("").await?, changed);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn updated_at_moves_with_each_change() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run("SELECT zerodb.create_hook('*', 'x', hook_type => 'log')")
            .await?;
        // In one transaction, where now() stands still.
        session
            .run(
                "BEGIN; CREATE TEMP TABLE seen AS SELECT updated_at FROM zerodb.zerodb_hooks;
                SELECT zerodb.update_hook(id, is_active => false) FROM zerodb.zerodb_hooks;
                INSERT INTO seen SELECT updated_at FROM zerodb.zerodb_hooks;
                UPDATE zerodb.zerodb_hooks SET is_active = true;
                INSERT INTO seen SELECT updated_at FROM zerodb.zerodb_hooks; COMMIT",
            )
            .await?;
        assert_eq!(
            session
                .number("SELECT count(DISTINCT updated_at) FROM seen")
                .await?,
            3
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn delete_hook_cancels_what_waits() -> Result<()> {
    on_every_server(async |db| {
        let session = crate::watched(&db).await?;
        session.run("INSERT INTO item VALUES (1), (2)").await?;
        let replayed = "SELECT zerodb.replay(id, '-infinity', 'infinity') FROM zerodb.zerodb_hooks";
        assert_eq!(session.number(replayed).await?, 2);
        session
            .run("SELECT zerodb.delete_hook(id) FROM zerodb.zerodb_hooks")
            .await?;
        let states = session
            .texts("SELECT state || ' ' || last_error FROM zerodb.deliveries")
            .await?;
        assert_eq!(
            states,
            ["cancelled the hook was deleted", "cancelled the hook was deleted"]
        );
        assert_eq!(
            session
                .number("SELECT count(*) FROM zerodb.deliveries WHERE next_attempt_at IS NOT NULL")
                .await?,
            0
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn pausing_a_hook_leaves_what_waits_untouched() -> Result<()> {
    on_every_server(async |db| {
        let session = crate::watched(&db).await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        session
            .run("SELECT zerodb.replay(id, '-infinity', 'infinity') FROM zerodb.zerodb_hooks")
            .await?;
        let before = session.rows("SELECT * FROM zerodb.deliveries").await?;
        session
            .run("SELECT zerodb.update_hook(id, is_active => false) FROM zerodb.zerodb_hooks")
            .await?;
        assert_eq!(session.rows("SELECT * FROM zerodb.deliveries").await?, before);
        // No worker runs here, so the event itself is not dispatched. What a paused hook alone means for idleness is
        // seen with one.
        assert_eq!(session.text("SELECT zerodb._is_idle()").await?, "f");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn replay_takes_the_range_the_tenant_and_the_predicate_into_account() -> Result<()> {
    on_every_server(async |db| {
        let session = crate::watched(&db).await?;
        session.run("INSERT INTO item SELECT n FROM generate_series(1, 10) AS n").await?;
        session
            .run(&format!(
                "SELECT zerodb.create_hook('zerodb.table.*', 'some', '{{\"when\": \"$.row_id > 7\"}}', hook_type => 'log');
                SELECT zerodb.create_hook('zerodb.table.*', 'hers', '{{}}', NULL, 'log', '{ALICE}');
                SELECT zerodb.create_hook('on_import', 'other', '{{}}', NULL, 'log')"
            ))
            .await?;
        let replay = async |name: &str, rest: &str| {
            session.number(&format!("SELECT zerodb.replay(id, {rest}) FROM zerodb.zerodb_hooks WHERE hook_name = '{name}'")).await
        };
        assert_eq!(replay("everything", "'-infinity', 'infinity', dry_run => true").await?, 10);
        assert_eq!(session.number("SELECT count(*) FROM zerodb.deliveries").await?, 0);
        assert_eq!(replay("some", "'-infinity'").await?, 3);
        assert_eq!(replay("hers", "'-infinity'").await?, 0);
        assert_eq!(replay("other", "'-infinity'").await?, 0);
        assert_eq!(replay("everything", "now() + interval '1 hour', 'infinity'").await?, 0);
        assert_eq!(session.in_state("pending").await?, 3);
        Ok(())
    })
    .await
}
