//! Rows that move between partitions while triggers of others interfere: each write is told once, as what it was.

use zerodb_hooks_harness::{Result, Session, on_every_server};

use crate::EVERYTHING;

const OPERATIONS: &str = "'{insert,update,delete}'";

/// A table in two partitions, whose writes are `p.any`, and a function that keeps a row from being written.
async fn in_two(session: &Session, update_of: &str) -> Result<()> {
    session
        .run(&format!(
            "CREATE TABLE p (id int, k int, v text) PARTITION BY LIST (k);
            CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
            CREATE TABLE p3 PARTITION OF p DEFAULT;
            CREATE FUNCTION nope() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            SELECT zerodb.register_event_type('p.any', 'app', '{{id,k,v}}', 'a write');
            SELECT zerodb.watch('p', 'p.any', '{{}}', {OPERATIONS}, {update_of})"
        ))
        .await?;
    session.run(EVERYTHING).await
}

/// The same, and no row gets into the second partition.
async fn second_refuses(session: &Session) -> Result<()> {
    in_two(session, "NULL").await?;
    session
        .run("CREATE TRIGGER nope BEFORE INSERT ON p2 FOR EACH ROW EXECUTE FUNCTION nope()")
        .await
}

/// The log as `id k v`, in order. The type is one, so that what is missing or doubled is seen.
async fn told(session: &Session) -> Result<Vec<String>> {
    session
        .texts("SELECT concat_ws(' ', data ->> 'id', data ->> 'k', data ->> 'v') FROM zerodb.outbox ORDER BY xid, ord")
        .await
}

#[tokio::test]
async fn a_row_that_is_kept_out_of_its_partition_was_deleted() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        second_refuses(&session).await?;
        session.run("INSERT INTO p VALUES (1, 1, 'a'), (2, 1, 'b')").await?;
        // Alone in its transaction; before an insert that is no second half; one of two; and under a savepoint.
        session.run("UPDATE p SET k = 2 WHERE id = 1").await?;
        session
            .run("INSERT INTO p VALUES (3, 1, 'c'), (4, 1, 'd'), (5, 1, 'e')")
            .await?;
        session
            .run("BEGIN; UPDATE p SET k = 2 WHERE id = 2; INSERT INTO p VALUES (6, 1, 'f'); COMMIT")
            .await?;
        session
            .run("UPDATE p SET k = CASE id WHEN 3 THEN 2 ELSE 3 END WHERE id IN (3, 4)")
            .await?;
        session
            .run("BEGIN; SAVEPOINT s; UPDATE p SET k = 2 WHERE id = 5; ROLLBACK TO s; SAVEPOINT t; UPDATE p SET k = 2 WHERE id = 6; RELEASE t; COMMIT")
            .await?;
        assert_eq!(
            told(&session).await?,
            ["1 1 a", "2 1 b", "1 1 a", "3 1 c", "4 1 d", "5 1 e", "2 1 b", "6 1 f", "3 1 c", "4 3 d", "6 1 f"]
        );
        assert_eq!(session.texts("SELECT id::text FROM p ORDER BY id").await?, ["4", "5"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_triggers_write_between_the_halves_is_told_as_what_it_is() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        in_two(&session, "NULL").await?;
        session
            .run(
                "CREATE FUNCTION tombstone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF old.id > 0 THEN INSERT INTO public.p VALUES (-old.id, 3, 'gone'); END IF; RETURN NULL; END $$;
                CREATE TRIGGER zz_tombstone AFTER DELETE ON p FOR EACH ROW EXECUTE FUNCTION tombstone()",
            )
            .await?;
        session.run("INSERT INTO p VALUES (1, 1, 'a')").await?;
        session.run("UPDATE p SET k = 2 WHERE id = 1").await?;
        assert_eq!(told(&session).await?, ["1 1 a", "-1 3 gone", "1 2 a"]);
        let changed = "SELECT count(*) FROM zerodb.outbox";
        session.run("SELECT zerodb.unwatch('p')").await?;
        session
            .run(&format!("SELECT zerodb.watch('p', 'p.any', '{{}}', {OPERATIONS}, '{{v}}')"))
            .await?;
        let before = session.number(changed).await?;
        session.run("UPDATE p SET k = 1 WHERE id = 1").await?;
        assert_eq!(
            session.number(changed).await? - before,
            1,
            "the tombstone alone: no compared column of the row has changed"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_move_whose_insert_is_kept_out_is_told_when_the_transaction_is_prepared() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        second_refuses(&session).await?;
        session.run("INSERT INTO p VALUES (1, 1, 'a')").await?;
        session.run("BEGIN; UPDATE p SET k = 2").await?;
        session.run("PREPARE TRANSACTION 'moved'").await?;
        session.run("COMMIT PREPARED 'moved'").await?;
        assert_eq!(told(&session).await?, ["1 1 a", "1 1 a"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn two_watches_of_one_table_each_see_a_move_once() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        in_two(&session, "NULL").await?;
        session
            .run("SELECT zerodb.register_event_type('p.other', 'app', '{id,v}', 'a write'); SELECT zerodb.watch('p', 'p.other', '{}', '{insert,update}')")
            .await?;
        session.run("INSERT INTO p VALUES (1, 1, 'a')").await?;
        session.run("UPDATE p SET k = 2; UPDATE p SET k = 3").await?;
        let counted = session
            .texts("SELECT event_type || ' ' || count(*) FROM zerodb.outbox GROUP BY event_type ORDER BY 1")
            .await?;
        assert_eq!(counted, ["p.any 3", "p.other 3"]);
        Ok(())
    })
    .await
}
