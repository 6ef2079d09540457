//! Indexes of the log in whatever state an administrator has left them: a write goes on, and what they find is there.

use zerodb_hooks_harness::{Result, SOON, Session, eventually, on_every_server};

use crate::writers::stage;

/// How many events the log's own index finds, and how many there are.
async fn found_and_there(session: &Session) -> Result<(i64, i64)> {
    session
        .run("SET enable_seqscan = off; SET enable_bitmapscan = off")
        .await?;
    let found = session
        .number("SELECT count(*) FROM zerodb.outbox WHERE xid >= '0' AND ord >= 0")
        .await?;
    session
        .run("RESET enable_seqscan; RESET enable_bitmapscan")
        .await?;
    Ok((found, session.event_count().await?))
}

#[tokio::test]
async fn writes_go_on_while_an_index_of_the_log_is_rebuilt_and_after_a_rebuild_was_cancelled() -> Result<()> {
    on_every_server(async |db| {
        let (session, reader, builder) = (stage(&db).await?, db.session().await?, db.session().await?);
        session
            .run("CREATE TABLE t (id int); SELECT zerodb.watch('t', 'app.thing'); INSERT INTO t VALUES (0)")
            .await?;
        let slot = session.text("SELECT zerodb._current_slot()").await?;
        let index = session
            .text(&format!(
                "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'zerodb.outbox_{slot}'::regclass"
            ))
            .await?;
        reader
            .run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
            .await?;
        let pid = builder.text("SELECT pg_backend_pid()").await?;
        let rebuild = format!("REINDEX INDEX CONCURRENTLY {index}");
        let (rebuilt, written) = tokio::join!(builder.error(&rebuild), async {
            let waits = format!(
                "SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND wait_event_type = 'Lock'"
            );
            let waits = async || session.number(&waits).await.ok().filter(|count| *count == 1);
            eventually(SOON, waits).await?;
            session.run("INSERT INTO t SELECT generate_series(1, 5)").await?;
            session.run(&format!("SELECT pg_cancel_backend({pid})")).await
        });
        written?;
        assert_eq!(rebuilt?.code, "57014");
        reader.run("COMMIT").await?;
        let left = session
            .number(&format!(
                "SELECT count(*) FROM pg_index WHERE indrelid = 'zerodb.outbox_{slot}'::regclass"
            ))
            .await?;
        assert!(left > 1, "the cancelled rebuild leaves its index");
        session.run("INSERT INTO t SELECT generate_series(6, 9)").await?;
        // A third one, which somebody has made on purpose.
        session
            .run(&format!(
                "CREATE INDEX more ON zerodb.outbox_{slot} (event_type, lower(bank_id)) WHERE ord > 0"
            ))
            .await?;
        session
            .run("INSERT INTO t SELECT generate_series(10, 12)")
            .await?;
        assert_eq!(found_and_there(&session).await?, (13, 13));
        session
            .run(&format!("{rebuild}; DROP INDEX zerodb.more"))
            .await
            .ok();
        session.run("INSERT INTO t VALUES (13)").await?;
        assert_eq!(found_and_there(&session).await?, (14, 14));
        Ok(())
    })
    .await
}

/// Without its index the log is slow to read, but it is written.
#[tokio::test]
async fn writes_go_on_without_an_index_and_with_another_one() -> Result<()> {
    on_every_server(async |db| {
        let session = stage(&db).await?;
        session
            .run("CREATE TABLE t (id int); SELECT zerodb.watch('t', 'app.thing'); INSERT INTO t VALUES (0)")
            .await?;
        session
            .run("ALTER EXTENSION zerodb_hooks DROP INDEX zerodb.outbox_key")
            .await
            .ok();
        session
            .run("DROP INDEX zerodb.outbox_key; INSERT INTO t VALUES (1)")
            .await?;
        session
            .run("CREATE INDEX other ON zerodb.outbox (event_type, created_at); INSERT INTO t VALUES (2)")
            .await?;
        session.run("SET enable_seqscan = off").await?;
        assert_eq!(
            session
                .number("SELECT count(*) FROM zerodb.outbox WHERE event_type = 'app.thing'")
                .await?,
            3
        );
        Ok(())
    })
    .await
}
