//! That nothing waits for ever and the log says what happened: hooks that do not fit their tables, deferrals, pauses,
//! and what the doctor says of hooks that cannot work.

use std::process::Output;
use std::time::Duration;

use anyhow::Result;
use zerodb_hooks_harness::model_endpoint::{Fault, ModelEndpoint};
use zerodb_hooks_harness::{SOON, Session, eventually, on_every_server};

use crate::models::{embedded_store, provider_file, worker_of};
use crate::setup::worker;

async fn doctor(url: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Output> {
    let mut command = tokio::process::Command::from(zerodb_hooks_harness::programs::worker::command()?);
    command
        .arg("doctor")
        .args(arguments)
        .envs(variables.iter().copied());
    Ok(command.env("DATABASE_URL", url).output().await?)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const TOLD: &str =
    "SELECT count(*) FROM zerodb.events WHERE event = 'on_hook_failure' AND data ->> 'last_error' LIKE";

/// Whether everything in the log could be emptied.
async fn is_spent(session: &Session) -> Result<()> {
    let left = "SELECT count(DISTINCT slot) FROM zerodb.outbox AS o WHERE zerodb._is_spent(o.slot, '-1 day') IS NOT TRUE";
    // Also of what is open in other databases of the server.
    session.becomes_within(Duration::from_secs(300), left, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_whose_table_no_longer_fits_gives_up_tells_it_and_frees_the_log() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        session
            .run("CREATE TABLE note (id int PRIMARY KEY, content text, summary text, embedding real[]);
                SELECT zerodb.register_event_type('note.made', 'app', '{id}', 'x'); SELECT zerodb.watch('note', 'note.made');
                SELECT zerodb.create_hook('note.made', 'auto_embed'), zerodb.create_hook('note.made', 'auto_summarize')")
            .await?;
        session.run("ALTER TABLE note DROP COLUMN embedding, DROP COLUMN summary; INSERT INTO note VALUES (1, 'a text')").await?;
        let _worker = worker(&database)?;
        session.discarded(2).await?;
        session.becomes(&format!("{TOLD} '%has no column embedding%'"), 1).await?;
        session.becomes(&format!("{TOLD} '%has no column summary%'"), 1).await?;
        session.idle().await?;
        is_spent(&session).await?;
        // What is mended can be done again.
        session.run("ALTER TABLE note ADD COLUMN summary text; SELECT zerodb.redeliver(d.id) FROM zerodb.deliveries AS d
            JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id WHERE h.hook_name = 'auto_summarize'").await?;
        session.becomes("SELECT count(summary) FROM note", 1).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_not_watched_any_more_keeps_nothing_waiting() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        session
            .run("SELECT zerodb.create_store(dimensions => 8); SELECT zerodb.create_hook('zerodb.*', 'auto_embed')")
            .await?;
        session
            .run("INSERT INTO zerodb_store.memories (content) VALUES ('a text'); SELECT zerodb.unwatch('zerodb_store.memories')")
            .await?;
        session.run("INSERT INTO zerodb_store.vectors (content) VALUES ('another')").await?;
        let _worker = worker(&database)?;
        session.becomes("SELECT count(embedding) FROM zerodb_store.vectors", 1).await?;
        session.becomes(&format!("{TOLD} '%no watch of table zerodb_store.memories%'"), 1).await?;
        // Of a pattern, what has no text ends with the reason, and what has one is done.
        session
            .run("INSERT INTO zerodb_store.event_stream (topic) VALUES ('t'); INSERT INTO zerodb_store.vectors (content) VALUES ('a third')")
            .await?;
        session.becomes("SELECT count(embedding) FROM zerodb_store.vectors", 2).await?;
        session.becomes(&format!("{TOLD} '%has no column embedding%'"), 1).await?;
        session.idle().await?;
        is_spent(&session).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deferral_is_no_failure_in_the_log_and_is_told_once_a_pause() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endpoint = ModelEndpoint::start()?;
        embedded_store(&session, "{}").await?;
        endpoint.embeddings.always(Fault::Unauthorized);
        let file = provider_file(&endpoint, &[])?;
        let worker = worker_of(&database, &file)?;
        session
            .run("INSERT INTO zerodb_store.vectors (content) SELECT 'text ' || n FROM generate_series(1, 20) AS n")
            .await?;
        session.becomes("SELECT count(*) FROM zerodb.deliveries WHERE last_error LIKE 'unauthorized: %' AND attempts = 0", 20).await?;
        let told = eventually(SOON, async || worker.stderr().contains("deliveries are deferred").then_some(())).await;
        let log = worker.stderr();
        assert!(told.is_ok(), "{log}");
        assert_eq!(log.matches("deliveries are deferred").count(), 1, "{log}");
        assert!(!log.contains("an attempt failed"), "{log}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_hook_does_not_keep_the_database_from_being_idle() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let hook = session.text("SELECT id FROM zerodb.create_hook('on_import', 'line', hook_type => 'log')").await?;
        let _worker = worker(&database)?;
        session.run("SELECT zerodb.emit('on_import', '{}')").await?;
        session.completed(1).await?;
        session
            .run(&format!("SELECT zerodb.update_hook('{hook}', is_active => false); SELECT zerodb.replay('{hook}', '-infinity', 'infinity')"))
            .await?;
        assert_eq!(session.in_state("pending").await?, 1);
        session.idle().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_each_hook_that_cannot_do_its_work() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        session.run("SELECT zerodb.create_store(dimensions => 8); SELECT zerodb.create_hook('zerodb.vector.stored', 'auto_embed')").await?;
        let well = said(&doctor(&database.worker_url(), &[], &[]).await?);
        assert!(well.contains("every active one can run"), "{well}");
        // As from before the rules were there.
        session
            .run(r#"ALTER TABLE zerodb_store.vectors DROP COLUMN embedding;
                SELECT zerodb.create_hook('on_pii_detected', 'slip', hook_type => 'log'), zerodb.create_hook('on_recall', 'broken', hook_type => 'log');
                ALTER TABLE zerodb.zerodb_hooks DISABLE TRIGGER check_hook;
                UPDATE zerodb.zerodb_hooks SET hook_config = '{"message": "{{ pii_typ }}"}' WHERE hook_name = 'slip';
                UPDATE zerodb.zerodb_hooks SET hook_config = '{"message": "{{ oops"}' WHERE hook_name = 'broken';
                ALTER TABLE zerodb.zerodb_hooks ENABLE TRIGGER check_hook"#)
            .await?;
        let found = doctor(&database.worker_url(), &["--json"], &[]).await?;
        let text = said(&found);
        for part in ["auto_embed: ", "no column embedding", "slip: ", "'pii_typ'", "broken: ", "is not a template"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("every active one can run"), "{text}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_each_hook_that_can_never_get_its_secret() -> Result<()> {
    const ALICE: &str = "aaaaaaaa-0000-4000-8000-000000000001";
    on_every_server(async |database| {
        let session = database.session().await?;
        for (name, url, secret, user) in [
            ("right", "https://a.example", "A", format!("'{ALICE}'")),
            ("unbound", "https://a.example", "A", "NULL".into()),
            ("elsewhere", "https://b.example", "A", format!("'{ALICE}'")),
            ("unset", "https://a.example", "B", "NULL".into()),
        ] {
            session
                .run(&format!(
                    r#"SELECT zerodb.create_hook('on_import', '{name}', '{{"url": "{url}", "headers": {{"authorization": "Bearer ${{ZERODB_SECRET_{secret}}}"}}}}',
                        hook_type => 'webhook', user_id => {user})"#
                ))
                .await?;
        }
        let file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
        std::fs::write(file.path(), format!("secrets:\n  A: {{ hosts: [a.example], users: ['{ALICE}'] }}\n"))?;
        let path = file.path().to_string_lossy().into_owned();
        let found = doctor(&database.worker_url(), &["--config", &path], &[("ZERODB_SECRET_A", "k3y")]).await?;
        let text = said(&found);
        for part in ["unbound: the secret ZERODB_SECRET_A is not bound to this hook's user", "elsewhere: the secret ZERODB_SECRET_A is not bound to this hook's host",
            "unset: the secret ZERODB_SECRET_B is not set"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("right: ") && !text.contains("k3y"), "{text}");
        Ok(())
    })
    .await
}
