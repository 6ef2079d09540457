//! Writers of watched tables: whatever the layout of a table or the locks of others, a
//! write neither fails nor waits, and no row is read as if it were another.

use zerodb_hooks_harness::{Database, Result, Session, on_every_server};

use crate::actors::Stage;

/// A partitioned table of two parts whose columns are the same by name and differ in what was dropped and in their
/// order, with a row in the first. `junk` is the type of the first part's dropped column, and what is in it.
async fn parts(session: &Session, junk: (&str, &str)) -> Result<()> {
    let (type_name, value) = junk;
    session
        .run(&format!(
            "DROP TABLE IF EXISTS p;
            CREATE TABLE p (id int8, t text, n numeric DEFAULT 1.5) PARTITION BY LIST (id);
            CREATE TABLE a (id int8, junk {type_name}, t text, n numeric DEFAULT 1.5);
            INSERT INTO a VALUES (1, {value}, 'x');
            ALTER TABLE a DROP COLUMN junk;
            CREATE TABLE b (n numeric DEFAULT 1.5, junk text, t text, id int8);
            ALTER TABLE b DROP COLUMN junk;
            ALTER TABLE p ATTACH PARTITION a FOR VALUES IN (1);
            ALTER TABLE p ATTACH PARTITION b FOR VALUES IN (2);
            SELECT zerodb.watch('p', 'app.thing', operations => '{{update}}', update_of => '{{t,n}}')"
        ))
        .await
}

/// A database with an event type, of which everything is recorded.
pub async fn stage(db: &Database) -> Result<Session> {
    let session = db.session().await?;
    session
        .run(
            "SELECT zerodb.register_event_type('app.thing', 'app', '{id,note}', 'a thing');
            SET zerodb.capture = 'all'",
        )
        .await?;
    Ok(session)
}

/// Bytes that are a pointer, a length or a number, by what they are taken for.
const JUNK: [(&str, &str); 5] = [
    ("int8", "4294967292"),
    ("uuid", "'03010241-4141-4141-4100-000000000000'"),
    ("text", "repeat('y', 5000)"),
    ("bool", "true"),
    ("box", "'(1,2),(3,4)'"),
];

#[tokio::test]
async fn a_row_that_moves_is_read_as_it_was_written() -> Result<()> {
    on_every_server(async |db| {
        let session = stage(&db).await?;
        for junk in JUNK {
            parts(&session, junk).await?;
            session.run("TRUNCATE zerodb.outbox; UPDATE p SET id = 2").await?;
            assert_eq!(
                session.event_count().await?,
                0,
                "{junk:?}: no compared column has changed"
            );
            session.run("UPDATE p SET id = 1, t = t || 'y'").await?;
            assert_eq!(session.event_count().await?, 1, "{junk:?}");
            session.run("UPDATE p SET id = 2, n = 1.50").await?;
            assert_eq!(session.event_count().await?, 2, "{junk:?}: another image");
        }
        Ok(())
    })
    .await
}

/// The same columns at the same places: only what was dropped between them tells the two layouts apart.
#[tokio::test]
async fn a_row_that_moves_past_another_dropped_column_is_read_as_it_was_written() -> Result<()> {
    on_every_server(async |db| {
        let session = stage(&db).await?;
        for (type_name, value) in JUNK {
            session
                .run(&format!(
                    "DROP TABLE IF EXISTS p; TRUNCATE zerodb.outbox;
                    CREATE TABLE p (id int8, t text) PARTITION BY LIST (id);
                    CREATE TABLE a (id int8, junk {type_name}, t text); INSERT INTO a VALUES (1, {value}, 'x');
                    ALTER TABLE a DROP COLUMN junk;
                    CREATE TABLE b (id int8, junk text, t text); ALTER TABLE b DROP COLUMN junk;
                    ALTER TABLE p ATTACH PARTITION a FOR VALUES IN (1);
                    ALTER TABLE p ATTACH PARTITION b FOR VALUES IN (2);
                    SELECT zerodb.watch('p', 'app.thing', operations => '{{update}}', update_of => '{{t}}')"
                ))
                .await?;
            session.run("UPDATE p SET id = 2").await?;
            assert_eq!(session.event_count().await?, 0, "{type_name}");
            session.run("UPDATE p SET id = 1, t = 'y'").await?;
            assert_eq!(session.event_count().await?, 1, "{type_name}");
        }
        Ok(())
    })
    .await
}

/// Rows that were there before a column with a default do not hold it.
#[tokio::test]
async fn a_column_that_the_old_row_does_not_hold_has_its_default() -> Result<()> {
    on_every_server(async |db| {
        let session = stage(&db).await?;
        session
            .run(
                "CREATE TABLE p (id int) PARTITION BY LIST (id);
                CREATE TABLE a PARTITION OF p FOR VALUES IN (1); CREATE TABLE b PARTITION OF p FOR VALUES IN (2);
                INSERT INTO p VALUES (1);
                ALTER TABLE p ADD COLUMN note text DEFAULT 'given';
                SELECT zerodb.watch('p', 'app.thing', operations => '{update}', update_of => '{note}')",
            )
            .await?;
        session.run("UPDATE p SET id = 2").await?;
        assert_eq!(session.event_count().await?, 0);
        session.run("UPDATE p SET id = 1, note = 'other'").await?;
        assert_eq!(session.event_count().await?, 1);
        Ok(())
    })
    .await
}

