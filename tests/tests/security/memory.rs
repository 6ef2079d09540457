//! What does not fit: large values and events are recorded without what is large, and running out of memory is an
//! error of one statement, never the end of the server.

use serde_json::json;
use zerodb_hooks_harness::{Cluster, Launch, PgVersion, Result, Session, on_every_server};

const WATCHED: &str =
    "SELECT zerodb.register_event_type('app.thing', 'app', '{id,note,more,user_id}', 'a thing');
    CREATE TABLE t (id int, note text, more jsonb);
    SELECT zerodb.watch('t', 'app.thing'); SET zerodb.capture = 'all'";

#[tokio::test]
async fn a_row_that_is_too_large_is_recorded_without_its_large_fields() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(WATCHED).await?;
        let mega = 1024 * 1024;
        for (values, truncated) in [
            // Each alone is too large, as it is and only when it is written as JSON.
            (format!("1, repeat('x', {mega}), '1'"), json!(["note"])),
            (format!("2, repeat(chr(1), {mega} / 3), '1'"), json!(["note"])),
            (
                format!("3, 'small', to_jsonb(repeat('y', {mega}))"),
                json!(["more"]),
            ),
            // Together they are; the larger one goes.
            (
                "4, repeat('x', 600000), to_jsonb(repeat('y', 700000))".to_owned(),
                json!(["more"]),
            ),
            (
                format!("5, repeat('x', 2 * {mega}), to_jsonb(repeat('y', 2 * {mega}))"),
                json!(["note", "more"]),
            ),
        ] {
            session.run(&format!("INSERT INTO t VALUES ({values})")).await?;
            let data = session
                .json("SELECT data FROM zerodb.outbox ORDER BY xid DESC, ord DESC LIMIT 1")
                .await?;
            assert_eq!(data["_truncated"], truncated, "{values}");
            for field in ["note", "more"] {
                let gone = truncated
                    .as_array()
                    .is_some_and(|names| names.contains(&json!(field)));
                assert_eq!(data[field].is_null(), gone, "{values}: {field}");
            }
            assert!(data["id"].is_number(), "{values}");
        }
        session
            .run("INSERT INTO t VALUES (6, repeat('x', 1000000), '1')")
            .await?;
        let whole = session
            .json("SELECT data FROM zerodb.outbox ORDER BY xid DESC, ord DESC LIMIT 1")
            .await?;
        assert_eq!(whole["_truncated"], json!(null));
        assert_eq!(whole["note"].as_str().map(str::len), Some(1_000_000));
        Ok(())
    })
    .await
}

/// Its JSON would be larger than any value of Postgres.
#[tokio::test]
async fn a_value_whose_json_postgres_cannot_hold_does_not_fail_the_write() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(WATCHED).await?;
        session
            .run("INSERT INTO t VALUES (1, repeat(chr(1), 200000000))")
            .await?;
        let data = session.json("SELECT data FROM zerodb.outbox").await?;
        assert_eq!(
            data,
            json!({"id": 1, "note": null, "more": null, "user_id": null, "_truncated": ["note"]})
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_limit_is_an_administrators() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(WATCHED).await?;
        session
            .run("SET zerodb.max_event_size = '1kB'; INSERT INTO t VALUES (1, repeat('x', 2000))")
            .await?;
        session
            .run("SET zerodb.max_event_size = '4MB'; INSERT INTO t VALUES (2, repeat('x', 3000000))")
            .await?;
        let notes = "SELECT coalesce(length(data ->> 'note'), 0) FROM zerodb.outbox ORDER BY ord, xid";
        assert_eq!(session.texts(notes).await?, ["0", "3000000"]);
        assert_eq!(
            session.error("SET zerodb.max_event_size = '17MB'").await?.code,
            "22023"
        );
        let role = db.create_role("app").await?;
        session
            .run(&format!("SELECT zerodb.grant_user('{role}')"))
            .await?;
        let app = db.session_as(&role).await?;
        // The library is loaded from here on.
        app.run("SELECT zerodb._lexical_model()").await?;
        assert_eq!(
            app.error("SET zerodb.max_event_size = '2MB'").await?.code,
            "42501"
        );
        Ok(())
    })
    .await
}

