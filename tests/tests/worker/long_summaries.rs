//! auto_summarize on texts that are longer than a model takes: parts, what is paid again after an edit, and after a
//! kill.

use std::time::Duration;

use anyhow::{Result, ensure};
use zerodb_hooks_harness::model_endpoint::{ChatRequest, ModelEndpoint};
use zerodb_hooks_harness::{SOON, on_every_server};

use crate::auto_summarize::{file, paragraph, report, summarized_store};
use crate::models::{provider_file, served_by, worker_of};

const SUMMARIZED: &str = "SELECT count(summary) FROM zerodb_store.files";

fn is_about_a_part(request: &ChatRequest) -> bool {
    request.messages[0]
        .content
        .contains("one part of a longer document")
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_edit_of_a_long_text_only_the_changed_parts_are_paid_again() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        // As long as a real one: three levels are then needed.
        endpoint.script(|request| {
            let number: String = request
                .user()
                .chars()
                .filter(char::is_ascii_digit)
                .take(40)
                .collect();
            format!("It is about {number}. {}", "More is told of it. ".repeat(30))
        });
        summarized_store(&session, r#"{"max_length": 300, "map_model": "small"}"#).await?;
        let _worker = served_by(&database, &endpoint, &["max_input_tokens: 3072"])?;
        let text = report(1200);
        session
            .run(&format!(
                "INSERT INTO zerodb_store.files (id, file_name, content) VALUES ('a', 'a.txt', '{text}')"
            ))
            .await?;
        session.becomes(SUMMARIZED, 1).await?;
        let first = endpoint.chat_requests();
        let parts = first.iter().filter(|request| is_about_a_part(request)).count();
        ensure!(parts >= 100, "{parts} parts");
        ensure!(
            first
                .iter()
                .filter(|request| is_about_a_part(request))
                .all(|request| request.model == "small")
        );
        assert_eq!(
            first.last().map(|request| request.model.as_str()),
            Some("test-model")
        );
        let groups = first.len() - parts - 1;
        ensure!(groups > 1, "{groups} groups");
        let made = file(&session, "a").await?;
        assert_eq!(
            (&made["summary_info"]["method"], &made["summary_info"]["chunks"]),
            (&"map_reduce".into(), &parts.into())
        );
        assert_eq!(made["summary_info"]["truncated"], false);
        let edited = text.replace(&paragraph(600), "Now Alice herself lives in Berlin.\n\n");
        session
            .run(&format!("UPDATE zerodb_store.files SET content = '{edited}'"))
            .await?;
        session.idle().await?;
        let second = &endpoint.chat_requests()[first.len()..];
        let parts = second.iter().filter(|request| is_about_a_part(request)).count();
        ensure!((1..=3).contains(&parts), "{parts} parts after the edit");
        ensure!(
            second.len() - parts <= 4,
            "{} requests behind the parts",
            second.len() - parts
        );
        assert!(
            second
                .iter()
                .any(|request| request.user().contains("Now Alice herself"))
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_has_kept_the_parts_that_it_paid_for() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        endpoint
            .chat
            .behave(|behaviour| behaviour.latency = Duration::from_millis(50));
        summarized_store(&session, r#"{"max_length": 300}"#).await?;
        let provider = provider_file(&endpoint, &["max_input_tokens: 4096"])?;
        session
            .run(&format!(
                "INSERT INTO zerodb_store.files (id, file_name, content) VALUES ('a', 'a.txt', '{}')",
                report(600)
            ))
            .await?;
        for killed in 1..=3 {
            let mut worker = worker_of(&database, &provider)?;
            endpoint.wait_for_requests(killed * 12, SOON).await?;
            worker.kill9()?;
        }
        let _worker = worker_of(&database, &provider)?;
        session.becomes(SUMMARIZED, 1).await?;
        let mut asked: Vec<String> = endpoint
            .chat_requests()
            .iter()
            .map(|request| request.user().to_owned())
            .collect();
        let sent = asked.len();
        asked.sort_unstable();
        asked.dedup();
        // At each kill at most four questions were under way.
        ensure!(
            asked.len() > 40 && sent <= asked.len() + 3 * 4,
            "{sent} requests for {} questions",
            asked.len()
        );
        Ok(())
    })
    .await
}
