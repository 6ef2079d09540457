//! `zerodb-hooks bench` as a user sees it: what it measures, and that nothing of it stays, however it ends.

use std::process::{Output, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::{Child, Command};
use zerodb_hooks_harness::{Database, Session, on_every_server};

use crate::setup::{recording_hook, watched_table, worker};

const SMALL: &[&str] = &[
    "--seconds",
    "1",
    "--clients",
    "2",
    "--events",
    "200",
    "--samples",
    "10",
    "--json",
];
/// Its writers write to the untouched table for minutes.
const LONG: &[&str] = &["--seconds", "300", "--clients", "2", "--json"];
/// Its worker has to deliver for a while.
const BUSY: &[&str] = &[
    "--seconds",
    "3",
    "--clients",
    "4",
    "--events",
    "1000000",
    "--json",
];

const WRITES: &str = "SELECT least(count(*), 1) FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND query LIKE '%INSERT INTO zerodb_hooks_bench.plain_item%'";
const DELIVERS: &str =
    "SELECT least(count(*), 1) FROM zerodb.lease AS l JOIN zerodb.deliveries AS d ON d.state = 'completed'";

/// As if a bench had been killed while its worker held a delivery of its own.
const HELD: &str = "
INSERT INTO zerodb_hooks_bench.watched_item (name, size) VALUES ('x', 1);
INSERT INTO zerodb.lease (worker, expires_at) VALUES ('zerodb_hooks_bench:gone:1', now() + interval '1 hour');
INSERT INTO zerodb.delivery (event_xid, event_ord, event_slot, hook_id, user_id, state, lease_id, attempts, epoch)
SELECT o.xid, o.ord, o.slot, h.id, h.user_id, 'running', l.id, 1, 1
FROM (SELECT * FROM zerodb.outbox ORDER BY xid DESC LIMIT 1) AS o, zerodb.zerodb_hooks AS h, zerodb.lease AS l
WHERE l.worker = 'zerodb_hooks_bench:gone:1'";

fn command(url: &str, arguments: &[&str]) -> Result<Command> {
    let mut command = Command::from(zerodb_hooks_harness::programs::worker::command()?);
    command.arg("bench").args(arguments).env("DATABASE_URL", url);
    Ok(command)
}

async fn bench(url: &str, arguments: &[&str]) -> Result<Output> {
    Ok(command(url, arguments)?.output().await?)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn document(output: &Output) -> Result<Value> {
    ensure!(output.status.success(), "{}", stderr(output));
    serde_json::from_slice(&output.stdout).with_context(|| stderr(output))
}

fn number(document: &Value, pointer: &str) -> Result<f64> {
    document
        .pointer(pointer)
        .and_then(Value::as_f64)
        .with_context(|| format!("{pointer} is no number in {document}"))
}

/// A bench that runs for minutes, at the moment that a query tells by returning 1.
async fn begun(database: &Database, session: &Session, arguments: &[&str], moment: &str) -> Result<Child> {
    let child = command(&database.url(), arguments)?
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    session.becomes(moment, 1).await?;
    Ok(child)
}

/// What the bench makes and must take away again.
async fn nothing_stays(session: &Session) -> Result<()> {
    for (what, query) in [
        (
            "schema",
            "SELECT count(*) FROM pg_namespace WHERE nspname = 'zerodb_hooks_bench'",
        ),
        (
            "hook",
            "SELECT count(*) FROM zerodb.zerodb_hooks WHERE event_type LIKE 'zerodb_hooks_bench%'",
        ),
        (
            "watch",
            "SELECT count(*) FROM zerodb.watches WHERE event_type LIKE 'zerodb_hooks_bench%'",
        ),
        ("lease", "SELECT count(*) FROM zerodb.lease"),
        (
            "delivery",
            "SELECT count(*) FROM zerodb.deliveries WHERE state IN ('pending', 'running', 'retryable')",
        ),
    ] {
        ensure!(
            session.number(query).await? == 0,
            "a {what} of the bench has stayed"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_measures_a_server_and_leaves_it_as_it_was() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let hook = recording_hook(&session, "record", "{}").await?;
        // A role with no more rights than the command asks for.
        let role = database.create_role("bench").await?;
        let url = database.cluster.url_as(&role, &database.name);
        let refused = bench(&url, SMALL).await?;
        let said = stderr(&refused);
        ensure!(refused.status.code() == Some(1), "{said}");
        let hint = said.split_once("hint:").context("there is a hint")?.1.to_owned();
        for grant in [
            "GRANT CREATE ON DATABASE",
            "zerodb.grant_admin(",
            "zerodb.grant_worker(",
        ] {
            ensure!(hint.contains(grant), "{said}");
        }
        let (_, grants) = hint.split_once("runs:").context("the hint names the grants")?;
        session.run(grants).await?;

        let found = document(&bench(&url, SMALL).await?)?;
        for pointer in [
            "/write_tax/untouched/rate",
            "/write_tax/untouched/rates/1",
            "/write_tax/untouched/commit_ms/p99",
            "/write_tax/hook_no_worker/rate",
            "/write_tax/hook_no_worker/share",
            "/write_tax/hook_no_worker/commit_ms/p99",
            "/write_tax/hook_busy_worker/rate",
            "/write_tax/hook_busy_worker/share",
            "/write_tax/hook_busy_worker/commit_ms/p99",
            "/latency/from_statement_ms/p50",
            "/latency/from_statement_ms/p99",
            "/burn_down/seconds",
            "/burn_down/rate",
            "/stays/events",
        ] {
            ensure!(number(&found, pointer)? > 0.0, "{pointer} in {found}");
        }
        // From the commit it may be less than nothing.
        number(&found, "/latency/from_commit_ms/p50")?;
        number(&found, "/latency/from_commit_ms/p99")?;
        // How much a worker delivers in a second is the machine's.
        number(&found, "/write_tax/hook_busy_worker/delivered_meanwhile")?;
        assert_eq!(number(&found, "/latency/samples")?, 10.0);
        assert_eq!(number(&found, "/burn_down/deliveries")?, 200.0);
        let logged = "SELECT count(*) FROM zerodb.outbox WHERE event_type = 'zerodb_hooks_bench.item_stored'";
        assert_eq!(
            session.number(logged).await? as f64,
            number(&found, "/stays/events")?
        );
        let delivered = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'completed'";
        assert_eq!(
            session.number(delivered).await? as f64,
            number(&found, "/stays/events")?
        );

        nothing_stays(&session).await?;
        session.run("INSERT INTO doc (body) VALUES ('a')").await?;
        let _worker = worker(&database)?;
        session.becomes("SELECT count(*) FROM seen", 1).await?;
        assert_eq!(session.text("SELECT id FROM zerodb.list_hooks()").await?, hook);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_and_sigterm_clear_up() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        for (signal, arguments, moment) in [("INT", LONG, WRITES), ("TERM", BUSY, DELIVERS)] {
            let child = begun(&database, &session, arguments, moment).await?;
            let pid = child.id().context("it runs")?.to_string();
            let sent = std::process::Command::new("kill")
                .args(["-s", signal, &pid])
                .status()?;
            ensure!(sent.success(), "kill -s {signal} failed");
            let ended = child.wait_with_output().await?;
            ensure!(ended.status.code() == Some(1), "{}", stderr(&ended));
            ensure!(
                stderr(&ended).contains("stopped before the end"),
                "{}",
                stderr(&ended)
            );
            nothing_stays(&session).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_one_leaves_is_cleared_by_the_next() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let mut child = begun(&database, &session, BUSY, DELIVERS).await?;
        let second = bench(&database.url(), SMALL).await?;
        let said = stderr(&second);
        ensure!(
            second.status.code() == Some(1) && said.contains("another `zerodb-hooks bench`"),
            "{said}"
        );
        child.kill().await?;
        session.run(HELD).await?;
        let next = bench(&database.url(), SMALL).await?;
        assert_eq!(number(&document(&next)?, "/burn_down/deliveries")?, 200.0);
        nothing_stays(&session).await?;
        let cancelled = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'cancelled'";
        ensure!(
            session.number(cancelled).await? >= 1,
            "what its worker held is not cancelled"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_refuses_what_it_would_disturb() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let refused = async |word: &str| {
            let output = bench(&database.url(), SMALL).await?;
            let said = stderr(&output);
            ensure!(
                output.status.code() == Some(1) && said.contains(word) && said.contains("\nhint: "),
                "{word}: {said}"
            );
            Ok(())
        };
        session
            .run("CREATE SCHEMA zerodb_hooks_bench; CREATE TABLE zerodb_hooks_bench.plain_item (mine text)")
            .await?;
        refused("no bench has made it").await?;
        assert_eq!(
            session
                .number("SELECT count(*) FROM zerodb_hooks_bench.plain_item")
                .await?,
            0
        );
        session.run("DROP SCHEMA zerodb_hooks_bench CASCADE").await?;

        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        session.run("INSERT INTO doc (body) VALUES ('a')").await?;
        refused("1 event or delivery waits").await?;
        let worker = worker(&database)?;
        session.idle().await?;
        refused("1 worker is alive").await?;
        let mut anyway = SMALL.to_vec();
        anyway.push("--with-other-workers");
        let found = document(&bench(&database.url(), &anyway).await?)?;
        ensure!(
            number(&found, "/write_tax/hook_busy_worker/share")? > 0.0,
            "{found}"
        );
        ensure!(
            found["latency"].is_null() && found["burn_down"].is_null(),
            "{found}"
        );
        drop(worker);

        session
            .run(r#"SELECT zerodb.create_hook('*', 'audit', '{"level": "debug"}', hook_type => 'log')"#)
            .await?;
        refused("audit").await?;
        let read_only = format!("{} options='-c default_transaction_read_only=on'", database.url());
        let output = bench(&read_only, SMALL).await?;
        ensure!(
            stderr(&output).contains("read-only") && output.status.code() == Some(1),
            "{}",
            stderr(&output)
        );
        Ok(())
    })
    .await?;
    for version in zerodb_hooks_harness::PgVersion::present() {
        let bare = Database::create_bare(version).await?;
        let output = bench(&bare.url(), SMALL).await?;
        ensure!(
            stderr(&output).contains("CREATE EXTENSION zerodb_hooks"),
            "{}",
            stderr(&output)
        );
    }
    Ok(())
}
