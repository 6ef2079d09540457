//! A worker with its own least role, and what these tests wait for while it works.

use zerodb_hooks_harness::{Database, Result, Session, Worker};

/// A worker of a role that has grant_worker alone, and the role.
pub async fn worker(db: &Database, admin: &Session, more: &[&str]) -> Result<(Worker, String)> {
    let role = worker_role(db, admin).await?;
    Ok((start(db, &role, more)?, role))
}

/// A role that has grant_worker alone.
pub async fn worker_role(db: &Database, admin: &Session) -> Result<String> {
    let role = db.create_role("worker").await?;
    admin
        .run(&format!("SELECT zerodb.grant_worker('{role}')"))
        .await?;
    Ok(role)
}

/// A worker of a role that may be one.
pub fn start(db: &Database, role: &str, more: &[&str]) -> Result<Worker> {
    let all = [&["--lease-s", "3", "--poll-ms", "200"], more].concat();
    Worker::start_with(&db.cluster.url_as(role, &db.name), &all, &[])
}

/// Makes a hook of this type for `app.thing`, as the session's user; returns its id.
pub async fn hook(session: &Session, name: &str, hook_type: &str, config: &str) -> Result<String> {
    session
        .text(&format!(
            "SELECT id FROM zerodb.create_hook('app.thing', '{name}', '{config}', hook_type => '{hook_type}')"
        ))
        .await
}

/// Emits `app.thing` so many times, as the session's user.
pub async fn emit(session: &Session, events: usize) -> Result<()> {
    session
        .run(&format!(
            "SELECT zerodb.emit('app.thing', '{{\"id\": 1, \"note\": \"x\"}}') FROM generate_series(1, {events})"
        ))
        .await
}

/// How many deliveries of a hook are in a state, as a query.
pub fn in_state(hook: &str, state: &str) -> String {
    format!("SELECT count(*) FROM zerodb.deliveries WHERE hook_id = '{hook}' AND state = '{state}'")
}

/// An event of the session's user is delivered to his hook.
pub async fn is_served(session: &Session, hook: &str) -> Result<()> {
    let event = session
        .text("SELECT zerodb.emit('app.thing', '{\"id\": 1, \"note\": \"x\"}')")
        .await?;
    let done = format!(
        "SELECT count(*) FROM zerodb.deliveries WHERE event_id = '{event}' AND hook_id = '{hook}' AND state = 'completed'"
    );
    session.becomes(&done, 1).await
}
