//! What the extension alone does, seen by a client of a real server: no worker runs here.

mod addresses;
mod audit;
mod budgets;
mod capture;
mod checks;
mod circuits;
mod deliveries;
mod dump;
mod endpoints;
mod events;
mod fields;
mod graph;
mod hook_errors;
mod hook_targets;
mod hook_tenants;
mod hooks;
mod inheritance;
mod list_history;
mod lists;
mod moves;
mod options;
mod owner;
mod partitions;
mod patterns;
mod payloads;
mod pgspot;
mod privileges;
mod rates;
mod recall;
mod settings;
mod signing_secrets;
mod status;
mod store;
mod store_events;
mod survive;
mod tenants;
mod transactions;
mod upgrade;
mod usage;
mod wanted;
mod watch;
mod watch_errors;

use zerodb_hooks_harness::{Database, Result, Session};

/// Two users of whom neither may see what is the other's.
const ALICE: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const BOB: &str = "bbbbbbbb-0000-4000-8000-000000000002";
const PROJECT: &str = "cccccccc-0000-4000-8000-000000000003";

/// A hook that wants every event of every user.
const EVERYTHING: &str = "SELECT zerodb.create_hook('*', 'everything', '{}', hook_type => 'log')";

/// Watches a table for inserts, updates and deletes.
fn watch_all(table: &str) -> String {
    format!(
        "SELECT zerodb.watch('{table}', 'zerodb.table.row_inserted'),
            zerodb.watch('{table}', 'zerodb.table.row_updated', operations => '{{update}}'),
            zerodb.watch('{table}', 'zerodb.table.row_deleted', operations => '{{delete}}')"
    )
}

/// A superuser's session in a database whose table `item` is watched, with a hook that wants everything.
async fn watched(db: &Database) -> Result<Session> {
    let session = db.session().await?;
    session
        .run("CREATE TABLE item (id int PRIMARY KEY, name text, note text)")
        .await?;
    session.run(&watch_all("item")).await?;
    session.run(EVERYTHING).await?;
    Ok(session)
}

/// The log in short: `inserted 1`, `updated 1`, `deleted 1`, in order.
async fn written(session: &Session) -> Result<Vec<String>> {
    session
        .texts(
            "SELECT regexp_replace(event_type, '^.*[._]', '') || ' ' || coalesce(data ->> 'row_id', 'null')
            FROM zerodb.outbox ORDER BY xid, ord",
        )
        .await
}