/// A large value is fetched when the row leaves; the place that it was stored in may be gone when it arrives.
#[tokio::test]
async fn a_moved_value_that_is_stored_apart_is_compared_whole() -> Result<()> {
    on_every_server(async |db| {
        let session = stage(&db).await?;
        parts(&session, ("int4", "7")).await?;
        session
            .run("ALTER TABLE a ALTER t SET STORAGE EXTERNAL; UPDATE p SET t = repeat('large', 100000); TRUNCATE zerodb.outbox")
            .await?;
        session.run("UPDATE p SET id = 2").await?;
        assert_eq!(session.event_count().await?, 0);
        session.run("UPDATE p SET id = 1, t = t || '!'").await?;
        assert_eq!(session.event_count().await?, 1);
        Ok(())
    })
    .await
}

/// The half of a move that nobody waits for is not joined to a row of another table.
#[tokio::test]
async fn halves_of_moves_stay_with_their_table() -> Result<()> {
    on_every_server(async |db| {
        let session = stage(&db).await?;
        parts(&session, ("int4", "7")).await?;
        session
            .run(
                "CREATE TABLE q (LIKE p) PARTITION BY LIST (id); CREATE TABLE q1 PARTITION OF q DEFAULT;
                SELECT zerodb.watch('q', 'app.thing', operations => '{update}');
                DO $$ DECLARE t name; BEGIN
                    FOR t IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'p'::regclass AND (tgtype & 4) > 0 LOOP
                        EXECUTE format('DROP TRIGGER %I ON p', t);
                    END LOOP;
                END $$",
            )
            .await?;
        session
            .run("BEGIN; UPDATE p SET id = 2; INSERT INTO q VALUES (5, 'other'); COMMIT")
            .await?;
        assert_eq!(session.event_count().await?, 0);
        Ok(())
    })
    .await
}

/// What a statement writes through its table's children has their columns in the table's order.
#[tokio::test]
async fn rows_of_children_with_other_columns_are_read_as_the_parents() -> Result<()> {
    on_every_server(async |db| {
        let session = stage(&db).await?;
        session
            .run(
                "CREATE TABLE parent (id int, note text);
                CREATE TABLE child (junk uuid, note text, more int8, id int);
                ALTER TABLE child DROP COLUMN junk; ALTER TABLE child INHERIT parent;
                INSERT INTO child (id, note, more) VALUES (1, 'of the child', 8);
                SELECT zerodb.watch('parent', 'app.thing', operations => '{update,delete}')",
            )
            .await?;
        session.run("UPDATE parent SET id = id + 1").await?;
        session.run("DELETE FROM parent").await?;
        let data = session
            .texts("SELECT data FROM zerodb.outbox ORDER BY xid, ord")
            .await?;
        assert_eq!(data, [r#"{"id":2,"note":"of the child"}"#; 2]);
        Ok(())
    })
    .await
}

/// The session has seen the table before it was altered, also within one transaction.
#[tokio::test]
async fn what_is_known_of_a_table_follows_its_changes() -> Result<()> {
    on_every_server(async |db| {
        let (session, other) = (stage(&db).await?, db.session().await?);
        session
            .run("CREATE TABLE t (id int, note text); SELECT zerodb.watch('t', 'app.thing'); INSERT INTO t VALUES (1, 'a')")
            .await?;
        session
            .run(
                "BEGIN; ALTER TABLE t DROP COLUMN note; ALTER TABLE t ADD COLUMN note int8 DEFAULT 4294967292;
                INSERT INTO t VALUES (2); ROLLBACK; INSERT INTO t VALUES (3, 'c')",
            )
            .await?;
        other
            .run("ALTER TABLE t ALTER note TYPE int8 USING 4294967292; ALTER TABLE t ALTER id TYPE text")
            .await?;
        session.run("INSERT INTO t VALUES ('four', 4)").await?;
        let data = session.texts("SELECT data FROM zerodb.outbox ORDER BY xid, ord").await?;
        assert_eq!(
            data,
            [r#"{"id":1,"note":"a"}"#, r#"{"id":3,"note":"c"}"#, r#"{"id":"four","note":4}"#]
        );
        Ok(())
    })
    .await
}

/// The writer would rather record too much than wait.
#[tokio::test]
async fn a_writer_waits_for_no_lock_on_the_hooks() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let table = format!("{}.t", stage.victim_role);
        stage
            .victim
            .run(&format!(
                "CREATE TABLE {table} (id int); SELECT zerodb.watch('{table}', 'app.thing');
                SET lock_timeout = '1ms'"
            ))
            .await?;
        let insert = format!("INSERT INTO {table} VALUES (1)");
        stage.victim.run(&insert).await?;
        assert_eq!(stage.admin.event_count().await?, 0, "no hook wants it");
        // The event types and the bindings, too, for what the session has forgotten.
        stage
            .admin
            .run(
                "BEGIN; LOCK TABLE zerodb.zerodb_hooks, zerodb.event_type, zerodb.watch_tenant, zerodb.tenant_binding
                IN ACCESS EXCLUSIVE MODE",
            )
            .await?;
        let fresh = db.session_as(&stage.victim_role).await?;
        fresh.run(&format!("SET lock_timeout = '1ms'; {insert}")).await?;
        stage.admin.run("COMMIT").await?;
        assert_eq!(stage.admin.event_count().await?, 1, "it might have been wanted");
        fresh.run(&insert).await?;
        assert_eq!(stage.admin.event_count().await?, 1, "nothing of that was remembered");
        for lock in ["ACCESS SHARE", "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE"] {
            let locked = stage.mallory.run(&format!("BEGIN; LOCK TABLE zerodb.zerodb_hooks IN {lock} MODE; COMMIT")).await;
            assert_eq!(locked.is_ok(), lock == "ACCESS SHARE", "{lock}");
            stage.mallory.run("ROLLBACK").await?;
        }
        Ok(())
    })
    .await
}
