//! Rows of the queue that are bad or locked: what all tenants share neither fails nor waits for one of them.

use zerodb_hooks_harness::{Result, Session, Worker, on_every_server};
use zerodb_hooks_worker::store::statements::{FINISH_DELIVERIES, LOCK_DEAD_LEASES, NEXT_DUE, REAP_LEASES};

use crate::actors::{MALLORY, Stage, VICTIM};

/// A delivery of mallory's, as if a restore or a bug had made it.
const BAD: &str = "INSERT INTO zerodb.delivery (event_xid, event_ord, event_slot, hook_id, user_id, state, due_at, attempts, losses, epoch, lease_id, order_key)
    SELECT o.xid, o.ord, o.slot, h.id, h.user_id";

async fn hook_and_event(session: &Session) -> Result<String> {
    session
        .run("SELECT zerodb.create_hook('app.thing', 'h', hook_type => 'log'); SELECT zerodb.emit('app.thing', '{\"id\": 1}')")
        .await?;
    session.text("SELECT id FROM zerodb.zerodb_hooks").await
}

async fn completed(admin: &Session, tenant: &str, expected: i64) -> Result<()> {
    let query =
        format!("SELECT count(*) FROM zerodb.deliveries WHERE user_id = '{tenant}' AND state = 'completed'");
    admin.becomes(&query, expected).await
}

fn worker(url: &str) -> Result<Worker> {
    Worker::start_with(url, &["--lease-s", "3", "--poll-ms", "200"], &[])
}

#[tokio::test]
async fn no_row_holds_a_number_that_cannot_be_counted_on() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        hook_and_event(&stage.mallory).await?;
        for (state, values) in [
            ("pending", "now(), 2147483647, 0, 0, NULL, NULL"),
            ("pending", "now(), 0, 32767, 0, NULL, NULL"),
            ("pending", "'infinity', 0, 0, 0, NULL, NULL"),
            ("retryable", "'-infinity', 0, 0, 0, NULL, NULL"),
            ("running", "NULL, -1, 0, 0, 1, NULL"),
            ("pending", "NULL, 0, 0, 0, NULL, repeat('k', 3000)"),
        ] {
            let made =
                format!("{BAD}, '{state}', {values} FROM zerodb.outbox AS o, zerodb.zerodb_hooks AS h");
            let refused = stage.admin.error(&made).await?;
            assert_eq!(refused.code, "23514", "{values}: {refused:?}");
        }
        Ok(())
    })
    .await
}

/// The constraint is gone, as in a database that was mended by hand: the statements hold by themselves.
#[tokio::test]
async fn numbers_beyond_all_bounds_stop_nobody() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        hook_and_event(&stage.mallory).await?;
        stage
            .admin
            .run(
                "ALTER TABLE zerodb.delivery DROP CONSTRAINT delivery_is_countable;
                INSERT INTO zerodb.lease (worker, expires_at) VALUES ('dead', now() - interval '1 h')",
            )
            .await?;
        for (state, values) in [
            ("pending", "now(), 2147483647, 0, 2147483647, NULL, NULL"),
            ("pending", "now(), -2147483648, 0, 0, NULL, NULL"),
            ("pending", "'infinity', 0, 0, 0, NULL, NULL"),
            ("pending", "now(), 0, -32768, 0, NULL, NULL"),
            (
                "running",
                "NULL, -2147483648, 32767, 0, (SELECT id FROM zerodb.lease), NULL",
            ),
            (
                "running",
                "NULL, 0, -32768, 2147483647, (SELECT id FROM zerodb.lease), NULL",
            ),
        ] {
            let made =
                format!("{BAD}, '{state}', {values} FROM zerodb.outbox AS o, zerodb.zerodb_hooks AS h");
            stage.admin.run(&made).await?;
        }
        assert!(
            stage
                .admin
                .client
                .query_one(NEXT_DUE, &[])
                .await?
                .try_get::<_, i64>(0)
                .is_ok()
        );
        hook_and_event(&stage.victim).await?;
        let _worker = worker(&db.worker_url())?;
        completed(&stage.admin, VICTIM, 1).await?;
        let dead = "SELECT count(*) FROM zerodb.lease WHERE worker = 'dead'";
        stage.admin.becomes(dead, 0).await?;
        Ok(())
    })
    .await
}

