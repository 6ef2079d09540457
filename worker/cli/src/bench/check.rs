//! What must hold before anything is made: a server that can be written to, the extension, the rights, and nobody whom the
//! bench would disturb. Refuses with a hint; the only thing it changes is what a killed bench has left, which it removes.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::{BenchArgs, note, stage};
use crate::failure::Failure;
use crate::{grants, render, statements};
use zerodb_hooks_store::{Store, StoreError};

/// Connections beside those of the writers: the command's own, the sampler's and the worker's.
const CONNECTIONS_BESIDE: i64 = 9;

/// A database that is ready to be measured.
pub(super) struct Ready {
    /// Keeps other benches out for as long as it lives.
    pub(super) client: Client,
    pub(super) store: Store,
    pub(super) server: Server,
    pub(super) others: Others,
}

/// What the server says of itself.
pub(super) struct Server {
    pub(super) version: String,
    pub(super) database: String,
    /// As a literal for the functions that grant.
    role: String,
    pub(super) fsync: bool,
    pub(super) retention: String,
    /// Whether the ledger keeps completed attempts.
    pub(super) record_all: bool,
}

/// Who else is there.
pub(super) struct Others {
    /// Live workers that are not of a bench.
    pub(super) workers: Vec<String>,
    /// Hooks that match the events of the bench.
    matching: Vec<String>,
    /// Active hooks.
    pub(super) hooks: i64,
    /// Events and deliveries that wait for the next worker.
    waiting: i64,
    pub(super) notify: bool,
}

/// Looks at everything in the order in which one thing needs the other.
pub(super) async fn ready(args: &BenchArgs, url: &str) -> anyhow::Result<Ready> {
    let mut client = stage::connect(&args.database).await?;
    let mut server = server(&client).await?;
    extension(&client).await?;
    rights(&client, &server).await?;
    // Loads the library too, without which its settings are unknown.
    client.query_one(statements::DOCTOR_LIBRARY, &[]).await?;
    let store = Store::new(url)?;
    let installation = store.load_installation().await.map_err(|error| unfit(&error))?;
    server.retention = installation.retention;
    server.record_all = installation.record_all;
    lock(&client).await?;
    schema(&mut client, &store).await?;
    connections(&client, args).await?;
    let others = others(&client).await?;
    refuse(&others, args.with_other_workers)?;
    Ok(Ready {
        client,
        store,
        server,
        others,
    })
}

async fn server(client: &Client) -> anyhow::Result<Server> {
    let row = client.query_one(statements::BENCH_SERVER, &[]).await?;
    if row.try_get("in_recovery")? {
        return Err(Failure::new(
            "this is a standby, which cannot be written to",
            "connect to the primary; name all hosts and target_session_attrs=read-write to find it by itself",
        )
        .into());
    }
    if row.try_get("read_only")? {
        return Err(Failure::new(
            "transactions are read-only here: default_transaction_read_only is on",
            "add options=-c%20default_transaction_read_only=off to the URL, if this server may be written to",
        )
        .into());
    }
    Ok(Server {
        version: row.try_get("version")?,
        database: row.try_get("database")?,
        role: row.try_get("role")?,
        fsync: row.try_get("fsync")?,
        retention: String::new(),
        record_all: true,
    })
}

async fn extension(client: &Client) -> anyhow::Result<()> {
    let row = client.query_one(statements::DOCTOR_EXTENSION, &[]).await?;
    if row.try_get::<_, Option<&str>>("installed")?.is_none() {
        return Err(Failure::new(
            "zerodb_hooks is not created in this database",
            "CREATE EXTENSION zerodb_hooks, or name the database that has it",
        )
        .into());
    }
    Ok(())
}

/// All grants that are missing at once, each as the statement that gives it.
async fn rights(client: &Client, server: &Server) -> anyhow::Result<()> {
    let rows = client.query(statements::BENCH_RIGHTS, &[]).await?;
    let mut missing = rows
        .iter()
        .map(|row| row.try_get("statement"))
        .collect::<Result<Vec<String>, _>>()?;
    if !grants::missing(client).await?.is_empty() {
        missing.push(format!("SELECT zerodb.grant_worker({})", server.role));
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        "the role cannot make a schema, watch a table in it, make a hook for every user and run a worker",
        format!("an administrator runs: {}", missing.join("; ")),
    )
    .into())
}

