//! That a first-party hook is refused which could work on no row of its events.

use serde_json::json;
use zerodb_hooks_harness::{Result, on_every_server};

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
