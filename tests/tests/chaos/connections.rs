//! Connections that are ended, cut silently or shared.

use std::time::Duration;

use anyhow::Result;
use rand::Rng;
use zerodb_hooks_harness::programs::tools;
use zerodb_hooks_harness::servers::relay::Fate;
use zerodb_hooks_harness::{
    Database, PgBouncer, PgVersion, Receiver, Relay, Session, Worker, eventually, on_every_server,
};

use crate::factor;
use crate::setup::{
    LONG, Writers, all_arrive, assert_delivery_ids_are_stable, each_is_completed_once, insert, watched_table,
    webhook,
};

/// What the worker's connections call themselves. The one that listens has a name of its own.
const LISTENER: &str = "zerodb-hooks listener";

async fn prepare(database: &Database, receiver: &Receiver) -> Result<Session> {
    let session = database.session().await?;
    watched_table(&session).await?;
    webhook(&session, "web", receiver, "").await?;
    Ok(session)
}

async fn documents(session: &Session) -> Result<i64> {
    session.number("SELECT count(*) FROM doc").await
}

/// Whether writers notify: somebody holds the lock that says so.
async fn parked(session: &Session) -> Option<()> {
    let parked = "SELECT count(*) FROM pg_locks WHERE locktype = 'userlock' AND classid = 2053468783 AND objid = 1
        AND mode = 'ExclusiveLock' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    (session.number(parked).await.ok()? == 1).then_some(())
}

/// Ends each of the worker's connections with a probability, over and over, for a time (short: 5 s, long: a minute).
async fn terminate_at_random(session: &Session) -> Result<i64> {
    let time = Duration::from_secs(if factor() >= 10 { 60 } else { 5 });
    let mut ended = 0;
    let _time_is_over = eventually(time, async || {
        let likely = rand::rng().random_range(0.0..0.3);
        let kill = format!(
            "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name LIKE 'zerodb-hooks%' AND datname = current_database() AND random() < {likely}) AS ended"
        );
        ended += session.number(&kill).await.ok()?;
        None::<()>
    })
    .await;
    Ok(ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_connections_are_ended_at_random_loses_nothing() -> Result<()> {
    on_every_server(async |database| {
        let receiver = Receiver::start()?;
        let session = prepare(&database, &receiver).await?;
        let mut worker = Worker::start_with(
            &database.worker_url(),
            &["--lease-s", "2", "--poll-ms", "100"],
            &[],
        )?;
        let writers = Writers::new(&database.url(), 500);
        let disturbed = async {
            let ended = terminate_at_random(&session).await;
            writers.stop();
            ended
        };
        let (ended, written) = tokio::join!(disturbed, writers.write(&receiver));
        let ended = ended?;
        assert!(ended > 0, "no connection was ended");
        assert!(written.errors.is_empty(), "the writer saw {:?}", written.errors);
        all_arrive(&session, &receiver).await?;
        each_is_completed_once(&session, documents(&session).await?).await?;
        assert_delivery_ids_are_stable(&receiver);
        assert!(worker.is_running(), "it is the same process as before");
        eprintln!("{ended} connections ended, {} events", documents(&session).await?);
        Ok(())
    })
    .await
}

/// The packets of the listening connection are dropped: nobody tells the worker, and what is written now wakes nobody.
/// Of another worker every connection is treated so.
#[tokio::test(flavor = "multi_thread")]
async fn events_arrive_although_connections_are_dead_and_nobody_said_so() -> Result<()> {
    tokio::try_join!(
        a_connection_goes_silent(LISTENER, Fate::DropPackets),
        a_connection_goes_silent("zerodb-hooks", Fate::DropPackets)
    )?;
    Ok(())
}

/// Between the two sits something that acknowledges all and passes nothing on, such as a proxy that hangs.
#[tokio::test(flavor = "multi_thread")]
async fn events_arrive_although_what_is_before_the_listening_connection_hangs() -> Result<()> {
    a_connection_goes_silent(LISTENER, Fate::Hold).await
}

/// On one server: TCP takes half a minute to give a connection up.
async fn a_connection_goes_silent(name: &str, fate: Fate) -> Result<()> {
    let database = Database::create(PgVersion::main()).await?;
    let receiver = Receiver::start()?;
    let session = prepare(&database, &receiver).await?;
    let relay = Relay::start(database.cluster.port)?;
    let url = format!(
        "host=127.0.0.1 port={} user=postgres dbname={}",
        relay.address.port(),
        database.name
    );
    let mut worker = Worker::start_with(&url, &["--lease-s", "5"], &[])?;
    insert(&session).await.map_err(anyhow::Error::msg)?;
    all_arrive(&session, &receiver).await?;
    eventually(LONG, async || parked(&session).await).await?;
    relay.decide(name, fate)?;
    let silent = std::time::Instant::now();
    for _ in 0..20 {
        insert(&session).await.map_err(anyhow::Error::msg)?;
    }
    all_arrive(&session, &receiver).await?;
    each_is_completed_once(&session, documents(&session).await?).await?;
    assert!(worker.is_running(), "it is the same process as before");
    eprintln!(
        "{name}, {fate:?}: all was delivered {:?} after it went silent",
        silent.elapsed()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_behind_pgbouncer_in_transaction_mode_are_delivered_and_wake_the_worker() -> Result<()> {
    let Some(program) = tools::pgbouncer() else {
        return Ok(());
    };
    on_every_server(async |database| {
        let receiver = Receiver::start()?;
        let session = prepare(&database, &receiver).await?;
        let bouncer = PgBouncer::start(&program, database.cluster, 3).await?;
        // With a poll of an hour only the wake-up can deliver anything.
        let _worker = Worker::start_with(&database.worker_url(), &["--poll-ms", "3600000"], &[])?;
        for _ in 0..5 {
            eventually(LONG, async || parked(&session).await).await?;
            let writer = Session::connect(&bouncer.url(&database.name)).await?;
            // In transaction mode a prepared statement may be gone by the next transaction.
            writer
                .run("INSERT INTO doc (body) VALUES ('through PgBouncer')")
                .await?;
            all_arrive(&session, &receiver).await?;
        }
        // Many clients on few server connections, in transactions of several statements.
        let each = 25 * factor();
        let writers = (0..12).map(|_| async {
            let writer = Session::connect(&bouncer.url(&database.name)).await?;
            for n in 0..each {
                let end = if n % 5 == 4 { "ROLLBACK" } else { "COMMIT" };
                writer.run("BEGIN").await?;
                writer
                    .run("INSERT INTO doc (body) VALUES ('one'), ('two')")
                    .await?;
                writer.run(end).await?;
            }
            anyhow::Ok(())
        });
        futures_util::future::try_join_all(writers).await?;
        let committed = i64::try_from(12 * each * 2 * 4 / 5)? + 5;
        assert_eq!(documents(&session).await?, committed);
        all_arrive(&session, &receiver).await?;
        each_is_completed_once(&session, committed).await
    })
    .await
}
