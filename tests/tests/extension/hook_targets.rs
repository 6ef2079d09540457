//! That a hook is refused which works on rows, or sends their text, and could do so for none of its events.

use serde_json::json;
use zerodb_hooks_harness::{Result, on_every_server, on_main_server};

use crate::options::{make, prepared};

#[tokio::test]
async fn a_first_party_hook_without_anything_to_work_on_is_refused() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        prepared(&session).await?;
        session
            .run("CREATE TABLE note (id int PRIMARY KEY, body text); SELECT zerodb.register_event_type('note.made', 'app', '{id}', 'x');
                SELECT zerodb.watch('note', 'note.made'); CREATE TABLE keyless (content text, embedding real[]);
                SELECT zerodb.register_event_type('keyless.made', 'app', '{id}', 'x'), zerodb.register_event_type('later.made', 'app', '{id}', 'x');
                SELECT zerodb.watch('keyless', 'keyless.made')")
            .await?;
        for (event, name, detail) in [
            ("zerodb.memory.stored", "auto_summarize", "no column summary"),
            ("zerodb.event.published", "auto_embed", "no column embedding"),
            ("zerodb.event.published", "auto_graph", "no memories"),
            ("zerodb.vector.batch_stored", "auto_embed", "many rows"),
            ("zerodb.vector.deleted", "auto_embed", "has gone"),
            ("on_recall", "auto_embed", "about no row"),
            ("on_circuit_breaker_open", "auto_graph", "about no row"),
            ("on_hook_failure", "auto_summarize", "about no row"),
            ("zerodb.file.uploaded", "auto_graph", "name no memory"),
            ("note.made", "auto_embed", "no column embedding"),
            ("note.made", "auto_graph", "no memories"),
            ("note.*", "auto_summarize", "no column"),
            ("keyless.made", "auto_embed", "no primary key"),
        ] {
            let error = session.error(&make(event, name, "first_party", &json!({}))).await?;
            assert_eq!(error.code, "22023", "{event} {name}: {error:?}");
            assert!(error.detail.as_ref().is_some_and(|said| said.contains(detail)), "{event} {name}: {error:?}");
            assert!(error.hint.is_some());
        }
        for (event, name) in [
            ("zerodb.vector.stored", "auto_embed"),
            ("zerodb.memory.stored", "auto_embed"),
            ("zerodb.file.uploaded", "auto_embed"),
            ("zeromemory.*", "auto_embed"),
            ("on_retain", "auto_embed"),
            ("zerodb.file.uploaded", "auto_summarize"),
            ("zerodb.memory.*", "auto_graph"),
            ("zerodb.memory.deleted", "auto_graph"),
            ("*", "auto_embed"),
            // The table may be watched later.
            ("later.made", "auto_embed"),
            ("later.*", "auto_graph"),
        ] {
            session.run(&make(event, name, "first_party", &json!({}))).await?;
        }
        // Nor can a change make it so.
        let hook = session.text("SELECT id FROM zerodb.create_hook('zerodb.vector.stored', 'auto_embed')").await?;
        let change = format!("SELECT zerodb.update_hook('{hook}', '{{\"content\": \"source\", \"target_column\": \"source\"}}')");
        assert_eq!(session.error(&change).await?.code, "22023");
        Ok(())
    })
    .await
}

/// A webhook that asks for texts.
const ASKING: &str = r#"{"url": "https://a.example", "include_content": true}"#;

#[tokio::test]
async fn a_webhook_that_asks_for_texts_that_there_are_not_is_refused() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        prepared(&session).await?;
        session
            .run("CREATE TABLE note (id int PRIMARY KEY, body text); CREATE TABLE keyless (content text); CREATE TABLE file (id int PRIMARY KEY, content bytea);
                CREATE TABLE other (nr int, part int, content text, PRIMARY KEY (nr, part));
                SELECT zerodb.register_event_type(t || '.made', 'app', '{id}', 'x') FROM unnest('{note,keyless,file,other,later}'::text[]) AS t;
                SELECT zerodb.watch(t::regclass, t || '.made') FROM unnest('{note,keyless,file,other}'::text[]) AS t")
            .await?;
        let config = serde_json::from_str(ASKING)?;
        for (event, detail) in [
            ("on_recall", "about no row"),
            ("zerodb.memory.deleted", "has gone"),
            ("zerodb.vector.batch_stored", "many rows"),
            ("zerodb.table.row_inserted", "no column content"),
            ("note.*", "no column content"),
            ("file.made", "no column content of text"),
            ("keyless.made", "no primary key"),
            ("other.made", "do not record the key"),
        ] {
            let error = session.error(&make(event, "h", "webhook", &config)).await?;
            assert_eq!((error.code.as_str(), error.hint.is_some()), ("22023", true), "{event}: {error:?}");
            assert!(error.detail.as_ref().is_some_and(|said| said.contains(detail)), "{event}: {error:?}");
        }
        for event in ["zerodb.memory.stored", "zerodb.file.uploaded", "on_retain", "zeromemory.*", "*", "later.made"] {
            session.run(&make(event, "h", "webhook", &config)).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_change_cannot_ask_for_texts_that_there_are_not_and_the_doctor_is_told_of_those_that_went()
-> Result<()> {
    on_main_server(async |db| {
        let session = db.session().await?;
        prepared(&session).await?;
        // A template may name the text where it is asked for.
        let mut with: serde_json::Value = serde_json::from_str(ASKING)?;
        with["body_template"] = "{{ content }} {{ content_truncated }}".into();
        session.run(&make("on_retain", "t", "webhook", &with)).await?;
        with["include_content"] = false.into();
        assert_eq!(session.error(&make("on_retain", "t", "webhook", &with)).await?.code, "22023");
        session
            .run("CREATE TABLE note (id int PRIMARY KEY, body text); SELECT zerodb.register_event_type('note.made', 'app', '{id}', 'x'), zerodb.watch('note', 'note.made')")
            .await?;
        let make = "SELECT id FROM zerodb.create_hook('note.made', 'p', '{\"url\": \"https://a.example\"}', hook_type => 'webhook')";
        let change = format!("SELECT zerodb.update_hook('{}', '{ASKING}')", session.text(make).await?);
        assert_eq!(session.error(&change).await?.code, "22023");
        session.run("ALTER TABLE note RENAME body TO content").await?;
        session.run(&change).await?;
        session.run("ALTER TABLE note RENAME content TO body").await?;
        let told = session.text("SELECT hook_name || ': ' || reason FROM zerodb._unworkable()").await?;
        assert!(told.starts_with("p: ") && told.contains("no column content"), "{told}");
        Ok(())
    })
    .await
}
