//! auto_embed on tables whose primary key is of any type and form: by events and by backfill each row gets its vector.

use anyhow::{Result, ensure};
use zerodb_hooks_harness::{Session, on_every_server};

use crate::setup::worker;

/// Types as extensions bring them, with input and output of text: one that compares without case and casts to text by
/// itself, as citext does; one without any cast, as ltree; each with its operators beside it, which the catalog's path
/// does not show.
const TYPES: &str = r#"
    CREATE SCHEMA "types of others"; SET search_path = "types of others", public;
    CREATE TYPE ci; CREATE FUNCTION ci_in(cstring) RETURNS ci LANGUAGE internal IMMUTABLE STRICT AS 'textin';
    CREATE FUNCTION ci_out(ci) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
    CREATE TYPE ci (INPUT = ci_in, OUTPUT = ci_out, LIKE = text, CATEGORY = 'S');
    CREATE CAST (ci AS text) WITHOUT FUNCTION AS IMPLICIT; CREATE CAST (text AS ci) WITHOUT FUNCTION AS ASSIGNMENT;
    CREATE FUNCTION ci_cmp(ci, ci) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS
        $$ SELECT CASE WHEN lower($1::text) < lower($2::text) THEN -1 WHEN lower($1::text) > lower($2::text) THEN 1 ELSE 0 END $$;
    CREATE FUNCTION ci_eq(ci, ci) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT "types of others".ci_cmp($1, $2) = 0';
    CREATE FUNCTION ci_lt(ci, ci) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT "types of others".ci_cmp($1, $2) < 0';
    CREATE FUNCTION ci_gt(ci, ci) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT "types of others".ci_cmp($1, $2) > 0';
    CREATE FUNCTION ci_le(ci, ci) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT "types of others".ci_cmp($1, $2) <= 0';
    CREATE FUNCTION ci_ge(ci, ci) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT "types of others".ci_cmp($1, $2) >= 0';
    CREATE OPERATOR = (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_eq, COMMUTATOR = =); CREATE OPERATOR < (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_lt);
    CREATE OPERATOR > (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_gt); CREATE OPERATOR <= (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_le);
    CREATE OPERATOR >= (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_ge);
    CREATE OPERATOR CLASS ci_ops DEFAULT FOR TYPE ci USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 ci_cmp(ci, ci);
    CREATE TYPE lpath; CREATE FUNCTION lpath_in(cstring) RETURNS lpath LANGUAGE internal IMMUTABLE STRICT AS 'textin';
    CREATE FUNCTION lpath_out(lpath) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout'; CREATE TYPE lpath (INPUT = lpath_in, OUTPUT = lpath_out, LIKE = text);
    CREATE FUNCTION lpath_cmp(lpath, lpath) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'byteacmp';
    CREATE FUNCTION lpath_eq(lpath, lpath) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'byteaeq';
    CREATE FUNCTION lpath_lt(lpath, lpath) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'bytealt';
    CREATE FUNCTION lpath_gt(lpath, lpath) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'byteagt';
    CREATE OPERATOR = (LEFTARG = lpath, RIGHTARG = lpath, FUNCTION = lpath_eq, COMMUTATOR = =); CREATE OPERATOR < (LEFTARG = lpath, RIGHTARG = lpath, FUNCTION = lpath_lt);
    CREATE OPERATOR > (LEFTARG = lpath, RIGHTARG = lpath, FUNCTION = lpath_gt);
    CREATE OPERATOR CLASS lpath_ops DEFAULT FOR TYPE lpath USING btree AS OPERATOR 1 <, OPERATOR 3 =, OPERATOR 5 >, FUNCTION 1 lpath_cmp(lpath, lpath);
    CREATE TYPE kind AS ENUM ('a', 'b'); CREATE DOMAIN code AS text CHECK (value ~ '^[A-Z]+$'); CREATE DOMAIN small AS code;
    CREATE DOMAIN number AS int CHECK (value > 0); CREATE TYPE pair AS (x int, y text)
"#;

