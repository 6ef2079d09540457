//! auto_embed when the endpoint fails: only the text at fault is given up, limits cost no attempt, bad answers are
//! never stored.

use std::time::Duration;

use anyhow::Result;
use zerodb_hooks_harness::model_endpoint::{Fault, Hint, ModelEndpoint};
use zerodb_hooks_harness::{Session, on_every_server};

use crate::models::{embedded_store, provider_file, served_by, worker_of};

const EMBEDDED: &str = "SELECT count(embedding) FROM zerodb_store.vectors";

async fn store(session: &Session, rows: usize) -> Result<()> {
    session
        .run(&format!(
            "INSERT INTO zerodb_store.vectors (id, content) SELECT 'v' || g, 'text ' || g FROM generate_series(1, {rows}) AS g"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_text_in_2048_is_found_and_all_others_are_stored() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        endpoint
            .embeddings
            .behave(|behaviour| behaviour.poison(|text| text == "text 1300"));
        embedded_store(&session, "{}").await?;
        store(&session, 2048).await?;
        let _worker = served_by(&database, &endpoint, &["max_batch: 2048"])?;
        session.becomes(EMBEDDED, 2047).await?;
        session.discarded(1).await?;
        let error = session
            .text("SELECT last_error FROM zerodb.deliveries WHERE state = 'discarded'")
            .await?;
        assert!(error.starts_with("bad_request: "), "{error}");
        // How the rows come together in requests is the worker's choice of the moment; the search halves one of them.
        let seen = endpoint.inputs_seen();
        assert!(seen.times("text 1300") <= 12, "{:?}", seen.batches);
        assert!(seen.answered.values().all(|times| *times == 1), "paid once");
        assert!(seen.batches.len() <= 64, "{:?}", seen.batches);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_the_endpoint_costs_no_attempt() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        let soon = Duration::from_secs(1);
        endpoint
            .embeddings
            .fail_next(3, Fault::RateLimited(Hint::RetryAfter, soon));
        embedded_store(&session, r#"{"max_attempts": 1}"#).await?;
        store(&session, 200).await?;
        let _worker = served_by(&database, &endpoint, &["max_batch: 32"])?;
        session.becomes(EMBEDDED, 200).await?;
        session.idle().await?;
        assert_eq!(
            session
                .number("SELECT count(*) FROM zerodb.deliveries WHERE state <> 'completed'")
                .await?,
            0
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_answer_is_an_error_of_its_class_and_never_a_vector() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        embedded_store(&session, r#"{"max_attempts": 1}"#).await?;
        for (fault, class) in [
            (Fault::NotANumber, "bad_numbers"),
            (Fault::WrongDimensions(5), "wrong_dimensions"),
            (Fault::TooFew, "wrong_count"),
            (Fault::HtmlInSuccess, "not_json"),
            (Fault::TruncatedBody, "not_json"),
            (Fault::ServerError, "server_error"),
        ] {
            let endpoint = ModelEndpoint::start()?;
            endpoint.embeddings.always(fault.clone());
            let file = provider_file(&endpoint, &[])?;
            let mut worker = worker_of(&database, &file)?;
            session
                .run("DELETE FROM zerodb_store.vectors; INSERT INTO zerodb_store.vectors (id, content) VALUES ('a', 'x')")
                .await?;
            let failed = format!("SELECT count(*) FROM zerodb.deliveries WHERE last_error LIKE '{class}: %'");
            session.becomes(&format!("SELECT least(1, ({failed}))"), 1).await?;
            assert_eq!(session.number(EMBEDDED).await?, 0, "{fault:?}");
            worker.kill9()?;
        }
        Ok(())
    })
    .await
}
