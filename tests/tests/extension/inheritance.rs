//! Tables under others, by classic inheritance and as partitions that were tables before: each write is told once, and
//! what is not told is said in zerodb.watches.

use zerodb_hooks_harness::{Result, Session, on_every_server};

use crate::EVERYTHING;

const WATCH: &str = "'t.any', '{}', '{insert,update,delete}'";

async fn ready(session: &Session, tables: &str) -> Result<()> {
    session.run(tables).await?;
    session
        .run("SELECT zerodb.register_event_type('t.any', 'app', '{id,v}', 'a write')")
        .await?;
    session.run(EVERYTHING).await
}

/// How many events a statement makes.
async fn made(session: &Session, statement: &str) -> Result<i64> {
    let before = session.event_count().await?;
    session.run(statement).await?;
    Ok(session.event_count().await? - before)
}

async fn missed(session: &Session, table: &str) -> Result<Vec<String>> {
    session
        .texts(&format!(
            "SELECT missed FROM zerodb.watches WHERE target = '{table}'::regclass"
        ))
        .await
}

#[tokio::test]
async fn heirs_of_a_watched_table_are_watched_with_it() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        ready(
            &session,
            "CREATE TABLE base (id int PRIMARY KEY, v text); CREATE TABLE child (extra text) INHERITS (base);
            CREATE TABLE grandchild () INHERITS (child)",
        )
        .await?;
        session
            .run(&format!("SELECT zerodb.watch('base', {WATCH})"))
            .await?;
        assert_eq!(made(&session, "INSERT INTO base VALUES (1, 'a')").await?, 1);
        assert_eq!(made(&session, "INSERT INTO child VALUES (2, 'b', 'x')").await?, 1);
        assert_eq!(
            made(&session, "INSERT INTO grandchild VALUES (3, 'c', 'x')").await?,
            1
        );
        assert_eq!(
            made(&session, "UPDATE base SET v = 'z'").await?,
            3,
            "through the parent, once a row"
        );
        assert_eq!(made(&session, "UPDATE child SET v = 'y'").await?, 2);
        assert_eq!(made(&session, "DELETE FROM grandchild").await?, 1);
        assert_eq!(made(&session, "DELETE FROM base").await?, 2);
        // One that comes later is covered by the next call, and told until then.
        session.run("CREATE TABLE late () INHERITS (base)").await?;
        assert_eq!(missed(&session, "base").await?, ["writes to public.late"]);
        assert_eq!(made(&session, "INSERT INTO late VALUES (4, 'd')").await?, 0);
        session
            .run(&format!("SELECT zerodb.watch('base', {WATCH})"))
            .await?;
        assert_eq!(made(&session, "INSERT INTO late VALUES (5, 'e')").await?, 1);
        assert!(missed(&session, "base").await?.is_empty());
        session.run("SELECT zerodb.unwatch('base')").await?;
        assert_eq!(session.number("SELECT count(*) FROM zerodb.watches").await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_heir_can_be_watched_by_itself() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        ready(
            &session,
            "CREATE TABLE base (id int PRIMARY KEY, v text); CREATE TABLE child () INHERITS (base)",
        )
        .await?;
        session
            .run(&format!("SELECT zerodb.watch('child', {WATCH})"))
            .await?;
        assert_eq!(made(&session, "INSERT INTO child VALUES (1, 'a')").await?, 1);
        assert_eq!(made(&session, "INSERT INTO base VALUES (2, 'b')").await?, 0);
        assert_eq!(missed(&session, "child").await?, ["writes through public.base"]);
        session
            .run(&format!("SELECT zerodb.watch('base', {WATCH})"))
            .await?;
        assert_eq!(made(&session, "UPDATE base SET v = 'c'").await?, 2);
        assert!(missed(&session, "child").await?.is_empty());
        // A table that is watched becomes an heir.
        session
            .run("CREATE TABLE solo (id int PRIMARY KEY, v text)")
            .await?;
        session
            .run(&format!("SELECT zerodb.watch('solo', {WATCH})"))
            .await?;
        session.run("ALTER TABLE solo INHERIT base").await?;
        assert_eq!(made(&session, "INSERT INTO solo VALUES (5, 's')").await?, 1);
        assert_eq!(made(&session, "UPDATE base SET v = 'q' WHERE id = 5").await?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_watched_table_that_becomes_a_partition_is_told_and_never_doubled() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        ready(
            &session,
            "CREATE TABLE orders (id int NOT NULL, day date NOT NULL, v text, PRIMARY KEY (id, day))",
        )
        .await?;
        session
            .run(&format!("SELECT zerodb.watch('orders', {WATCH})"))
            .await?;
        session
            .run(
                "ALTER TABLE orders RENAME TO old; ALTER INDEX orders_pkey RENAME TO old_pkey;
                CREATE TABLE orders (LIKE old INCLUDING ALL) PARTITION BY RANGE (day);
                ALTER TABLE orders ATTACH PARTITION old FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
                CREATE TABLE february PARTITION OF orders FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
            )
            .await?;
        assert_eq!(missed(&session, "old").await?, ["writes through public.orders"]);
        session
            .run(&format!("SELECT zerodb.watch('orders', {WATCH})"))
            .await?;
        assert!(missed(&session, "old").await?.is_empty());
        assert_eq!(
            made(
                &session,
                "INSERT INTO orders VALUES (1, '2026-01-03', 'a'), (2, '2026-02-03', 'b')"
            )
            .await?,
            2
        );
        assert_eq!(
            made(&session, "INSERT INTO old VALUES (3, '2026-01-05', 'c')").await?,
            1
        );
        assert_eq!(made(&session, "UPDATE orders SET v = 'x'").await?, 3);
        assert_eq!(
            made(&session, "UPDATE orders SET day = '2026-02-09' WHERE id = 1").await?,
            1
        );
        assert_eq!(made(&session, "DELETE FROM old").await?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn watched_tables_are_attached_detached_and_attached_again() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        ready(
            &session,
            "CREATE TABLE orders (id int, k int, v text) PARTITION BY LIST (k); CREATE TABLE one PARTITION OF orders FOR VALUES IN (1);
            CREATE TABLE two (LIKE orders); CREATE TABLE deep (LIKE orders) PARTITION BY LIST (id); CREATE TABLE deep1 PARTITION OF deep DEFAULT",
        )
        .await?;
        for table in ["orders", "two", "deep"] {
            session.run(&format!("SELECT zerodb.watch('{table}', {WATCH})")).await?;
        }
        session
            .run(
                "ALTER TABLE orders ATTACH PARTITION two FOR VALUES IN (2);
                ALTER TABLE orders ATTACH PARTITION deep FOR VALUES IN (3)",
            )
            .await?;
        assert_eq!(made(&session, "INSERT INTO orders VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')").await?, 3);
        assert_eq!(made(&session, "INSERT INTO two VALUES (4, 2, 'd')").await?, 1);
        assert_eq!(made(&session, "INSERT INTO deep VALUES (5, 3, 'e')").await?, 1);
        assert_eq!(made(&session, "UPDATE orders SET k = k % 3 + 1").await?, 5, "moves between all of them");
        assert_eq!(made(&session, "DELETE FROM deep").await?, 2);
        session.run("ALTER TABLE orders DETACH PARTITION one").await?;
        assert_eq!(made(&session, "DELETE FROM one").await?, 0, "its watch was that of the whole");
        session.run(&format!("SELECT zerodb.watch('one', {WATCH})")).await?;
        session.run("ALTER TABLE orders ATTACH PARTITION one FOR VALUES IN (1)").await?;
        assert_eq!(made(&session, "INSERT INTO orders VALUES (7, 1, 'g')").await?, 1);
        session.run("ALTER TABLE orders DETACH PARTITION two CONCURRENTLY").await?;
        assert_eq!(made(&session, "INSERT INTO two VALUES (8, 2, 'h')").await?, 1, "by its own triggers again");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_watch_whose_triggers_were_switched_off_is_told_and_switched_on_again() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        ready(
            &session,
            "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE parts (id int, v text) PARTITION BY LIST (id);
            CREATE TABLE part PARTITION OF parts DEFAULT",
        )
        .await?;
        for table in ["t", "parts"] {
            let leaf = if table == "t" { "t" } else { "part" };
            let watch = format!("SELECT zerodb.watch('{table}', {WATCH})");
            session.run(&watch).await?;
            session.run(&format!("ALTER TABLE {leaf} DISABLE TRIGGER ALL")).await?;
            assert_eq!(made(&session, &format!("INSERT INTO {table} VALUES (1, 'a')")).await?, 0);
            assert_eq!(missed(&session, table).await?, ["writes while its triggers are disabled"]);
            session.run(&watch).await?;
            assert_eq!(made(&session, &format!("INSERT INTO {table} VALUES (2, 'b')")).await?, 1, "{table}");
            session.run(&format!("ALTER TABLE {leaf} ENABLE TRIGGER ALL")).await?;
            assert_eq!(missed(&session, table).await?, ["writes of replication"]);
            session.run(&watch).await?;
            assert!(missed(&session, table).await?.is_empty());
            let replicated = format!("SET session_replication_role = replica; INSERT INTO {table} VALUES (3, 'c'); RESET session_replication_role");
            assert_eq!(made(&session, &replicated).await?, 1, "{table}");
        }
        Ok(())
    })
    .await
}