/// Many large rows, and many users, in one statement.
#[tokio::test]
async fn every_row_of_a_large_statement_is_recorded_once_and_in_order() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(WATCHED).await?;
        session
            .run("INSERT INTO t SELECT i, repeat('x', 300000), to_jsonb(i) FROM generate_series(1, 30) AS i")
            .await?;
        session
            .run("INSERT INTO t SELECT i FROM generate_series(31, 2100) AS i")
            .await?;
        let wrong = "SELECT count(*) FROM (SELECT (data ->> 'id')::int AS id, row_number() OVER (ORDER BY xid, ord) AS n
            FROM zerodb.outbox) AS o WHERE id <> n";
        assert_eq!(session.number(wrong).await?, 0);
        assert_eq!(session.event_count().await?, 2100);
        Ok(())
    })
    .await
}

/// A server whose processes may each use little memory, and two sessions of it.
async fn small_server(version: &PgVersion) -> Result<(Cluster, Session, Session)> {
    let cluster = Cluster::start_as(version, &["shared_buffers = '16MB'"], |_| Launch {
        behind: ["prlimit", "--as=450000000"].map(str::to_owned).to_vec(),
        variables: Vec::new(),
    })?;
    let session = cluster.session("postgres").await?;
    session.run("CREATE EXTENSION zerodb_hooks").await?;
    session.run(WATCHED).await?;
    let witness = cluster.session("postgres").await?;
    witness.run("SELECT 1").await?;
    Ok((cluster, session, witness))
}

#[tokio::test]
async fn a_statement_of_many_large_rows_needs_memory_for_one() -> Result<()> {
    for version in PgVersion::present() {
        let (_cluster, session, witness) = small_server(version).await?;
        session
            .run("INSERT INTO t SELECT i, repeat(md5(i::text), 900000) FROM generate_series(1, 25) AS i")
            .await?;
        session
            .run("SET zerodb.max_event_size = '16MB'; INSERT INTO t SELECT i, repeat(md5(i::text), 400000) FROM generate_series(1, 40) AS i")
            .await?;
        assert_eq!(session.event_count().await?, 65);
        witness.run("SELECT 1").await?;
    }
    Ok(())
}

/// The session has used up what it may have before it writes, down to the last kilobyte.
#[tokio::test]
async fn no_memory_at_all_is_an_error_of_the_statement() -> Result<()> {
    for version in PgVersion::present() {
        let (_cluster, session, witness) = small_server(version).await?;
        session.run("SET zerodb.max_event_size = '16MB'").await?;
        for (step, least) in [(64_000_000, 0), (1_000_000, 100), (100_000, 1000)] {
            let error = session
                .error(&format!(
                    "DO $$ DECLARE hoard text[]; n int := 0; BEGIN
                        LOOP
                            hoard[n] := repeat('x', {step}); n := n + 1;
                            IF n >= {least} THEN
                                INSERT INTO t SELECT i, 'small', to_jsonb(repeat('y', 2000)) FROM generate_series(1, 50) AS i;
                            END IF;
                        END LOOP;
                    END $$"
                ))
                .await?;
            assert_eq!(error.code, "53200", "{step}: {error:?}");
            witness.run("SELECT 1").await?;
            session.run("INSERT INTO t VALUES (1)").await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_text_that_is_too_long_to_embed_is_refused() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let embed = |length: usize| {
            format!(
                "SELECT cardinality(zerodb._lexical_embedding(repeat('word ', {}), 256))",
                length / 5
            )
        };
        assert_eq!(session.number(&embed(100_000)).await?, 256);
        let error = session.error(&embed(2_000_000)).await?;
        assert_eq!(error.code, "54000", "{error:?}");
        assert!(error.hint.is_some());
        Ok(())
    })
    .await
}
