//! Transactions that end long after they began, and workers whose clock is wrong.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::try_join_all;
use zerodb_hooks_harness::{
    Answer, Clock, Cluster, PgVersion, Receiver, Session, Worker, eventually, on_every_server,
};

use crate::factor;
use crate::setup::{
    LONG, Writers, all_arrive, arrivals, assert_delivery_ids_are_stable, each_is_completed_once,
    watched_table, webhook,
};

/// Events that others write at a time.
const BURST: i64 = 2_000;
const HALF_A_MINUTE: Duration = Duration::from_secs(30);

/// Waits until so many documents have come, each once.
async fn arrive_once(receiver: &Receiver, documents: usize) -> Result<()> {
    let reached = eventually(LONG, async || {
        (arrivals(receiver).len() >= documents).then_some(())
    });
    anyhow::ensure!(
        reached.await.is_ok(),
        "{} of {documents} came",
        arrivals(receiver).len()
    );
    let again = arrivals(receiver).values().filter(|times| **times > 1).count();
    assert_eq!(again, 0, "documents that came twice");
    Ok(())
}

/// Two transactions are open, one of them prepared, while others write and are delivered, the worker is killed and the
/// server too. Long: the one is open for ten minutes, the other for twelve.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_ends_late_holds_up_nobody_and_is_delivered_in_the_end() -> Result<()> {
    try_join_all(PgVersion::present().iter().map(transactions_end_late)).await?;
    Ok(())
}

async fn transactions_end_late(version: &PgVersion) -> Result<()> {
    let cluster = Cluster::start(version)?;
    let receiver = Receiver::start()?;
    let session = cluster.session("postgres").await?;
    session.run("CREATE EXTENSION zerodb_hooks").await?;
    watched_table(&session).await?;
    webhook(&session, "web", &receiver, "").await?;
    let arguments = ["--lease-s", "3", "--poll-ms", "100"];
    let url = cluster.url("postgres");
    let mut worker = Worker::start_with(&url, &arguments, &[])?;
    session
        .run("BEGIN; INSERT INTO doc (body) VALUES ('prepared'); PREPARE TRANSACTION 'late'")
        .await?;
    // The server's crash ends open transactions, but not prepared ones.
    let before = others_write(&url, &receiver, 2).await?;
    worker.terminate(LONG).await?;
    cluster.crash()?;
    cluster.start_again()?;
    let mut worker = Worker::start_with(&url, &arguments, &[])?;
    let (session, open) = (
        cluster.session("postgres").await?,
        cluster.session("postgres").await?,
    );
    open.run("BEGIN; INSERT INTO doc (body) VALUES ('held open')")
        .await?;
    let after = others_write(&url, &receiver, 10).await?;
    arrive_once(&receiver, before + after).await?;
    // What has arrived and is not yet recorded would come again.
    session.completed(before + after).await?;
    // Another worker has to find them by the cursor that the first one left.
    worker.kill9()?;
    let _worker = Worker::start_with(&url, &arguments, &[])?;
    open.run("INSERT INTO doc (body) VALUES ('held open, too'); COMMIT")
        .await?;
    session.run("COMMIT PREPARED 'late'").await?;
    arrive_once(&receiver, before + after + 3).await?;
    all_arrive(&session, &receiver).await?;
    each_is_completed_once(&session, i64::try_from(before + after + 3)?).await
}

/// Thousands of events by others, all delivered, and in the long form as many again twice a minute; returns how many.
async fn others_write(url: &str, receiver: &Receiver, minutes: usize) -> Result<usize> {
    let times = if factor() >= 10 { 2 * minutes } else { 1 };
    let mut written = 0;
    for _ in 0..times {
        let began = Instant::now();
        written += burst(url, receiver).await?;
        if times > 1 {
            let _next = eventually(HALF_A_MINUTE.saturating_sub(began.elapsed()), async || None::<()>).await;
        }
    }
    Ok(written)
}

async fn burst(url: &str, receiver: &Receiver) -> Result<usize> {
    let writers = Writers::new(url, 500);
    let before = arrivals(receiver).len();
    let enough = async {
        let reached = async || (writers.acknowledged() >= BURST).then_some(());
        let reached = eventually(LONG, reached).await;
        writers.stop();
        reached
    };
    let (reached, one, two) = tokio::join!(enough, writers.write(receiver), writers.write(receiver));
    reached?;
    let written = one.ids.len() + two.ids.len();
    arrive_once(receiver, before + written).await?;
    Ok(written)
}

