//! Handlers and endpoints that do what they must not, and hooks beside them that do not notice.

use std::process::Command;

use anyhow::{Result, ensure};
use zerodb_hooks_harness::{Answer, Database, Receiver, Session, Worker, eventually, on_every_server};

use crate::factor;
use crate::setup::{LONG, all_arrive, watched_table, webhook};

/// What a worker may need beside what a handler itself holds. It has 40 MiB in these tests.
const ENOUGH_MEMORY_KIB: u64 = 256 * 1024;

fn faulty_worker(database: &Database) -> Result<Worker> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faulty_worker"));
    command.env("DATABASE_URL", database.url());
    Worker::spawn(command)
}

async fn hook(session: &Session, name: &str, config: &str) -> Result<()> {
    let create =
        format!("SELECT zerodb.create_hook('doc.created', '{name}', '{config}', hook_type => 'function')");
    session.run(&create).await
}

/// Waits until so many deliveries of a hook are in a state.
async fn reach(session: &Session, hook: &str, state: &str, count: usize) -> Result<()> {
    let query = format!(
        "SELECT count(*) FROM zerodb.deliveries AS d JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id
         WHERE h.hook_name = '{hook}' AND d.state = '{state}'"
    );
    let expected = i64::try_from(count)?;
    let reached = eventually(LONG, async || {
        (session.number(&query).await.ok()? == expected).then_some(())
    });
    if reached.await.is_err() {
        let found = session.number(&query).await?;
        anyhow::bail!("{found} deliveries of {hook} are {state}, not {expected}");
    }
    Ok(())
}

/// Writes documents while the faulty hook has its deliveries, and expects the hook beside it to complete all of them.
async fn beside_it_all_goes_on(name: &str, events: usize) -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        // Two gigabytes take a while to fill; the others never end by themselves.
        let timeout_ms = if name == "returns_two_gigabytes" { 60_000 } else { 1000 };
        let config = format!(r#"{{"max_attempts": 2, "retry_delay_ms": 20, "timeout_ms": {timeout_ms}}}"#);
        hook(&session, name, &config).await?;
        hook(&session, "well", "{}").await?;
        let mut worker = faulty_worker(&database)?;
        for _ in 0..events {
            session.run("INSERT INTO doc (body) VALUES ('x')").await?;
        }
        reach(&session, "well", "completed", events).await?;
        reach(&session, name, "discarded", events).await?;
        // And it goes on.
        session.run("INSERT INTO doc (body) VALUES ('later')").await?;
        reach(&session, "well", "completed", events + 1).await?;
        reach(&session, name, "discarded", events + 1).await?;
        let errors = session
            .texts("SELECT DISTINCT left(last_error, 30) || CASE WHEN length(last_error) > 5000 THEN ' too long' ELSE '' END
                FROM zerodb.deliveries WHERE state = 'discarded'")
            .await?;
        let expected = match name {
            "panics" => "the handler panicked",
            "returns_two_gigabytes" => "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            _ => "no end within 2000 ms",
        };
        assert_eq!(errors, [expected]);
        ensure!(worker.is_running(), "it is the same process as before");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_is_given_up_and_others_go_on() -> Result<()> {
    beside_it_all_goes_on("panics", 200 * factor()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_never_returns_is_given_up_and_others_go_on() -> Result<()> {
    beside_it_all_goes_on("never_returns", 100 * factor()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_returns_two_gigabytes_is_given_up_and_others_go_on() -> Result<()> {
    if memory_kib("MemAvailable:")? < 12 * 1024 * 1024 {
        eprintln!("SKIPPED: this needs 12 GiB of memory for the handlers");
        return Ok(());
    }
    beside_it_all_goes_on("returns_two_gigabytes", 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_blocks_its_thread_is_given_up_and_others_go_on() -> Result<()> {
    beside_it_all_goes_on("blocks", 20).await
}

/// A line of /proc/meminfo.
fn memory_kib(name: &str) -> Result<u64> {
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let line = memory.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.unwrap_or("0").parse()?)
}

/// Endpoints whose answer has no end: what is read of it is bounded, whether it is a success or not.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_end_costs_neither_memory_nor_other_deliveries() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let (well, fails, succeeds) = (Receiver::start()?, Receiver::start()?, Receiver::start()?);
        // No 5xx: a circuit would keep them from being sent.
        fails.always(Answer::Endless(404));
        succeeds.always(Answer::Endless(200));
        watched_table(&session).await?;
        webhook(&session, "well", &well, "").await?;
        webhook(&session, "succeeds", &succeeds, "").await?;
        // The later of two equal keys counts.
        webhook(&session, "fails", &fails, r#", "retry_count": 1"#).await?;
        let mut worker = Worker::start_with(&database.worker_url(), &["--poll-ms", "200"], &[])?;
        let events = 300 * factor();
        session
            .run(&format!(
                "INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, {events})"
            ))
            .await?;
        all_arrive(&session, &well).await?;
        reach(&session, "well", "completed", events).await?;
        reach(&session, "fails", "discarded", events).await?;
        reach(&session, "succeeds", "completed", events).await?;
        let peak = worker.peak_memory_kib()?;
        assert!(peak < ENOUGH_MEMORY_KIB, "the worker had {peak} KiB");
        assert!(worker.is_running(), "it is the same process as before");
        eprintln!("the worker had {peak} KiB at most");
        Ok(())
    })
    .await
}
