//! What must hold before anything is made: a server that can be written to, the extension, the rights, and nobody whom
//! the bench would disturb. Refuses with a hint; the only thing it changes is what a killed bench has left, which it
//! removes.

use anyhow::Result;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use zerodb_hooks_queries::{extension_versions, load_library, missing_privileges, server_limits};
use zerodb_hooks_store::row::FromRow;
use zerodb_hooks_store::{Store, StoreError};

use crate::refusal::BenchRefusal;
use crate::setting::Load;
use crate::{stage, statements};

/// Connections beside those of the writers: the command's own, the sampler's and the worker's.
const CONNECTIONS_BESIDE: i64 = 9;

/// A database that is ready to be measured.
pub struct Ready {
    /// Keeps other benches out for as long as it lives.
    pub(crate) client: Client,
    pub(crate) store: Store,
    /// The server.
    pub server: BenchServer,
    /// Who else is there.
    pub others: OthersPresent,
}

/// What the server says of itself.
#[derive(Debug, Clone)]
pub struct BenchServer {
    /// Such as 18.1.
    pub version: String,
    /// The database.
    pub database: String,
    /// Whether what it commits is durable.
    pub fsync: bool,
    /// How long the event log is kept, as an interval.
    pub retention: String,
    /// Whether the ledger keeps completed attempts.
    pub record_all: bool,
}

zerodb_hooks_store::row! {
    /// Whom the bench would disturb, or be disturbed by.
    #[derive(Debug, Clone)]
    pub struct OthersPresent {
        /// Live workers that are not of a bench.
        pub workers: Vec<String>,
        /// Hooks that match the events of the bench.
        pub matching: Vec<String>,
        /// How many hooks are active.
        pub active: i64,
        /// Events and deliveries that wait for the next worker.
        pub waiting: i64,
        /// Whether commits wake a worker.
        pub notify: bool,
    }
}

/// Looks at everything in the order in which one thing needs the other. `note` is told where a killed bench has left
/// something.
///
/// # Errors
/// `BenchRefusal` when something is in the way, else what a statement or the connection failed at.
pub async fn ready(url: &str, load: Load, with_other_workers: bool, note: &dyn Fn(&str)) -> Result<Ready> {
    let mut client = stage::session(url).await?;
    let server = server(&client).await?;
    extension(&client).await?;
    rights(&client, &server.role).await?;
    // Loads the library too, without which its settings are unknown.
    load_library(&client).await?;
    let store = Store::new(url)?;
    let installation = store.load_installation().await.map_err(|error| unfit(&error))?;
    lock(&client).await?;
    schema(&mut client, &store, note).await?;
    connections(&client, load.clients).await?;
    let others = OthersPresent::from_row(&client.query_one(statements::OTHERS, &[]).await?)?;
    refuse(&others, with_other_workers)?;
    Ok(Ready {
        client,
        store,
        server: BenchServer {
            version: server.version,
            database: server.database,
            fsync: server.fsync,
            retention: installation.retention,
            record_all: installation.record_all,
        },
        others,
    })
}

zerodb_hooks_store::row! {
    /// What the statement says of the server.
    pub struct BenchServerRow {
        pub version: String,
        pub database: String,
        /// As a literal for the functions that grant.
        pub role: String,
        pub in_recovery: bool,
        pub read_only: bool,
        pub fsync: bool,
    }
}

async fn server(client: &Client) -> Result<BenchServerRow> {
    let server = BenchServerRow::from_row(&client.query_one(statements::SERVER, &[]).await?)?;
    if server.in_recovery {
        return Err(BenchRefusal::new(
            "this is a standby, which cannot be written to",
            "connect to the primary; name all hosts and target_session_attrs=read-write to find it by itself",
        )
        .into());
    }
    if server.read_only {
        return Err(BenchRefusal::new(
            "transactions are read-only here: default_transaction_read_only is on",
            "add options=-c%20default_transaction_read_only=off to the URL, if this server may be written to",
        )
        .into());
    }
    Ok(server)
}

async fn extension(client: &Client) -> Result<()> {
    if extension_versions(client).await?.installed.is_none() {
        return Err(BenchRefusal::new(
            "zerodb_hooks is not created in this database",
            "CREATE EXTENSION zerodb_hooks, or name the database that has it",
        )
        .into());
    }
    Ok(())
}