/// An outcome is not written and not refused while another session holds its row; its neighbour's is written.
#[tokio::test]
async fn an_outcome_waits_for_its_locked_row_and_no_other_does() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        hook_and_event(&stage.mallory).await?;
        stage
            .admin
            .run("INSERT INTO zerodb.lease (worker, expires_at) VALUES ('w', now() + interval '1 h')")
            .await?;
        let lease = stage.admin.number("SELECT id FROM zerodb.lease").await?;
        for _ in 0..2 {
            stage.admin.run(&format!("{BAD}, 'running', NULL, 1, 0, 1, {lease}, NULL FROM zerodb.outbox AS o, zerodb.zerodb_hooks AS h")).await?;
        }
        let ids: Vec<i64> = stage.admin.texts("SELECT id FROM zerodb.delivery ORDER BY id").await?
            .iter().map(|id| id.parse()).collect::<Result<_, _>>()?;
        let holder = db.session().await?;
        holder.run(&format!("BEGIN; SELECT FROM zerodb.delivery WHERE id = {} FOR UPDATE", ids[0])).await?;
        stage.admin.run("SET lock_timeout = '5 s'").await?;
        let answers = finish(&stage.admin, lease, &ids).await?;
        assert_eq!(answers, [(ids[0], true), (ids[1], false)]);
        holder.run("ROLLBACK").await?;
        assert_eq!(finish(&stage.admin, lease, &ids).await?, [(ids[0], false)]);
        assert_eq!(finish(&stage.admin, lease, &ids).await?, [], "both were written: refused");
        assert_eq!(stage.admin.texts("SELECT state FROM zerodb.delivery").await?, ["retryable", "retryable"]);
        Ok(())
    })
    .await
}

/// Fails these deliveries; the ids of the answer, each with whether it is locked.
async fn finish(session: &Session, lease: i64, ids: &[i64]) -> Result<Vec<(i64, bool)>> {
    let count = ids.len();
    let rows = session
        .client
        .query(
            FINISH_DELIVERIES,
            &[
                &lease,
                &ids,
                &vec![1_i32; count],
                &vec!["failed"; count],
                &vec![i64::MAX; count],
                &vec![Some("no"); count],
                &vec![None::<i32>; count],
                &vec![jiff::Timestamp::now(); count],
                &vec![0_i32; count],
                &"w",
                &true,
            ],
        )
        .await?;
    let mut answers = Vec::new();
    for row in &rows {
        answers.push((row.try_get("id")?, row.try_get("locked")?));
    }
    answers.sort_unstable();
    Ok(answers)
}

#[tokio::test]
async fn a_dead_workers_deliveries_are_freed_but_for_the_one_that_is_locked() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        hook_and_event(&stage.mallory).await?;
        stage
            .admin
            .run("INSERT INTO zerodb.lease (worker, expires_at) VALUES ('dead', now() - interval '1 h')")
            .await?;
        for _ in 0..2 {
            stage.admin.run(&format!("{BAD}, 'running', NULL, 1, 0, 1, (SELECT id FROM zerodb.lease), NULL FROM zerodb.outbox AS o, zerodb.zerodb_hooks AS h")).await?;
        }
        let holder = db.session().await?;
        holder.run("BEGIN; SELECT FROM zerodb.delivery ORDER BY id LIMIT 1 FOR UPDATE").await?;
        stage.admin.run("SET lock_timeout = '5 s'").await?;
        assert_eq!(reap(&stage.admin).await?, 1);
        assert_eq!(stage.admin.number("SELECT count(*) FROM zerodb.lease").await?, 1, "it still holds one");
        holder.run("ROLLBACK").await?;
        assert_eq!(reap(&stage.admin).await?, 1);
        assert_eq!(stage.admin.number("SELECT count(*) FROM zerodb.lease").await?, 0);
        assert_eq!(stage.admin.number("SELECT sum(losses) FROM zerodb.delivery").await?, 2);
        let nobody = format!("SELECT count(*) FROM zerodb.delivery WHERE user_id <> '{MALLORY}'");
        assert_eq!(stage.admin.number(&nobody).await?, 0);
        Ok(())
    })
    .await
}

async fn reap(session: &Session) -> Result<i64> {
    session.run("BEGIN").await?;
    let dead = session.client.query(LOCK_DEAD_LEASES, &[&None::<i64>]).await?;
    let dead: Vec<i64> = dead.iter().map(|row| row.get(0)).collect();
    let freed = session
        .client
        .query_one(REAP_LEASES, &[&dead, &true])
        .await?
        .try_get(0)?;
    session.run("COMMIT").await?;
    Ok(freed)
}