/// The columns of a key, their names as in PRIMARY KEY, two keys, and whether an event names them in the way that the
/// worker reads.
const KEYS: &[(&str, &str, &str, &str)] = &[
    (
        "a uuid",
        "a",
        "'7d1c6a52-0000-4000-8000-000000000001'",
        "'7d1c6a52-0000-4000-8000-000000000002'",
    ),
    ("a text", "a", r#"'ü "q" ''x'' \ 日本'"#, "''"),
    ("a text", "a", r#"E'a "quoted" \\ back\nü \U0001F600'"#, "' x '"),
    ("a text", "a", "'null'", "'[1]'"),
    ("a varchar(20) COLLATE \"C\"", "a", "'B'", "'a'"),
    ("a char(10)", "a", "'ab'", "'b'"),
    (
        "a date, b timestamptz",
        "a, b",
        "'2026-03-29', '2026-03-29 02:30:00.123456+02'",
        "'infinity', '-infinity'",
    ),
    (
        "a timestamp",
        "a",
        "'2026-03-29 02:30:00.123456'",
        "'0044-03-15 12:00 BC'",
    ),
    (
        "a \"types of others\".kind, b \"types of others\".small",
        "a, b",
        "'b', 'XY'",
        "'a', 'Z'",
    ),
    ("a \"types of others\".number", "a", "7", "10"),
    ("a bytea", "a", r"'\x00ff'", r"'\x5c'"),
    (
        "a timestamp, b date, c time",
        "a, b, c",
        "'2026-03-01 10:00', '2026-03-01', '23:59:59.5'",
        "'infinity', '2026-03-01', '0:00'",
    ),
    ("a bytea", "a", "''", "'a'"),
    ("a inet", "a", "'10.0.0.0/8'", "'::1'"),
    ("a inet", "a", "'10.0.0.1/8'", "'10.0.0.1'"),
    ("a real", "a", "0.1", "1e30"),
    ("a float8", "a", "0.1::float8 + 0.2", "'-Infinity'"),
    ("a float8, b real", "a, b", "'NaN', '-0'", "1e300, 1.1"),
    ("a numeric(10,2)", "a", "12.50", "2.5"),
    ("a numeric", "a", "42", "42.50"),
    ("a numeric", "a", "20260101000000000000001", "1e-30"),
    ("a numeric", "a", "'NaN'", "0"),
    ("a int4range", "a", "'[1,5)'", "'empty'"),
    ("a interval", "a", "'1 day 02:00'", "'-1 mons +3 days'"),
    ("a \"types of others\".ci", "a", "'Ada@Example.org'", "'bob'"),
    ("a \"types of others\".lpath", "a", "'top.sub'", "'top'"),
    (
        "a int, b \"types of others\".ci, c bigint",
        "a, b, c",
        "1, 'B', 2",
        "1, 'a', 9007199254740993",
    ),
    (
        "\"Id \" int, \"user\" text, \"日本\" text",
        "\"Id \", \"user\", \"日本\"",
        "1, 'x', 'y'",
        "1, 'X', 'y'",
    ),
    ("a bit(3)", "a", "'101'", "'010'"),
    ("a pg_lsn", "a", "'16/B374D848'", "'0/1'"),
    (
        "gone int, a int GENERATED ALWAYS AS (b * 2) STORED, b int",
        "a",
        "0, DEFAULT, 1",
        "0, DEFAULT, 2",
    ),
];

/// Keys that an event names by their JSON.
const BY_JSON: &[(&str, &str, &str, &str)] = &[
    ("a int, b boolean", "a, b", "7, true", "7, false"),
    (
        "a numeric(78,0)",
        "a",
        "115792089237316195423570985008687907853269984665640564039457584007913129639935",
        "2",
    ),
    ("a int[]", "a", "'{1,2}'", "'{}'"),
    ("a int[]", "a", "'{{1,2},{3,4}}'", "'{1,NULL}'"),
    ("a numeric[]", "a", "'{1.50,20260101000000000000001}'", "'{}'"),
    ("a text[]", "a", r#"'{"a b",NULL,"\"q\"",c}'"#, "'{{x,y},{z,w}}'"),
    ("a text[]", "a", r#"'{a,"b c","NULL","x\"y\\z"}'"#, "'{}'"),
    ("a \"types of others\".pair", "a", r#"'(1,"a b")'"#, "'(2,)'"),
    ("a \"types of others\".pair[]", "a", r#"'{"(1,x)"}'"#, "'{}'"),
];

async fn table(session: &Session, name: &str, columns: &str, key: &str) -> Result<()> {
    session
        .run(&format!(
            "CREATE TABLE {name} ({columns}, body text DEFAULT 'some text about cats', embedding real[], PRIMARY KEY ({key}))"
        ))
        .await
}

/// Watches a table with the columns of its key as fields, and embeds it. Returns the hook.
async fn embed(session: &Session, name: &str) -> Result<String> {
    session
        .run(&format!(
            "SELECT zerodb.register_event_type('{name}.made', 'app', zerodb._primary_key('{name}'), 'a row');
            SELECT zerodb.watch('{name}', '{name}.made')"
        ))
        .await?;
    session
        .text(&format!(
            "SELECT id FROM zerodb.create_hook('{name}.made', 'auto_embed', '{{\"content\": \"body\", \"dimensions\": 16, \"max_attempts\": 1}}')"
        ))
        .await
}

async fn embedded(session: &Session, name: &str, columns: &str) -> Result<()> {
    let found = session
        .number(&format!("SELECT count(embedding) FROM {name}"))
        .await?;
    let said = session
        .texts("SELECT DISTINCT last_error FROM zerodb.deliveries WHERE last_error IS NOT NULL")
        .await?;
    ensure!(found == 2, "{columns}: {found} of 2; {said:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_any_type_finds_its_row() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        session.run(TYPES).await?;
        session.run("SET search_path = public").await?;
        for (at, (columns, key, first, second)) in KEYS.iter().chain(BY_JSON).enumerate() {
            let name = format!("k{at}");
            table(&session, &name, columns, key).await?;
            embed(&session, &name).await?;
            session
                .run(&format!("INSERT INTO {name} VALUES ({first}), ({second})"))
                .await?;
        }
        let _worker = worker(&database)?;
        session.idle().await?;
        for (at, (columns, ..)) in KEYS.iter().chain(BY_JSON).enumerate() {
            embedded(&session, &format!("k{at}"), columns).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_passes_no_key_by() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        session.run(TYPES).await?;
        session.run("SET search_path = public").await?;
        let _worker = worker(&database)?;
        for (at, (columns, key, first, second)) in KEYS.iter().chain(BY_JSON).enumerate() {
            let name = format!("k{at}");
            table(&session, &name, columns, key).await?;
            session
                .run(&format!("INSERT INTO {name} VALUES ({first}), ({second})"))
                .await?;
            let hook = embed(&session, &name).await?;
            session.run(&format!("SELECT zerodb.backfill('{hook}')")).await?;
        }
        let finished = "SELECT count(*) FROM zerodb.backfills WHERE state = 'finished' AND failed = 0";
        session
            .becomes(finished, (KEYS.len() + BY_JSON.len()) as i64)
            .await?;
        for (at, (columns, ..)) in KEYS.iter().chain(BY_JSON).enumerate() {
            embedded(&session, &format!("k{at}"), columns).await?;
        }
        Ok(())
    })
    .await
}

/// Of more rows than a page: in the order of the key's own operators, where text and type disagree about what comes
/// next.
#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_the_order_of_the_key() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        session.run(TYPES).await?;
        session.run("SET search_path = public").await?;
        session
            .run(
                "CREATE TABLE mixed (a int, email \"types of others\".ci, body text, embedding real[], PRIMARY KEY (a, email));
                INSERT INTO mixed SELECT n % 2, CASE n % 3 WHEN 0 THEN upper(md5(n::text)) ELSE md5(n::text) END::\"types of others\".ci, 'text ' || n
                FROM generate_series(1, 1200) AS n;
                CREATE TABLE included (id bigint, title text, body text, embedding real[], PRIMARY KEY (id) INCLUDE (title));
                INSERT INTO included SELECT n, 'title', 'text' FROM generate_series(1, 50) AS n",
            )
            .await?;
        let _worker = worker(&database)?;
        for name in ["mixed", "included"] {
            let hook = embed(&session, name).await?;
            session.run(&format!("SELECT zerodb.backfill('{hook}')")).await?;
        }
        session.becomes("SELECT count(*) FROM zerodb.backfills WHERE state = 'finished' AND failed = 0", 2).await?;
        for (name, rows) in [("mixed", 1200), ("included", 50)] {
            assert_eq!(session.number(&format!("SELECT count(embedding) FROM {name}")).await?, rows, "{name}");
        }
        session.run("INSERT INTO included VALUES (100, 'later', 'text')").await?;
        session.becomes("SELECT count(embedding) FROM included", 51).await
    })
    .await
}