/// All grants that are missing at once, each as the statement that gives it. `role` is a literal.
async fn rights(client: &Client, role: &str) -> Result<()> {
    let rows = client.query(statements::RIGHTS, &[]).await?;
    let mut missing = rows
        .iter()
        .map(|row| row.try_get("statement"))
        .collect::<Result<Vec<String>, _>>()?;
    if !missing_privileges(client).await?.is_empty() {
        missing.push(format!("SELECT zerodb.grant_worker({role})"));
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(BenchRefusal::new(
        "the role cannot make a schema, watch a table in it, make a hook for every user and run a worker",
        format!("an administrator runs: {}", missing.join("; ")),
    )
    .into())
}

fn unfit(error: &StoreError) -> BenchRefusal {
    BenchRefusal::new(error.to_string(), "`zerodb-hooks doctor` tells more")
}

async fn lock(client: &Client) -> Result<()> {
    match client.query_one(statements::LOCK, &[]).await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Err(BenchRefusal::new(
            "another `zerodb-hooks bench` runs in this database",
            "wait for its end, or name another database",
        )
        .into()),
        Err(error) => Err(error.into()),
    }
}

/// A schema of this name is removed when a bench left it, and left alone when not.
async fn schema(client: &mut Client, store: &Store, note: &dyn Fn(&str)) -> Result<()> {
    let Some(row) = client.query_opt(statements::SCHEMA, &[]).await? else {
        // Without the schema too: a bench may have been killed between the two steps of clearing up.
        return stage::remove(client, store).await;
    };
    if !row.try_get::<_, bool>("is_ours")? {
        return Err(BenchRefusal::new(
            "there is a schema zerodb_hooks_bench already, and no bench has made it",
            "rename it, or name another database: bench makes and drops a schema of that name",
        )
        .into());
    }
    if !row.try_get::<_, bool>("is_owned")? {
        let owner: &str = row.try_get("owner")?;
        return Err(BenchRefusal::new(
            format!("a killed bench has left the schema zerodb_hooks_bench, which belongs to {owner}"),
            format!("run `zerodb-hooks bench` as {owner} or a superuser: it clears that up first"),
        )
        .into());
    }
    note("A bench was killed here: removing its schema and hook first.");
    stage::remove(client, store).await
}

async fn connections(client: &Client, clients: u32) -> Result<()> {
    let limits = server_limits(client).await?;
    let (used, usable) = (limits.used, limits.usable);
    let needed = i64::from(clients) + CONNECTIONS_BESIDE;
    if used + needed > usable {
        return Err(BenchRefusal::new(
            format!("{needed} connections are needed, and {used} of {usable} are in use"),
            "give fewer --clients, close other connections, or raise max_connections",
        )
        .into());
    }
    Ok(())
}

/// The bench must not set off anybody's hooks, and its figures must be its own.
fn refuse(others: &OthersPresent, with_other_workers: bool) -> Result<(), BenchRefusal> {
    let fresh = "measure in a fresh database with the extension on the same server";
    if !others.matching.is_empty() {
        let names = others.matching.join(", ");
        return Err(BenchRefusal::new(
            format!("these hooks would run for every event of the bench: {names}"),
            format!("{fresh}, or switch them off for the time: zerodb.update_hook(id, is_active => false)"),
        ));
    }
    if !others.workers.is_empty() && !with_other_workers {
        let alive = match others.workers.len() {
            1 => "1 worker is alive".to_owned(),
            count => format!("{count} workers are alive"),
        };
        let names = others.workers.join(", ");
        return Err(BenchRefusal::new(
            format!(
                "{alive} here and would take the bench's deliveries, for which they have no handler: {names}"
            ),
            format!(
                "{fresh}, stop them, or give --with-other-workers: the write tax alone, with them delivering"
            ),
        ));
    }
    if others.workers.is_empty() && others.waiting > 0 {
        let waits = match others.waiting {
            1 => "1 event or delivery waits".to_owned(),
            count => format!("{count} events or deliveries wait"),
        };
        return Err(BenchRefusal::new(
            format!("{waits} for a worker, and that of the bench would take them"),
            format!("let `zerodb-hooks worker` deliver them first, or {fresh}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn others(workers: &[&str], matching: &[&str], waiting: i64) -> OthersPresent {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        OthersPresent {
            workers: owned(workers),
            matching: owned(matching),
            active: 0,
            waiting,
            notify: true,
        }
    }

    #[test]
    fn nobody_is_disturbed() {
        assert!(refuse(&others(&[], &[], 0), false).is_ok());
        let refused = |others, anyway| refuse(&others, anyway).expect_err("is refused");
        assert!(
            refused(others(&["w"], &[], 0), false)
                .hint
                .contains("--with-other-workers")
        );
        assert!(
            refused(others(&[], &[], 1), true)
                .message
                .contains("1 event or delivery waits")
        );
        assert!(
            refused(others(&["w"], &["audit"], 0), true)
                .message
                .contains("audit")
        );
    }

    #[test]
    fn other_workers_deliver_their_own_backlog() {
        assert!(refuse(&others(&["w"], &[], 9), true).is_ok());
    }
}
