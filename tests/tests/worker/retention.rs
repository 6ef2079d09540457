//! Old events leave the log, and never those that somebody still waits for.

use std::time::Duration;

use anyhow::Result;
use zerodb_hooks_harness::{Session, eventually, on_every_server};

use crate::setup::{recording_hook, watched_table, worker};

/// What maintenance calls, for the partition that is written now and without regard to age.
const ROTATE: &str = "SELECT zerodb._rotate_log(zerodb._current_slot(), '0 s')";

/// Longer than any test in another database keeps a transaction open.
const PATIENCE: Duration = Duration::from_secs(300);

/// Empties the partition as maintenance does, which comes again: a transaction that is open in any database of the
/// server keeps the last events from counting as seen by all, and whoever reads them holds a lock.
async fn rotated(session: &Session) -> Result<()> {
    eventually(PATIENCE, async || {
        let emptied = session.text(ROTATE).await.ok()?;
        (emptied == "t").then_some(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_is_emptied_once_all_in_it_is_dispatched_and_delivered() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        let hook = recording_hook(&session, "record", "{}").await?;
        session.run("INSERT INTO doc (body) VALUES ('a'), ('b')").await?;
        assert_eq!(session.text(ROTATE).await?, "f", "nothing is dispatched yet");
        let _worker = worker(&database)?;
        session.idle().await?;
        session
            .run(&format!(
                "SELECT zerodb.update_hook('{hook}', is_active => false)"
            ))
            .await?;
        let delivery = session.text("SELECT min(id) FROM zerodb.deliveries").await?;
        session
            .run(&format!("SELECT zerodb.redeliver({delivery})"))
            .await?;
        assert_eq!(session.text(ROTATE).await?, "f", "a delivery waits");
        session.run(&format!("SELECT zerodb.discard({delivery})")).await?;
        // That it was given up is an event too.
        session.idle().await?;
        assert_eq!(
            session
                .text("SELECT zerodb._rotate_log(zerodb._current_slot(), '1 hour')")
                .await?,
            "f",
            "too young"
        );
        rotated(&session).await?;
        assert_eq!(session.event_count().await?, 0);
        assert_eq!(session.number("SELECT count(*) FROM zerodb.attempts").await?, 0);
        // The log goes on, and so does delivery.
        session
            .run(&format!("SELECT zerodb.update_hook('{hook}', is_active => true)"))
            .await?;
        session.run("INSERT INTO doc (body) VALUES ('c')").await?;
        session.idle().await?;
        assert_eq!(session.number("SELECT count(*) FROM seen").await?, 3);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn emptying_gives_way_to_a_reader_and_finished_deliveries_are_pruned() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (body) VALUES ('a')").await?;
        session.idle().await?;
        session
            .run("SELECT zerodb.redeliver(id) FROM zerodb.deliveries")
            .await?;
        session.idle().await?;
        let reader = database.session().await?;
        reader.run("BEGIN; SELECT count(*) FROM zerodb.outbox").await?;
        assert_eq!(session.text(ROTATE).await?, "f", "the reader was there first");
        reader.run("COMMIT").await?;
        rotated(&session).await?;
        let pruned =
            |retention: &str| format!("SELECT pruned FROM zerodb._prune_deliveries('{retention}', 0, 10)");
        assert_eq!(session.number(&pruned("1 hour")).await?, 0);
        assert_eq!(session.number(&pruned("0 s")).await?, 1);
        assert_eq!(session.number("SELECT count(*) FROM zerodb.deliveries").await?, 0);
        Ok(())
    })
    .await
}

/// Rows of deliveries as the worker leaves them: `waiting` that nobody runs, then as many that have ended.
const LONG_AGO: &str = "
INSERT INTO zerodb.delivery (event_xid, event_ord, event_slot, hook_id, user_id, created_at, due_at, state, finished_at)
SELECT '3', n, 0, h.id, h.user_id, now() - interval '2 days', CASE WHEN n <= 30 THEN now() + interval '1 day' END,
    CASE WHEN n <= 30 THEN 'retryable' ELSE 'completed' END::zerodb.delivery_state, CASE WHEN n > 30 THEN now() - interval '2 days' END
FROM generate_series(1, 60) AS n CROSS JOIN zerodb.zerodb_hooks AS h;
INSERT INTO zerodb.delivery (event_xid, event_ord, event_slot, hook_id, user_id, state, finished_at)
SELECT '3', n, 0, h.id, h.user_id, 'completed', now() FROM generate_series(61, 120) AS n CROSS JOIN zerodb.zerodb_hooks AS h";

#[tokio::test(flavor = "multi_thread")]
async fn pruning_gets_past_what_waits_and_stops_at_what_is_young() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "record", "{}").await?;
        session.run(LONG_AGO).await?;
        let (mut after, mut pruned, mut calls) = (0, 0, 0);
        loop {
            let call = format!("SELECT p.* FROM zerodb._prune_deliveries('1 day', {after}, 10) AS p");
            let call = &session.rows(&call).await?[0];
            after = call["reached"].as_i64().unwrap_or(i64::MAX);
            pruned += call["pruned"].as_i64().unwrap_or_default();
            calls += 1;
            if call["more"] != true {
                break;
            }
        }
        assert_eq!(
            (pruned, calls),
            (30, 7),
            "one batch of those that are young, and no more"
        );
        let next = format!("SELECT min(id) FROM zerodb.delivery WHERE id > {after}");
        assert_eq!(
            session.number(&next).await?,
            after + 1,
            "it goes on at the first that is young"
        );
        assert_eq!(session.number("SELECT count(*) FROM zerodb.delivery").await?, 90);
        Ok(())
    })
    .await
}
