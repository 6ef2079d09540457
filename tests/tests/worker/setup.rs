//! What most of these tests start from: a watched table, a hook, a worker.

use std::fmt::Display;

use anyhow::Result;
use zerodb_hooks_harness::{Database, Session, Worker};

/// A watched table `doc` (id, body, user_id, project_id) whose inserts are `doc.created`.
pub async fn watched_table(session: &Session) -> Result<()> {
    session
        .run(
            "CREATE TABLE doc (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text, size integer, user_id uuid, project_id uuid);
             SELECT zerodb.register_event_type('doc.created', 'app', '{doc_id,size,user_id,project_id}', 'a document');
             SELECT zerodb.watch('doc', 'doc.created')",
        )
        .await
}

/// A hook that calls a function which writes the event's doc_id into `seen`.
pub async fn recording_hook(session: &Session, name: &str, config: &str) -> Result<String> {
    session
        .run(
            "CREATE TABLE IF NOT EXISTS seen (n bigint GENERATED ALWAYS AS IDENTITY, doc_id bigint, event_id text);
             CREATE OR REPLACE FUNCTION on_doc(event jsonb) RETURNS void LANGUAGE sql AS
             $$ INSERT INTO public.seen (doc_id, event_id) VALUES ((event -> 'data' ->> 'doc_id')::bigint, event ->> 'id') $$",
        )
        .await?;
    session
        .text(&format!(
            "SELECT id FROM zerodb.create_hook('doc.created', '{name}',
                 '{{\"function\": \"public.on_doc\"}}'::jsonb || '{config}', hook_type => 'sql')"
        ))
        .await
}

/// The statement that makes a webhook hook for the events of `doc`.
pub fn webhook_hook(name: &str, config: impl Display) -> String {
    format!("SELECT zerodb.create_hook('doc.created', '{name}', '{config}', hook_type => 'webhook')")
}

/// A worker with short times, so that retries and leases are seen quickly.
pub fn worker(database: &Database) -> Result<Worker> {
    worker_with(database, &[])
}

pub fn worker_with(database: &Database, arguments: &[&str]) -> Result<Worker> {
    let mut all = vec!["--lease-s", "3", "--poll-ms", "200"];
    all.extend_from_slice(arguments);
    Worker::start_with(&database.worker_url(), &all, &[])
}

/// Waits until every transaction of this database that is open now has ended. One that is kept open while an answer is
/// held back never does.
pub async fn open_transactions_end(session: &Session) -> Result<()> {
    let now = session.text("SELECT clock_timestamp()").await?;
    let open = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
            AND pid <> pg_backend_pid() AND xact_start <= '{now}'"
    );
    session.becomes(&open, 0).await
}