/// A worker that is shown a clock.
fn worker_with(clock: &Clock, url: &str, more: &[&str]) -> Result<Worker> {
    let variables = clock.variables();
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    // Hours are what the clocks are wrong by; no machine is so busy that a worker misses half a minute.
    let arguments = [&["--lease-s", "30", "--poll-ms", "100"], more].concat();
    Worker::start_with(url, &arguments, &variables)
}

/// One worker is hours ahead, one hours behind and slow, one is set back and forth. All three share the work; the
/// receiver refuses a part of it at first, so that there are times by which to try again.
#[tokio::test(flavor = "multi_thread")]
async fn the_servers_clock_decides_whatever_the_workers_believe() -> Result<()> {
    let (Some(ahead), Some(behind), Some(jumps)) = (Clock::new()?, Clock::new()?, Clock::new()?) else {
        return Ok(());
    };
    ahead.set("+7h x1.5")?;
    behind.set("-9h x0.6")?;
    on_every_server(async |database| {
        let receiver = Receiver::start()?;
        let session = database.session().await?;
        watched_table(&session).await?;
        webhook(&session, "web", &receiver, "").await?;
        let url = database.url();
        let small = ["--in-flight", "50"];
        let _ahead = worker_with(&ahead, &url, &small)?;
        let _behind = worker_with(&behind, &url, &small)?;
        let _jumps = worker_with(&jumps, &url, &small)?;
        let events = i64::try_from(1_000 * factor())?;
        // Never five in a row, which would open the circuit.
        receiver.then((0..events).map(|n| Answer::Status(if n % 10 == 0 { 503 } else { 200 })));
        let writers = Writers::new(&url, 300);
        let jumping = async {
            let mut jump = 0;
            let enough = async || {
                jump += 1;
                let step = ["+5h", "-3h", "+40s", "-40s", "+0s"][jump % 5];
                jumps.set(step).ok()?;
                (writers.acknowledged() >= events).then_some(())
            };
            let reached = eventually(LONG, enough).await;
            writers.stop();
            reached
        };
        let (reached, _written) = tokio::join!(jumping, writers.write(&receiver));
        reached?;
        all_arrive(&session, &receiver).await?;
        let documents = session.number("SELECT count(*) FROM doc").await?;
        each_is_completed_once(&session, documents).await?;
        assert_delivery_ids_are_stable(&receiver);
        assert_nobody_lost_a_lease(&session).await?;
        let requests = receiver.look(<[_]>::len);
        assert_eq!(
            i64::try_from(requests)?,
            documents + events / 10,
            "each once, and once more after a refusal"
        );
        the_clocks_were_wrong(&session).await?;
        Ok(())
    })
    .await
}

/// Whoever took a lease for dead would have left its words in a delivery.
async fn assert_nobody_lost_a_lease(session: &Session) -> Result<()> {
    let lost = "SELECT count(*) FROM zerodb.deliveries WHERE last_error LIKE 'the worker was lost%'";
    assert_eq!(session.number(lost).await?, 0);
    Ok(())
}

/// The ledger's start times are the workers' own: they show that the test did what it says.
async fn the_clocks_were_wrong(session: &Session) -> Result<()> {
    let wrong = "SELECT count(DISTINCT worker) FROM zerodb.attempts WHERE started_at NOT BETWEEN now() - interval '2 h' AND now() + interval '2 h'";
    let wrong = session.number(wrong).await?;
    assert!(wrong >= 2, "{wrong} workers had another time");
    Ok(())
}

/// A worker whose clock is a day ahead does not try earlier, and one whose clock is a day behind not later, than the
/// server has put down.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_due_by_the_servers_clock() -> Result<()> {
    let Some(clock) = Clock::new()? else {
        return Ok(());
    };
    on_every_server(async |database| {
        for fake in ["+1d", "-1d"] {
            clock.set(fake)?;
            let receiver = Receiver::start()?;
            let session = database.session().await?;
            session
                .run("DROP TABLE IF EXISTS doc; SELECT zerodb.delete_hook(id) FROM zerodb.zerodb_hooks")
                .await?;
            watched_table(&session).await?;
            let later = Answer::Full {
                status: 503,
                header: ("retry-after", "2".into()),
                body: String::new(),
            };
            receiver.then([later]);
            webhook(&session, "web", &receiver, "").await?;
            let _worker = worker_with(&clock, &database.url(), &[])?;
            session.run("INSERT INTO doc (body) VALUES ('x')").await?;
            let requests = receiver.wait_for(2, LONG).await?;
            let waited = requests[1].at - requests[0].at;
            assert!(waited >= Duration::from_millis(1900), "{fake}: {waited:?}");
        }
        Ok(())
    })
    .await
}
