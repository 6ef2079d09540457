//! The worker's own life: it ends in order, is killed, pauses, loses its database.

use std::time::Duration;

use anyhow::Result;
use zerodb_hooks_harness::{
    Answer, Cluster, PgVersion, Receiver, SOON, Session, Worker, eventually, on_every_server,
};

use crate::setup::{recording_hook, watched_table, webhook_hook, worker, worker_with};

/// Tasks of a worker that try again while the database is away: heartbeat, backfills, completer, judge, pump.
const TASKS: usize = 5;

fn web(receiver: &Receiver) -> String {
    let config = format!(
        r#"{{"url": "{}", "retry_count": 20, "retry_delay_ms": 50}}"#,
        receiver.url("/")
    );
    webhook_hook("web", &config)
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_running_deliveries_end_and_exits_0() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        receiver.always(Answer::Slow(Duration::from_millis(800), 200));
        watched_table(&session).await?;
        session.run(&web(&receiver)).await?;
        let mut worker = worker(&database)?;
        session
            .run("INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, 10)")
            .await?;
        receiver.wait_for(10, SOON).await?;
        let status = worker.terminate(SOON).await?;
        assert_eq!(status.code(), Some(0));
        assert_eq!(session.in_state("completed").await?, 10);
        assert_eq!(session.number("SELECT count(*) FROM zerodb.lease").await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_end_within_the_drain_is_given_back() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        receiver.always(Answer::Hang);
        watched_table(&session).await?;
        session.run(&web(&receiver)).await?;
        let mut worker = worker_with(&database, &["--drain-s", "1"])?;
        session
            .run("INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, 100)")
            .await?;
        receiver.wait_for(64, SOON).await?;
        assert_eq!(worker.terminate(SOON).await?.code(), Some(0));
        assert_eq!(session.in_state("running").await?, 0);
        // 64 of one hook run at once; the others had no turn and are not charged for it.
        assert_eq!(
            session
                .number("SELECT count(*) FROM zerodb.deliveries WHERE attempts = 0 AND state = 'pending'")
                .await?,
            36
        );
        receiver.always(Answer::Status(200));
        let _next = crate::setup::worker(&database)?;
        session.completed(100).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_workers_deliveries_go_to_another_and_none_is_lost() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        watched_table(&session).await?;
        session.run(&web(&receiver)).await?;
        receiver.always(Answer::Slow(Duration::from_millis(20), 200));
        let mut first = worker(&database)?;
        session
            .run("INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, 2000)")
            .await?;
        receiver.wait_for(200, SOON).await?;
        first.kill9()?;
        let _second = worker(&database)?;
        session.completed(2000).await?;
        let requests = receiver.requests();
        let ids: std::collections::HashSet<_> = requests
            .iter()
            .map(|request| request.header("webhook-id"))
            .collect();
        assert_eq!(ids.len(), 2000);
        assert!(
            requests.len() - ids.len() <= 1500,
            "no more repeated than were in flight"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_paused_beyond_its_lease_completes_nothing_twice() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        watched_table(&session).await?;
        session.run(&web(&receiver)).await?;
        let (held, answer) = Answer::held(200);
        receiver.then([answer]);
        let first = worker(&database)?;
        session.run("INSERT INTO doc (body) VALUES ('x')").await?;
        receiver.wait_for(1, SOON).await?;
        first.freeze()?;
        let _second = worker(&database)?;
        session
            .becomes(
                "SELECT count(*) FROM zerodb.delivery WHERE state = 'completed' AND losses = 1",
                1,
            )
            .await?;
        drop(held);
        first.thaw()?;
        let refused = async || {
            first
                .stderr()
                .contains("late outcomes were refused")
                .then_some(())
        };
        eventually(SOON, refused).await?;
        assert_eq!(session.number("SELECT count(*) FROM zerodb.attempts").await?, 1);
        assert_eq!(
            session.number("SELECT attempts FROM zerodb.deliveries").await?,
            1,
            "the lost one is not charged"
        );
        // And it goes on working, under a new lease.
        session.run("INSERT INTO doc (body) VALUES ('y')").await?;
        session.completed(2).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_is_found_again_with_one_line_at_each_change() -> Result<()> {
    for version in PgVersion::present() {
        let cluster = Cluster::start(version)?;
        let session = cluster.session("postgres").await?;
        session.run("CREATE EXTENSION zerodb_hooks").await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        let worker = Worker::start_with(
            &cluster.url("postgres"),
            &["--poll-ms", "200", "--lease-s", "3"],
            &[],
        )?;
        session.run("INSERT INTO doc (body) VALUES ('before')").await?;
        session.becomes("SELECT count(*) FROM seen", 1).await?;
        cluster.crash()?;
        let said = |what: &str| worker.stderr().matches(what).count();
        eventually(SOON, async || (said("cannot work") >= 1).then_some(())).await?;
        cluster.start_again()?;
        let session: Session = cluster.session("postgres").await?;
        session.run("INSERT INTO doc (body) VALUES ('after')").await?;
        session.becomes("SELECT count(*) FROM seen", 2).await?;
        session.idle().await?;
        // Each task that meets the outage says so once; how many do is a matter of its length.
        let told = eventually(SOON, async || (said("working again") >= 1).then_some(())).await;
        let log = worker.stderr();
        assert!(told.is_ok() && said("cannot work") <= TASKS, "{log}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_extension_the_worker_says_so_and_exits_1() -> Result<()> {
    for version in PgVersion::present() {
        let database = zerodb_hooks_harness::Database::create_bare(version).await?;
        let mut worker = Worker::start(&database.worker_url())?;
        assert_eq!(worker.ended(SOON).await?.code(), Some(1));
        assert!(
            worker.stderr().contains("the extension does not fit this worker"),
            "{}",
            worker.stderr()
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_that_do_not_end_hold_up_nothing_else() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        watched_table(&session).await?;
        session
            .run(
                r#"CREATE FUNCTION wait(event jsonb) RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_xact_lock_shared(7)';
                 SELECT zerodb.create_hook('doc.created', 'slow', '{"function": "public.wait"}', hook_type => 'sql');
                 SELECT pg_advisory_lock(7)"#,
            )
            .await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, 50)").await?;
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        session.becomes(waiting, 2).await?;
        session.run(&web(&receiver)).await?;
        session.run("INSERT INTO doc (body) VALUES ('past them')").await?;
        receiver.wait_for(1, SOON).await?;
        session.becomes("SELECT count(*) FROM zerodb.attempts", 1).await?;
        session.run("SELECT pg_advisory_unlock(7)").await?;
        // Each in its first attempt: waiting for a turn is none.
        session.becomes("SELECT count(*) FROM zerodb.deliveries WHERE state = 'completed' AND attempts = 1", 52).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_keeps_huge_pages_out_of_its_memory() -> Result<()> {
    on_every_server(async |database| {
        let worker = worker(&database)?;
        eventually(SOON, async || {
            (!worker.may_have_huge_pages().unwrap_or(true)).then_some(())
        })
        .await
    })
    .await
}
