//! Transactions that commit late, out of order, or not for a long time.

use std::time::Duration;

use anyhow::Result;
use zerodb_hooks_harness::{Database, SOON, eventually, on_every_server};

use crate::setup::{recording_hook, watched_table, worker};

const WRITERS: usize = 16;
const EACH: usize = 40;

/// One writer: transactions whose number was given early and that commit late, each in its own time.
async fn write_out_of_order(database: &Database, writer: usize) -> Result<()> {
    let session = database.session().await?;
    for n in 0..EACH {
        let pause = f64::from(u8::try_from((writer * 7 + n * 13) % 23)?) / 1000.0;
        session
            .run(&format!(
                "BEGIN; INSERT INTO doc (body) VALUES ('{writer}-{n}'); SELECT pg_sleep({pause}); INSERT INTO doc (body) VALUES ('{writer}-{n}-b'); COMMIT"
            ))
            .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_writers_out_of_order_are_each_dispatched_exactly_once() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        let (_one, _two) = (worker(&database)?, worker(&database)?);
        let open = database.session().await?;
        open.run("BEGIN; INSERT INTO doc (body) VALUES ('held open')")
            .await?;
        let writers = (0..WRITERS).map(|writer| write_out_of_order(&database, writer));
        futures_util::future::try_join_all(writers).await?;
        // The open transaction is older than all of these and holds none of them back.
        let written = i64::try_from(WRITERS * EACH * 2)?;
        session.becomes("SELECT count(*) FROM seen", written).await?;
        open.run("COMMIT").await?;
        session.becomes("SELECT count(*) FROM seen", written + 1).await?;
        session.idle().await?;
        assert_eq!(
            session
                .number("SELECT count(DISTINCT event_id) FROM seen")
                .await?,
            written + 1
        );
        assert_eq!(
            session.number("SELECT count(*) FROM zerodb.deliveries").await?,
            written + 1
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_wakes_a_parked_worker_long_before_its_next_poll() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        // With a poll of an hour only the wake-up can deliver anything.
        let _worker = zerodb_hooks_harness::Worker::start_with(&database.worker_url(), &["--poll-ms", "3600000"], &[])?;
        for n in 1..=20_i64 {
            // Parked: the lock that writers share is held by the listening connection alone.
            eventually(SOON, async || {
                let parked = "SELECT count(*) FROM pg_locks WHERE locktype = 'userlock' AND classid = 2053468783 AND objid = 1
                    AND mode = 'ExclusiveLock' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
                (session.number(parked).await.ok()? == 1).then_some(())
            })
            .await?;
            session.run("INSERT INTO doc (body) VALUES ('wake')").await?;
            session.becomes("SELECT count(*) FROM seen", n).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_notify_the_poll_delivers() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        let _worker = worker(&database)?;
        session.run("SET zerodb.notify = off").await?;
        session.run("INSERT INTO doc (body) VALUES ('polled')").await?;
        session
            .becomes_within(Duration::from_secs(20), "SELECT count(*) FROM seen", 1)
            .await
    })
    .await
}
