//! Much at once: many hooks for many events, large events, long names. Every step of the dispatcher has a bound, and
//! all arrives.

use tokio_postgres::Row;
use zerodb_hooks_harness::{Result, Session, Worker, on_every_server};
use zerodb_hooks_worker::store::statements::{CLAIM_DELIVERIES, DISPATCH_EVENTS, TAKE_LEASE};

use crate::actors::{MALLORY, Stage, VICTIM};

const NONE: Vec<uuid::Uuid> = Vec::new();

/// One step of the dispatcher, which leases at most `leased` deliveries.
async fn step(session: &Session, lease: i64, leased: i32, pairs: i64, bytes: i64) -> Result<Vec<Row>> {
    session.run("BEGIN").await?;
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&100_i32, &lease, &leased, &NONE, &pairs, &bytes];
    let rows = session.client.query(DISPATCH_EVENTS, &parameters).await?;
    session.run("COMMIT").await?;
    Ok(rows)
}

async fn lease(session: &Session) -> Result<i64> {
    let taken = session.client.query_one(TAKE_LEASE, &[&"test", &600_i64]).await?;
    Ok(taken.try_get(0)?)
}

async fn hooks(session: &Session, count: usize) -> Result<()> {
    session
        .run(&format!(
            "SELECT zerodb.create_hook('*', 'h' || n, hook_type => 'log') FROM generate_series(1, {count}) AS n"
        ))
        .await
}

#[tokio::test]
async fn a_step_takes_as_many_events_as_their_hooks_allow_and_one_at_least() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        hooks(&stage.mallory, 3).await?;
        stage
            .victim
            .run("SELECT zerodb.create_hook('app.thing', 'v', hook_type => 'log')")
            .await?;
        stage
            .mallory
            .run("SELECT zerodb.emit('app.thing', '{}') FROM generate_series(1, 7)")
            .await?;
        stage
            .victim
            .run("SELECT zerodb.emit('app.thing', '{}') FROM generate_series(1, 7)")
            .await?;
        let lease = lease(&stage.admin).await?;
        let mut taken = Vec::new();
        for pairs in [1, 7, 8, 1_000] {
            let rows = step(&stage.admin, lease, 0, pairs, 1 << 20).await?;
            taken.push((
                rows[0].try_get::<_, i64>("events")?,
                rows[0].try_get::<_, i64>("matched")?,
            ));
        }
        assert_eq!(taken, [(1, 3), (2, 6), (2, 6), (9, 13)]);
        let rows = step(&stage.admin, lease, 0, 1, 1 << 20).await?;
        assert_eq!(rows[0].try_get::<_, i64>("events")?, 0, "each event once");
        let of = |tenant| format!("SELECT count(*) FROM zerodb.delivery WHERE user_id = '{tenant}'");
        assert_eq!(stage.admin.number(&of(MALLORY)).await?, 21);
        assert_eq!(stage.admin.number(&of(VICTIM)).await?, 7);
        Ok(())
    })
    .await
}

/// What other tenants want costs nobody anything: their hooks are not even read.
#[tokio::test]
async fn a_step_reads_the_hooks_of_its_events_users_and_of_no_others() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        hooks(&stage.mallory, 300).await?;
        stage
            .victim
            .run("SELECT zerodb.create_hook('app.thing', 'v', hook_type => 'log'); SELECT zerodb.emit('app.thing', '{}')")
            .await?;
        let lease = lease(&stage.admin).await?;
        stage.admin.run("ANALYZE zerodb.zerodb_hooks; SET enable_seqscan = off; BEGIN").await?;
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [&100_i32, &lease, &100_i32, &NONE, &1_000_i64, &(1_i64 << 20)];
        let rows = stage.admin.client.query(DISPATCH_EVENTS, &parameters).await?;
        assert_eq!(rows[0].try_get::<_, i64>("matched")?, 1);
        let read = "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_all_tables
            WHERE relid = 'zerodb.zerodb_hooks'::regclass";
        assert_eq!(stage.admin.number(read).await?, 1);
        stage.admin.run("COMMIT").await?;
        Ok(())
    })
    .await
}