fn unfit(error: &StoreError) -> Failure {
    Failure::new(error.to_string(), "`zerodb-hooks doctor` tells more")
}

async fn lock(client: &Client) -> anyhow::Result<()> {
    match client.query_one(statements::BENCH_LOCK, &[]).await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Err(Failure::new(
            "another `zerodb-hooks bench` runs in this database",
            "wait for its end, or name another database",
        )
        .into()),
        Err(error) => Err(error.into()),
    }
}

/// A schema of this name is removed when a bench left it, and left alone when not.
async fn schema(client: &mut Client, store: &Store) -> anyhow::Result<()> {
    let Some(row) = client.query_opt(statements::BENCH_SCHEMA, &[]).await? else {
        // Without the schema too: a bench may have been killed between the two steps of clearing up.
        return stage::remove(client, store).await;
    };
    if !row.try_get::<_, bool>("is_ours")? {
        return Err(Failure::new(
            "there is a schema zerodb_hooks_bench already, and no bench has made it",
            "rename it, or name another database: bench makes and drops a schema of that name",
        )
        .into());
    }
    if !row.try_get::<_, bool>("is_owned")? {
        let owner: &str = row.try_get("owner")?;
        return Err(Failure::new(
            format!("a killed bench has left the schema zerodb_hooks_bench, which belongs to {owner}"),
            format!("run `zerodb-hooks bench` as {owner} or a superuser: it clears that up first"),
        )
        .into());
    }
    note("A bench was killed here: removing its schema and hook first.");
    stage::remove(client, store).await
}

async fn connections(client: &Client, args: &BenchArgs) -> anyhow::Result<()> {
    let row = client.query_one(statements::DOCTOR_LIMITS, &[]).await?;
    let (used, usable): (i64, i64) = (row.try_get("used")?, row.try_get("usable")?);
    let needed = i64::from(args.clients) + CONNECTIONS_BESIDE;
    if used + needed > usable {
        return Err(Failure::new(
            format!("{needed} connections are needed, and {used} of {usable} are in use"),
            "give fewer --clients, close other connections, or raise max_connections",
        )
        .into());
    }
    Ok(())
}

async fn others(client: &Client) -> anyhow::Result<Others> {
    let row = client.query_one(statements::BENCH_OTHERS, &[]).await?;
    Ok(Others {
        workers: row.try_get("workers")?,
        matching: row.try_get("matching")?,
        hooks: row.try_get("active")?,
        waiting: row.try_get("waiting")?,
        notify: row.try_get("notify")?,
    })
}

/// The bench must not set off anybody's hooks, and its figures must be its own.
fn refuse(others: &Others, with_other_workers: bool) -> Result<(), Failure> {
    let fresh = "measure in a fresh database with the extension on the same server";
    if !others.matching.is_empty() {
        return Err(Failure::new(
            format!(
                "these hooks would run for every event of the bench: {}",
                others.matching.join(", ")
            ),
            format!("{fresh}, or switch them off for the time: zerodb.update_hook(id, is_active => false)"),
        ));
    }
    if !others.workers.is_empty() && !with_other_workers {
        return Err(Failure::new(
            format!(
                "{} here and would take the bench's deliveries, for which they have no handler: {}",
                render::count(
                    i64::try_from(others.workers.len()).unwrap_or(i64::MAX),
                    "worker is alive",
                    "workers are alive"
                ),
                others.workers.join(", ")
            ),
            format!(
                "{fresh}, stop them, or give --with-other-workers: the write tax alone, with them delivering"
            ),
        ));
    }
    if others.workers.is_empty() && others.waiting > 0 {
        return Err(Failure::new(
            format!(
                "{} for a worker, and that of the bench would take them",
                render::count(
                    others.waiting,
                    "event or delivery waits",
                    "events or deliveries wait"
                )
            ),
            format!("let `zerodb-hooks worker` deliver them first, or {fresh}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn others(workers: &[&str], matching: &[&str], waiting: i64) -> Others {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Others {
            workers: owned(workers),
            matching: owned(matching),
            hooks: 0,
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
