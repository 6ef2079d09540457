//! What goes into the database: the extension, the store, the worker's role and the hooks.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use zerodb_hooks_harness::Session;

use crate::screen::{self, Tone};
use crate::texts;

pub async fn install(session: &Session) -> Result<()> {
    let begun = Instant::now();
    session.run("CREATE EXTENSION zerodb_hooks").await?;
    // With pgvector the store's embeddings are of its type, without it real[].
    let pgvector = session
        .number("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'")
        .await?;
    if pgvector > 0 {
        session.run("CREATE EXTENSION vector").await?;
    }
    session
        .run(&format!(
            "SELECT zerodb.create_store(dimensions => {})",
            texts::DIMENSIONS
        ))
        .await?;
    session
        .run("CREATE ROLE demo_worker LOGIN; SELECT zerodb.grant_worker('demo_worker')")
        .await?;
    let watches = session.number("SELECT count(*) FROM zerodb.watches").await?;
    let line = format!("CREATE EXTENSION zerodb_hooks; zerodb.create_store(): {watches} watches");
    screen::row(Tone::Good, "install", &line, &screen::elapsed(begun.elapsed()));
    Ok(())
}

/// At least once means that a handler may see an event again: this one counts it only the first time.
const COUNTER: &str = "
CREATE TABLE public.seen (event_id text PRIMARY KEY, event text NOT NULL);
CREATE VIEW public.counts AS SELECT event, count(*) AS n FROM public.seen GROUP BY event;
CREATE FUNCTION public.count_event(envelope jsonb) RETURNS void LANGUAGE sql AS $$
    -- The first names are those of ZeroDB envelopes, the second those of Astrocyte ones.
    INSERT INTO public.seen
    VALUES (coalesce(envelope ->> 'id', envelope ->> 'event_id'), coalesce(envelope ->> 'event', envelope ->> 'type'))
    ON CONFLICT DO NOTHING
$$;";

/// The hooks of the demo: event type, hook type, name and config.
fn hooks(port: u16) -> [(&'static str, &'static str, &'static str, String); 9] {
    let webhook = |path: &str, more: &str| {
        format!(
            r#"{{"url": "http://127.0.0.1:{port}{path}", "retry_count": 20, "retry_delay_ms": 200{more}}}"#
        )
    };
    [
        (
            "zeromemory.remembered",
            "webhook",
            "memories",
            webhook("/memories", ""),
        ),
        ("zerodb.file.uploaded", "webhook", "files", webhook("/files", "")),
        (
            "zerodb.file.uploaded",
            "webhook",
            "big-files",
            webhook("/big-files", r#", "when": "$.size_bytes > 8192""#),
        ),
        (
            "zerodb.vector.batch_stored",
            "log",
            "log-batch",
            r#"{"message": "{{count}} vectors stored at once"}"#.into(),
        ),
        ("zerodb.vector.stored", "first_party", "auto_embed", "{}".into()),
        ("zeromemory.remembered", "first_party", "auto_embed", "{}".into()),
        ("zeromemory.remembered", "first_party", "auto_graph", "{}".into()),
        (
            "zerodb.file.uploaded",
            "first_party",
            "auto_summarize",
            r#"{"max_length": 200}"#.into(),
        ),
        (
            "*",
            "sql",
            "count",
            r#"{"function": "public.count_event"}"#.into(),
        ),
    ]
}

pub async fn create_hooks(session: &Session, port: u16) -> Result<()> {
    session.run(COUNTER).await?;
    let hooks = hooks(port);
    let sql = "SELECT zerodb.create_hook($1::text, $2::text, $3::text::jsonb, hook_type => $4::text)";
    for (event, kind, name, config) in &hooks {
        session
            .client
            .execute(sql, &[event, name, config, kind])
            .await
            .context("create_hook")?;
        let about = match *name {
            "big-files" => "when $.size_bytes > 8192",
            "count" => "counts every event",
            "auto_embed" | "auto_graph" | "auto_summarize" => "by the built-in local provider",
            _ => "",
        };
        screen::row(
            Tone::Good,
            "hook",
            &format!("{event:<26} → {kind:<11} {name:<14} {about}"),
            "",
        );
    }
    let made = session.number("SELECT count(*) FROM zerodb.list_hooks()").await?;
    ensure!(
        usize::try_from(made)? == hooks.len(),
        "{made} hooks, not {}",
        hooks.len()
    );
    Ok(())
}
