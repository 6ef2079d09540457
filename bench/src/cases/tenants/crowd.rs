//! Puts hooks of many users into the table at once, without the checks that each would pass: a hundred thousand calls
//! of `create_hook` would take minutes of every round. Must not measure anything.

use anyhow::Result;
use zerodb_hooks_harness::Session;

use crate::schema;

/// The user whose events are measured.
pub const USER: &str = "aaaaaaaa-0000-4000-8000-000000000001";

const CROWD: &str = "
INSERT INTO zerodb.zerodb_hooks (id, user_id, event_type, hook_type, hook_name)
SELECT ('00000000-0000-4000-a000-' || lpad(to_hex(n), 12, '0'))::uuid, {user}, 'item.stored', 'log', {name}
FROM generate_series(1, {hooks}) AS n;
INSERT INTO zerodb.hook_detail (hook_id, owner, owner_name, simple)
SELECT h.id, r.oid, r.rolname, true FROM zerodb.zerodb_hooks AS h CROSS JOIN pg_roles AS r
WHERE r.rolname = current_user
ON CONFLICT (hook_id) DO NOTHING";
const EACH_ITS_OWN: &str = "('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid";
const LOUD: &str = "'hook' || n";
/// A log hook writes a line unless its level is off.
const QUIET: &str =
    r#"UPDATE zerodb.zerodb_hooks SET hook_config = '{"level": "debug"}' WHERE hook_type = 'log'"#;

/// The user with this number has the hook with this number.
pub fn user(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

pub fn hook(number: u32) -> String {
    format!("00000000-0000-4000-a000-{number:012x}")
}

/// The watched table, whose events are all of the one user.
pub async fn watched_table(session: &Session) -> Result<()> {
    session.run(schema::ITEM).await?;
    session
        .run("SELECT zerodb.register_event_type('item.stored', 'app', '{item_id}', 'An item was stored')")
        .await?;
    let watch =
        format!(r#"SELECT zerodb.watch('item', 'item.stored', '{{"user_id": {{"value": "{USER}"}}}}')"#);
    session.run(&watch).await
}

/// As many users, each with one active hook for the type of that table.
pub async fn others(session: &Session, hooks: u32) -> Result<()> {
    put(session, hooks, EACH_ITS_OWN, "'other'").await
}

/// The one user with as many hooks for the type.
pub async fn own(session: &Session, hooks: u32) -> Result<()> {
    put(session, hooks, &format!("'{USER}'::uuid"), LOUD).await
}

async fn put(session: &Session, hooks: u32, user: &str, name: &str) -> Result<()> {
    if hooks > 0 {
        let put = CROWD
            .replace("{user}", user)
            .replace("{name}", name)
            .replace("{hooks}", &hooks.to_string());
        session
            .run(&format!("SET session_replication_role = replica; {put}; {QUIET}"))
            .await?;
        session.run("RESET session_replication_role").await?;
    }
    session
        .run("VACUUM (ANALYZE) zerodb.zerodb_hooks, zerodb.hook_detail")
        .await
}
