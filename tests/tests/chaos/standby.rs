//! A primary that dies, and the standby that takes its place.

use std::collections::HashSet;

use anyhow::Result;
use zerodb_hooks_harness::{Cluster, PgVersion, Receiver, Worker, eventually};

use crate::factor;
use crate::setup::{
    LONG, Writers, all_arrive, assert_delivery_ids_are_stable, each_is_completed_once, insert, watched_table,
    webhook,
};

/// One URL for both, of which that one is meant that takes writes.
fn url_of_both(one: &Cluster, other: &Cluster) -> String {
    format!(
        "host=127.0.0.1,127.0.0.1 port={},{} user=postgres dbname=postgres target_session_attrs=read-write",
        one.port, other.port
    )
}

async fn the_primary_dies(version: &PgVersion) -> Result<()> {
    let primary = Cluster::start_with(version, &["fsync = on"])?;
    let receiver = Receiver::start()?;
    let session = primary.session("postgres").await?;
    session.run("CREATE EXTENSION zerodb_hooks").await?;
    watched_table(&session).await?;
    webhook(&session, "web", &receiver, "").await?;
    let standby = primary.start_synchronous_standby().await?;
    let url = url_of_both(&primary, &standby);
    let arguments = ["--lease-s", "3", "--poll-ms", "200"];
    let mut workers = [
        Worker::start_with(&url, &arguments, &[])?,
        Worker::start_with(&url, &arguments, &[])?,
    ];
    let writers = Writers::new(&url, 1_000);
    let many = i64::try_from(1_000 * factor())?;
    let promoted = async {
        let result = async {
            let written = async |events: i64| (writers.acknowledged() >= events).then_some(());
            eventually(LONG, async || written(many).await).await?;
            primary.crash()?;
            standby.promote().await?;
            // Writers and workers find it by themselves.
            eventually(LONG, async || written(2 * many).await).await
        };
        let result = result.await;
        writers.stop();
        result
    };
    let (promoted, one, two) = tokio::join!(promoted, writers.write(&receiver), writers.write(&receiver));
    promoted?;

    let session = standby.session("postgres").await?;
    let stored: HashSet<String> = session.texts("SELECT id FROM doc").await?.into_iter().collect();
    let acknowledged = one.ids.iter().chain(&two.ids);
    let lost = acknowledged
        .filter(|id| !stored.contains(&id.to_string()))
        .count();
    assert_eq!(lost, 0, "acknowledged on the primary and not on the new one");
    all_arrive(&session, &receiver).await?;
    insert(&session).await.map_err(anyhow::Error::msg)?;
    all_arrive(&session, &receiver).await?;
    let documents = session.number("SELECT count(*) FROM doc").await?;
    each_is_completed_once(&session, documents).await?;
    assert_delivery_ids_are_stable(&receiver);
    for worker in &mut workers {
        assert!(worker.is_running(), "it found the new primary by itself");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_promotion_the_worker_finds_the_new_primary_and_nothing_is_lost() -> Result<()> {
    for version in PgVersion::present() {
        the_primary_dies(version).await?;
    }
    Ok(())
}
