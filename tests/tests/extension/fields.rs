//! What the data of an event says, for each type of column.

use serde_json::{Value, json};
use zerodb_hooks_harness::{Result, on_every_server};

use crate::EVERYTHING;

/// The data of the event of one row of a table with one column `value` of a type, written as an SQL expression.
async fn rendered(session: &zerodb_hooks_harness::Session, column: &str, expression: &str) -> Result<Value> {
    session
        .run(&format!(
            "DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, value {column});
            SELECT zerodb.watch('t', 'test.rendered')"
        ))
        .await?;
    session
        .run(&format!("INSERT INTO t VALUES (1, {expression})"))
        .await?;
    session
        .json("SELECT data -> 'value' FROM zerodb.outbox ORDER BY xid DESC LIMIT 1")
        .await
}

const REGISTER: &str = "SELECT zerodb.register_event_type('test.rendered', 'test', '{id,value}', 'a value')";

/// Each as Postgres' own to_json renders it, and as given.
async fn check(cases: &'static [(&'static str, &'static str, &'static str)]) -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(REGISTER).await?;
        session.run(EVERYTHING).await?;
        for (column, expression, expected) in cases {
            let seen = rendered(&session, column, expression).await?;
            let expected: Value = serde_json::from_str(expected)?;
            assert_eq!(seen, expected, "{column} {expression}");
            let own = format!("SELECT coalesce(to_json(({expression})::{column}), 'null')");
            assert_eq!(
                seen,
                session.json(&own).await?,
                "to_json of {column} {expression}"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn numbers_and_booleans() -> Result<()> {
    check(&[
        ("boolean", "true", "true"),
        ("boolean", "false", "false"),
        ("smallint", "-32768", "-32768"),
        ("int", "-2147483648", "-2147483648"),
        ("bigint", "9223372036854775807", "9223372036854775807"),
        ("numeric", "12.50", "12.50"),
        ("numeric", "'NaN'", "\"NaN\""),
        ("real", "1.5", "1.5"),
        ("float8", "'-Infinity'", "\"-Infinity\""),
        ("float8", "1e300", "1e300"),
    ])
    .await
}

#[tokio::test]
async fn texts_with_quotes_control_characters_and_many_bytes() -> Result<()> {
    check(&[
        ("text", "'plain'", "\"plain\""),
        ("text", "''", "\"\""),
        ("text", r#"'say "hi" \ there'"#, r#""say \"hi\" \\ there""#),
        (
            "text",
            r"E'a\nb\tc\rd\u0001e\u001ff\bg\fh'",
            r#""a\nb\tc\rd\u0001e\u001ff\bg\fh""#,
        ),
        ("text", "'größe 日本 🚀'", "\"größe 日本 🚀\""),
        ("varchar(10)", "'v'", "\"v\""),
        ("char(4)", "'ab'", "\"ab  \""),
        ("name", "'n'", "\"n\""),
    ])
    .await
}

#[tokio::test]
async fn times_ids_and_json() -> Result<()> {
    check(&[
        (
            "uuid",
            "'AAAAAAAA-0000-4000-8000-000000000001'",
            "\"aaaaaaaa-0000-4000-8000-000000000001\"",
        ),
        ("date", "'2026-01-02'", "\"2026-01-02\""),
        (
            "timestamp",
            "'2026-01-02 03:04:05.6'",
            "\"2026-01-02T03:04:05.6\"",
        ),
        ("timestamptz", "'infinity'", "\"infinity\""),
        (
            "jsonb",
            r#"'{"a": [1, null, "x\"y"]}'"#,
            r#"{"a": [1, null, "x\"y"]}"#,
        ),
        ("json", r#"'{"a" :  1}'"#, r#"{"a": 1}"#),
        ("bytea", r"'\x00ff'", r#""\\x00ff""#),
        ("inet", "'10.0.0.1'", "\"10.0.0.1\""),
        ("interval", "'1 day'", "\"1 day\""),
    ])
    .await
}

#[tokio::test]
async fn arrays_and_null() -> Result<()> {
    check(&[
        ("text", "NULL", "null"),
        ("int[]", "'{1,2,NULL}'", "[1,2,null]"),
        ("text[]", r#"'{a,"b c",NULL}'"#, r#"["a","b c",null]"#),
        ("int[]", "'{{1,2},{3,4}}'", "[[1,2],[3,4]]"),
        ("int[]", "'{}'", "[]"),
        ("bool[]", "'{t,f}'", "[true,false]"),
    ])
    .await
}

#[tokio::test]
async fn domains_enums_and_rows() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(REGISTER).await?;
        session.run(EVERYTHING).await?;
        session
            .run(
                "CREATE DOMAIN amount AS numeric CHECK (value > 0); CREATE TYPE mood AS ENUM ('ok', 'sad');
                CREATE TYPE pair AS (a int, b text)",
            )
            .await?;
        assert_eq!(rendered(&session, "amount", "12").await?, json!(12));
        assert_eq!(rendered(&session, "mood", "'sad'").await?, json!("sad"));
        assert_eq!(
            rendered(&session, "pair", "ROW(1, 'x')").await?,
            json!({"a": 1, "b": "x"})
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_long_text_is_kept_whole() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(REGISTER).await?;
        session.run(EVERYTHING).await?;
        let seen = rendered(&session, "text", "repeat('abcdefghij', 100000)").await?;
        assert_eq!(seen.as_str().map(str::len), Some(1_000_000));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_field_takes_a_column_of_another_name_or_a_constant() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("CREATE TABLE emb (pk bigint PRIMARY KEY, ns text, owner uuid)").await?;
        session
            .run(
                r#"SELECT zerodb.watch('emb', 'zerodb.vector.stored',
                '{"namespace": "ns", "source": {"value": {"kind": "import", "n": [1]}}, "user_id": "owner"}')"#,
            )
            .await?;
        session.run(EVERYTHING).await?;
        session.run(&format!("INSERT INTO emb VALUES (5, 'docs', '{}')", crate::ALICE)).await?;
        let expected = json!({"vector_id": 5, "project_id": null, "namespace": "docs",
            "source": {"kind": "import", "n": [1]}, "user_id": crate::ALICE});
        assert_eq!(session.events().await?[0].data, expected);
        assert_eq!(session.text("SELECT user_id FROM zerodb.events").await?, crate::ALICE);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_fields_stand_in_the_order_of_the_type() -> Result<()> {
    on_every_server(async |db| {
        let session = crate::watched(&db).await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        let text = session.text("SELECT data::text FROM zerodb.outbox").await?;
        assert_eq!(
            text,
            r#"{"table_name":"item","row_id":1,"project_id":null,"user_id":null}"#
        );
        Ok(())
    })
    .await
}

/// As hstore is one: to_json asks the cast, for the value itself, in domains, arrays and rows.
#[tokio::test]
async fn a_type_with_a_cast_to_json_is_written_by_it() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(REGISTER).await?;
        session.run(EVERYTHING).await?;
        session
            .run(
                "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE FUNCTION told(mood) RETURNS json LANGUAGE sql IMMUTABLE AS
                $$ SELECT json_build_object('mood', $1::text) $$;
                CREATE CAST (mood AS json) WITH FUNCTION told(mood); CREATE DOMAIN state AS mood; CREATE TYPE day AS (at date, was mood);
                CREATE TYPE plain AS ENUM ('a')",
            )
            .await?;
        for (column, expression) in [
            ("mood", "'sad'"),
            ("state", "'ok'"),
            ("mood[]", "'{sad,ok}'"),
            ("day", "ROW('2026-01-01', 'ok')"),
            ("plain", "'a'"),
        ] {
            let seen = rendered(&session, column, expression).await?;
            let own = session.json(&format!("SELECT to_jsonb(({expression})::{column})")).await?;
            assert_eq!(seen, own, "{column} {expression}");
        }
        assert_eq!(rendered(&session, "mood", "'sad'").await?, json!({ "mood": "sad" }));
        Ok(())
    })
    .await
}
