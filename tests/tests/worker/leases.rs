//! Nothing is claimed under a lease that is gone, so nothing can be lost with it.

use anyhow::Result;
use zerodb_hooks_harness::on_every_server;
use zerodb_hooks_worker::store::statements::{
    CLAIM_DELIVERIES, DISPATCH_EVENTS, LOCK_DEAD_LEASES, REAP_LEASES, TAKE_LEASE,
};

use crate::setup::{recording_hook, watched_table, worker_with};

const NONE: Vec<uuid::Uuid> = Vec::new();

#[tokio::test(flavor = "multi_thread")]
async fn without_its_lease_a_worker_dispatches_to_the_queue_and_claims_nothing() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        session.run("INSERT INTO doc (body) VALUES ('x')").await?;
        let gone = 99_i64;
        session.run("BEGIN").await?;
        let rows = session
            .client
            .query(
                DISPATCH_EVENTS,
                &[&10_i32, &gone, &10_i32, &NONE, &1000_i64, &1_000_000_i64],
            )
            .await?;
        session.run("COMMIT").await?;
        assert_eq!(rows.len(), 1);
        assert!(
            rows[0].try_get::<_, Option<i64>>("batch_id")?.is_none(),
            "nothing is leased"
        );
        assert_eq!(
            session.texts("SELECT state FROM zerodb.deliveries").await?,
            ["pending"]
        );
        assert!(
            session
                .client
                .query(
                    CLAIM_DELIVERIES,
                    &[&10_i32, &10_i32, &NONE, &gone, &1_000_000_i64]
                )
                .await?
                .is_empty()
        );
        let lease: i64 = session
            .client
            .query_one(TAKE_LEASE, &[&"test", &60_i64])
            .await?
            .try_get(0)?;
        assert_eq!(
            session
                .client
                .query(
                    CLAIM_DELIVERIES,
                    &[&10_i32, &10_i32, &NONE, &lease, &1_000_000_i64]
                )
                .await?
                .len(),
            1
        );
        assert_eq!(
            session.texts("SELECT state FROM zerodb.deliveries").await?,
            ["running"]
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaper_gives_back_what_was_claimed_while_it_waited_and_passes_by_a_claim_under_way() -> Result<()>
{
    on_every_server(async |database| {
        let (session, claimer) = (database.session().await?, database.session().await?);
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        session.run("INSERT INTO doc (body) VALUES ('x')").await?;
        let lease: i64 = session
            .client
            .query_one(TAKE_LEASE, &[&"test", &60_i64])
            .await?
            .try_get(0)?;
        session
            .run("UPDATE zerodb.lease SET expires_at = now() - interval '1 s'")
            .await?;
        claimer.run("BEGIN").await?;
        claimer
            .client
            .query(
                DISPATCH_EVENTS,
                &[&10_i32, &lease, &10_i32, &NONE, &1000_i64, &1_000_000_i64],
            )
            .await?;
        let own: Option<i64> = None;
        assert!(
            session.client.query(LOCK_DEAD_LEASES, &[&own]).await?.is_empty(),
            "a claim is under way"
        );
        claimer.run("COMMIT").await?;
        session.run("BEGIN").await?;
        assert_eq!(session.client.query(LOCK_DEAD_LEASES, &[&own]).await?.len(), 1);
        let freed: i64 = session
            .client
            .query_one(REAP_LEASES, &[&vec![lease], &true])
            .await?
            .try_get(0)?;
        session.run("COMMIT").await?;
        assert_eq!(freed, 1);
        assert_eq!(
            session.texts("SELECT state FROM zerodb.deliveries").await?,
            ["retryable"]
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_with_room_for_two_works_through_a_backlog() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        session
            .run("INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, 60)")
            .await?;
        let worker = worker_with(&database, &["--in-flight", "2"])?;
        session.idle().await?;
        assert_eq!(
            session.number("SELECT count(DISTINCT doc_id) FROM seen").await?,
            60
        );
        assert!(!worker.stderr().contains("cannot work"), "{}", worker.stderr());
        Ok(())
    })
    .await
}
