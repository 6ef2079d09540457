//! What shows the rows of many does not fail because of one of them: it says what is wrong with that one.

use zerodb_hooks_harness::{Result, on_every_server};

use crate::actors::{MALLORY, Stage, VICTIM};

/// What json takes and jsonb does not.
const BAD: [&str; 5] = [
    r#"{"a": "\u0000"}"#,
    r#"{"a": "\ud800"}"#,
    r#"{"a": 1e200000}"#,
    r#"{"a": -1e-200000}"#,
    r#"{"\u0000": 1}"#,
];

#[tokio::test]
async fn an_event_that_cannot_be_read_is_reported_and_the_others_are_shown() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        stage
            .mallory
            .run(&format!(
                "CREATE TABLE {0}.t (id int PRIMARY KEY, note json, user_id uuid DEFAULT '{MALLORY}');
                SELECT zerodb.create_hook('app.thing', 'all', hook_type => 'log');
                SELECT zerodb.watch('{0}.t', 'app.thing')",
                stage.mallory_role
            ))
            .await?;
        stage
            .victim
            .run("SELECT zerodb.emit('app.thing', '{\"id\": 1}')")
            .await?;
        for (at, bad) in BAD.iter().enumerate() {
            let insert = format!(
                "INSERT INTO {}.t VALUES ({at}, $bad${bad}$bad$)",
                stage.mallory_role
            );
            stage.mallory.run(&insert).await?;
        }
        let admin = &stage.admin;
        let all = i64::try_from(BAD.len())? + 1;
        let read = "SELECT count(*) FROM zerodb.events WHERE pg_column_size(data) > 0";
        assert_eq!(admin.number(read).await?, all);
        let reasons = admin
            .texts("SELECT data ->> '_unreadable' FROM zerodb.events WHERE data ? '_unreadable'")
            .await?;
        assert!(reasons.len() >= 4, "{reasons:?}");
        for reason in &reasons {
            assert!(
                !reason.is_empty() && !reason.contains('{'),
                "a reason, not the data: {reason}"
            );
        }
        let texts = admin
            .texts("SELECT data ->> '_text' FROM zerodb.events WHERE data ? '_unreadable'")
            .await?;
        for text in &texts {
            let is_one_of_them = BAD.iter().any(|bad| text.contains(bad));
            assert!(
                is_one_of_them,
                "the JSON as it was written: {}",
                &text[..text.len().min(80)]
            );
        }
        let envelopes = "SELECT count(zerodb.event_json(id)) FROM zerodb.events";
        assert_eq!(admin.number(envelopes).await?, all);
        let good = format!("SELECT data ->> 'id' FROM zerodb.events WHERE user_id = '{VICTIM}'");
        assert_eq!(admin.texts(&good).await?, ["1"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn figures_too_large_to_add_up_end_where_a_number_ends() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run(&format!(
                "INSERT INTO zerodb.usage_day (day, user_id, prompt_tokens, completion_tokens, estimated_tokens, requests, inputs, handler, provider, model)
                SELECT d, '{MALLORY}', 9e18, 9e18, 9e18, 9e18, 9e18, 'auto_embed', 'p', 'm' FROM (VALUES (current_date), (current_date - 1)) AS v (d);
                INSERT INTO zerodb.usage_entry (id, user_id, prompt_tokens, completion_tokens, requests, inputs, estimated, handler, provider, model)
                SELECT gen_random_uuid(), '{MALLORY}', 9e18, 9e18, 2000000000, 1, true, 'auto_embed', 'p', 'm' FROM generate_series(1, 3)"
            ))
            .await?;
        for view in ["usage", "hook_status"] {
            session.rows(&format!("SELECT * FROM zerodb.{view}")).await?;
        }
        let most = "SELECT max(prompt_tokens)::text FROM zerodb.usage";
        assert_eq!(session.text(most).await?, i64::MAX.to_string());
        Ok(())
    })
    .await
}
