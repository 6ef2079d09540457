//! The store by itself, step by step: what it leases it also settles, whatever form a delivery is kept in.

use std::time::Duration;

use anyhow::{Context as _, Result};
use zerodb_hooks_harness::{Database, Session, on_every_server};
use zerodb_hooks_worker::delivery::outcome::Outcome;
use zerodb_hooks_worker::store::{Claimed, EndedAttempt, LedgerSettings, Limits, Settled, Settlement, Store};

use crate::setup::{recording_hook, watched_table};

const LEDGER: LedgerSettings<'_> = LedgerSettings {
    worker: "test",
    keeps_completed: true,
};
const BATCHES: &str = "SELECT count(*) FROM zerodb.batch";

/// A worker of which there is only its store and its lease.
struct Bare {
    store: Store,
    lease: i64,
}

impl Bare {
    async fn new(database: &Database) -> Result<Self> {
        let store = Store::new(&database.worker_url())?;
        let lease = store.take_lease("test", Duration::from_secs(60)).await?;
        Ok(Self { store, lease })
    }

    /// Writes so many events and leases their deliveries, which are then kept in one batch.
    async fn lease_batch(&self, session: &Session, count: usize) -> Result<Vec<Claimed>> {
        let events = format!("INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, {count})");
        session.run(&events).await?;
        let limits = Limits {
            deliveries: 100,
            per_hook: 100,
            saturated: Vec::new(),
        };
        let found = self.store.dispatch(self.lease, 100, &limits).await?;
        let leased = found.context("another worker dispatches")?.leased;
        assert_eq!(leased.len(), count);
        assert_eq!(session.number(BATCHES).await?, 1);
        Ok(leased)
    }

    async fn settle(&self, attempts: Vec<EndedAttempt>) -> Result<Settled> {
        let mut settlement = Settlement::new(self.lease, attempts);
        self.store.settle(&mut settlement, LEDGER).await?;
        Ok(settlement.end())
    }
}

fn ended(claimed: &Claimed, outcome: Outcome) -> EndedAttempt {
    EndedAttempt {
        delivery_id: claimed.id,
        hook_id: claimed.hook_id,
        stored: claimed.stored.clone(),
        epoch: claimed.epoch,
        started_at: jiff::Timestamp::now(),
        duration: Duration::from_millis(1),
        outcome,
    }
}

fn completed() -> Outcome {
    Outcome::Completed { status: None }
}

fn failed() -> Outcome {
    Outcome::retry_in(Duration::from_secs(3600), "down")
}

async fn states(session: &Session) -> Result<Vec<String>> {
    session
        .texts("SELECT state FROM zerodb.deliveries ORDER BY state::text")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_goes_with_its_last_delivery_however_that_ends() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        let worker = Bare::new(&database).await?;
        let leased = worker.lease_batch(&session, 3).await?;
        let first = worker
            .settle(vec![ended(&leased[0], completed()), ended(&leased[1], failed())])
            .await?;
        assert!(first.requeued && first.refused == 0 && first.locked.is_empty());
        assert_eq!(states(&session).await?, ["completed", "retryable", "running"]);
        assert_eq!(session.number(BATCHES).await?, 1);
        let discarded = Outcome::Discarded {
            error: "gone".into(),
            status: None,
            exhausted: false,
        };
        worker.settle(vec![ended(&leased[2], discarded)]).await?;
        assert_eq!(states(&session).await?, ["completed", "discarded", "retryable"]);
        assert_eq!(session.number(BATCHES).await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_another_session_holds_is_settled_later_and_its_batch_stays_until_then() -> Result<()> {
    on_every_server(async |database| {
        let (session, holder) = (database.session().await?, database.session().await?);
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        let worker = Bare::new(&database).await?;
        let leased = worker.lease_batch(&session, 2).await?;
        // It gets its row with the first outcome, which another session then holds.
        session
            .run(&format!(
                "INSERT INTO zerodb.delivery (id, event_xid, event_ord, event_slot, hook_id, user_id, state, attempts, epoch, lease_id)
                 SELECT {id}, d.event_xid, d.event_ord, d.event_slot, d.hook_id, d.user_id, 'running', 1, 1, {lease}
                 FROM (SELECT b.event_xids[array_position(b.ids, {id})] AS event_xid, b.event_ords[array_position(b.ids, {id})] AS event_ord,
                     b.slot AS event_slot, b.hook_id, b.user_id FROM zerodb.batch AS b) AS d",
                id = leased[0].id,
                lease = worker.lease,
            ))
            .await?;
        holder.run("BEGIN").await?;
        holder.run("SELECT FROM zerodb.delivery FOR UPDATE").await?;
        let first = worker
            .settle(vec![ended(&leased[0], failed()), ended(&leased[1], completed())])
            .await?;
        assert_eq!(first.locked.len(), 1);
        assert_eq!((first.locked[0].delivery_id, first.refused), (leased[0].id, 0));
        assert_eq!(session.number(BATCHES).await?, 1);
        holder.run("ROLLBACK").await?;
        let second = worker.settle(first.locked).await?;
        assert!(second.locked.is_empty());
        assert_eq!(states(&session).await?, ["completed", "retryable"]);
        assert_eq!(session.number(BATCHES).await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_worker_has_by_now_is_refused_in_both_forms() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        let worker = Bare::new(&database).await?;
        let leased = worker.lease_batch(&session, 2).await?;
        session
            .run("UPDATE zerodb.lease SET expires_at = now() - interval '1 s'")
            .await?;
        let other = Bare::new(&database).await?;
        assert_eq!(other.store.reap_expired_leases().await?.deliveries, 2);
        let late = vec![ended(&leased[0], completed()), ended(&leased[1], failed())];
        assert_eq!(worker.settle(late).await?.refused, 2);
        assert_eq!(states(&session).await?, ["retryable", "retryable"]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_the_server_cannot_store_takes_no_other_with_it() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        let worker = Bare::new(&database).await?;
        let leased = worker.lease_batch(&session, 2).await?;
        let unstorable = Outcome::retry_in(Duration::from_secs(3600), "a text with \0");
        let settled = worker
            .settle(vec![ended(&leased[0], unstorable), ended(&leased[1], failed())])
            .await?;
        assert!(!settled.unwritten && settled.refused == 0);
        assert_eq!(states(&session).await?, ["discarded", "retryable"]);
        assert_eq!(session.number(BATCHES).await?, 0);
        Ok(())
    })
    .await
}
