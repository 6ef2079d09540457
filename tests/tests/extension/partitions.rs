//! Partitioned tables: whichever way a row gets into, out of or between partitions.

use zerodb_hooks_harness::{Database, Result, Session, on_every_server};

use crate::{EVERYTHING, watch_all, written};

async fn partitioned(db: &Database) -> Result<Session> {
    let session = db.session().await?;
    session
        .run(
            "CREATE TABLE log (id int, name text, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
            CREATE TABLE log_eu PARTITION OF log FOR VALUES IN ('eu');
            CREATE TABLE log_us PARTITION OF log FOR VALUES IN ('us')",
        )
        .await?;
    session.run(&watch_all("log")).await?;
    session.run(EVERYTHING).await?;
    Ok(session)
}

#[tokio::test]
async fn writes_through_the_parent_count() -> Result<()> {
    on_every_server(async |db| {
        let session = partitioned(&db).await?;
        session
            .run("INSERT INTO log VALUES (1, 'a', 'eu'), (2, 'b', 'us')")
            .await?;
        session.run("UPDATE log SET name = 'c' WHERE id = 2").await?;
        session.run("UPDATE log SET name = name").await?;
        session.run("DELETE FROM log WHERE id = 1").await?;
        assert_eq!(
            written(&session).await?,
            ["inserted 1", "inserted 2", "updated 2", "deleted 1"]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn writes_directly_into_a_partition_count_and_name_the_partitioned_table() -> Result<()> {
    on_every_server(async |db| {
        let session = partitioned(&db).await?;
        session.run("INSERT INTO log_eu VALUES (1, 'a', 'eu')").await?;
        session.run("UPDATE log_eu SET name = 'b'").await?;
        session.run("DELETE FROM log_eu").await?;
        assert_eq!(written(&session).await?, ["inserted 1", "updated 1", "deleted 1"]);
        let tables = session
            .texts("SELECT DISTINCT data ->> 'table_name' || relid::regclass FROM zerodb.outbox")
            .await?;
        assert_eq!(tables, ["loglog"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn partitions_made_or_attached_later_count() -> Result<()> {
    on_every_server(async |db| {
        let session = partitioned(&db).await?;
        session
            .run("CREATE TABLE log_ap PARTITION OF log FOR VALUES IN ('ap')")
            .await?;
        // Its columns are in another order, and one is gone.
        session
            .run(
                "CREATE TABLE log_af (region text NOT NULL, gone int, name text, id int NOT NULL);
                ALTER TABLE log_af DROP COLUMN gone;
                ALTER TABLE log ATTACH PARTITION log_af FOR VALUES IN ('af')",
            )
            .await?;
        session
            .run("INSERT INTO log VALUES (1, 'a', 'ap'), (2, 'b', 'af')")
            .await?;
        session
            .run("INSERT INTO log_af (id, region) VALUES (3, 'af')")
            .await?;
        session.run("UPDATE log_af SET name = 'x' WHERE id = 3").await?;
        session.run("DELETE FROM log_ap").await?;
        let all = written(&session).await?;
        assert_eq!(
            all,
            ["inserted 1", "inserted 2", "inserted 3", "updated 3", "deleted 1"]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn partitions_of_partitions_count() -> Result<()> {
    on_every_server(async |db| {
        let session = partitioned(&db).await?;
        session
            .run(
                "CREATE TABLE log_as PARTITION OF log FOR VALUES IN ('as') PARTITION BY RANGE (id);
                CREATE TABLE log_as_1 PARTITION OF log_as FOR VALUES FROM (0) TO (10)",
            )
            .await?;
        session.run("INSERT INTO log VALUES (1, 'a', 'as')").await?;
        session.run("INSERT INTO log_as_1 VALUES (2, 'a', 'as')").await?;
        assert_eq!(written(&session).await?, ["inserted 1", "inserted 2"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_row_that_moves_between_partitions_is_one_update() -> Result<()> {
    on_every_server(async |db| {
        let session = partitioned(&db).await?;
        session
            .run("INSERT INTO log VALUES (1, 'a', 'eu'), (2, 'b', 'eu'), (3, 'c', 'us')")
            .await?;
        session
            .run("UPDATE log SET region = CASE region WHEN 'eu' THEN 'us' ELSE 'eu' END")
            .await?;
        let mut after = written(&session).await?.split_off(3);
        after.sort();
        assert_eq!(after, ["updated 1", "updated 2", "updated 3"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_move_counts_by_the_columns_of_update_of() -> Result<()> {
    on_every_server(async |db| {
        let session = partitioned(&db).await?;
        session
            .run(
                "SELECT zerodb.unwatch('log');
                SELECT zerodb.watch('log', 'zerodb.table.row_updated', '{}', '{update}', '{name}')",
            )
            .await?;
        session
            .run("INSERT INTO log VALUES (1, 'a', 'eu'), (2, 'b', 'eu')")
            .await?;
        session.run("UPDATE log SET region = 'us' WHERE id = 1").await?;
        session
            .run("UPDATE log SET region = 'us', name = 'B' WHERE id = 2")
            .await?;
        assert_eq!(written(&session).await?, ["updated 2"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_move_that_a_savepoint_undid_leaves_nothing_behind() -> Result<()> {
    on_every_server(async |db| {
        let session = partitioned(&db).await?;
        session.run("INSERT INTO log VALUES (1, 'a', 'eu')").await?;
        session
            .run(
                "BEGIN; SAVEPOINT s; UPDATE log SET region = 'us'; ROLLBACK TO s;
                INSERT INTO log VALUES (2, 'b', 'us'); DELETE FROM log WHERE id = 1; COMMIT",
            )
            .await?;
        assert_eq!(
            written(&session).await?,
            ["inserted 1", "inserted 2", "deleted 1"]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_detached_partition_is_watched_no_more() -> Result<()> {
    on_every_server(async |db| {
        let session = partitioned(&db).await?;
        session.run("ALTER TABLE log DETACH PARTITION log_eu").await?;
        session.run("INSERT INTO log_eu VALUES (1, 'a', 'eu')").await?;
        session.run("INSERT INTO log VALUES (2, 'a', 'us')").await?;
        assert_eq!(written(&session).await?, ["inserted 2"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn several_vectors_in_partitions_record_their_batch_event() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run(
                "CREATE TABLE v (id int, k int) PARTITION BY LIST (k);
                CREATE TABLE v1 PARTITION OF v DEFAULT;
                SELECT zerodb.watch('v', 'zerodb.vector.stored', '{\"vector_id\": \"id\"}')",
            )
            .await?;
        session.run(EVERYTHING).await?;
        session
            .run("INSERT INTO v SELECT n, n FROM generate_series(1, 3) AS n")
            .await?;
        let types = session.event_types().await?;
        assert_eq!(
            types
                .iter()
                .filter(|name| *name == "zerodb.vector.stored")
                .count(),
            3
        );
        assert_eq!(
            types
                .iter()
                .filter(|name| *name == "zerodb.vector.batch_stored")
                .count(),
            1
        );
        Ok(())
    })
    .await
}