/// A transaction that is open for long, with many events, is passed over in each step and not read.
#[tokio::test]
async fn a_step_does_not_read_what_an_open_transaction_has_written() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        hooks(&stage.mallory, 1).await?;
        let many = "BEGIN; SELECT zerodb.emit('app.thing', '{}') FROM generate_series(1, 3000)";
        stage.mallory.run(many).await?;
        stage
            .victim
            .run("SELECT zerodb.create_hook('app.thing', 'v', hook_type => 'log'); SELECT zerodb.emit('app.thing', '{}')")
            .await?;
        let lease = lease(&stage.admin).await?;
        let entries = async || -> Result<i64> {
            stage.admin.run("SELECT pg_stat_force_next_flush()").await?;
            let read = "SELECT sum(idx_tup_read)::bigint FROM pg_stat_all_indexes
                WHERE indexrelname LIKE 'outbox%' AND schemaname = 'zerodb'";
            stage.admin.number(read).await
        };
        let before = entries().await?;
        let mut events = Vec::new();
        for _ in 0..5 {
            let rows = step(&stage.admin, lease, 10, 1_000, 1 << 20).await?;
            events.push(rows[0].try_get::<_, i64>("events")?);
        }
        let read = entries().await? - before;
        assert!(read < 1_000, "{read} entries of the index");
        stage.mallory.run("COMMIT").await?;
        for _ in 0..31 {
            let rows = step(&stage.admin, lease, 10, 1_000, 1 << 20).await?;
            events.push(rows[0].try_get::<_, i64>("events")?);
        }
        assert_eq!(events.iter().sum::<i64>(), 3_001, "each once");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_answer_is_bounded_and_holds_an_events_data_once() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        hooks(&stage.mallory, 20).await?;
        let large = "SELECT zerodb.emit('app.thing', jsonb_build_object('note', repeat('x', 1000))) FROM generate_series(1, 5)";
        stage.mallory.run(large).await?;
        let lease = lease(&stage.admin).await?;
        let rows = step(&stage.admin, lease, 1_000, 1_000, 2_500).await?;
        assert_eq!(rows[0].try_get::<_, i64>("events")?, 2);
        let data = rows.iter().filter(|row| row.get::<_, Option<i64>>("batch_id").is_none()).count();
        assert_eq!((data, rows.len() - data), (2, 20), "each event once, and a row for each hook");
        step(&stage.admin, lease, 0, 1_000, 1 << 20).await?;
        let claim = async |bytes: i64| -> Result<usize> {
            let most = 1_000_i32;
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] = [&most, &most, &NONE, &lease, &bytes];
            Ok(stage.admin.client.query(CLAIM_DELIVERIES, &parameters).await?.len())
        };
        assert_eq!((claim(1).await?, claim(3_500).await?, claim(1 << 20).await?), (1, 3, 56));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_backlog_for_many_hooks_does_not_hold_up_another_tenant() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        hooks(&stage.mallory, 300).await?;
        stage.mallory.run("SELECT zerodb.emit('app.thing', '{\"id\": 1}') FROM generate_series(1, 300)").await?;
        stage.victim.run("SELECT zerodb.create_hook('app.thing', 'v', hook_type => 'log'); SELECT zerodb.emit('app.thing', '{}')").await?;
        let _worker = Worker::start_with(&db.worker_url(), &["--lease-s", "3", "--poll-ms", "200"], &[])?;
        let done = format!("SELECT count(*) FROM zerodb.deliveries WHERE user_id = '{VICTIM}' AND state = 'completed'");
        stage.admin.becomes(&done, 1).await?;
        // Steps that are over may have been pruned; their number goes on.
        let steps = "SELECT max(seq) FROM zerodb.cursor";
        assert!(stage.admin.number(steps).await? >= 5, "90,000 pairs are several steps");
        Ok(())
    })
    .await
}

/// What the door refuses may still come out of a restore.
#[tokio::test]
async fn an_event_type_of_any_length_is_passed() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        assert_eq!(
            stage.admin.text("SELECT zerodb._patterns('a.b.c')").await?,
            "{a.b.c,*,a.*,a.b.*}"
        );
        let long = "SELECT cardinality(zerodb._patterns(repeat('a.', 100000) || 'a'))";
        assert!(stage.admin.number(long).await? <= 52);
        hooks(&stage.mallory, 1).await?;
        stage.victim.run("SELECT zerodb.create_hook('app.thing', 'v', hook_type => 'log')").await?;
        let direct = format!(
            "INSERT INTO zerodb.outbox (xid, created_at, ord, relid, slot, user_id, event_type, data)
            SELECT pg_current_xact_id(), now(), 1000 + n, 0, 0, '{MALLORY}', repeat('a.', 100000) || n, '{{}}' FROM generate_series(1, 20) AS n"
        );
        stage.admin.run(&direct).await?;
        stage.victim.run("SELECT zerodb.emit('app.thing', '{}')").await?;
        let _worker = Worker::start_with(&db.worker_url(), &["--lease-s", "3", "--poll-ms", "200"], &[])?;
        let done = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'completed'";
        stage.admin.becomes(done, 21).await?;
        Ok(())
    })
    .await
}
