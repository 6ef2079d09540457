//! Settings that a database or a role brings along: functions mean the same under all of them, and an event says what
//! the row holds.

use zerodb_hooks_harness::{Result, on_every_server};

use crate::EVERYTHING;

#[tokio::test]
async fn an_event_is_the_same_under_any_output_settings() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run(
                "CREATE TABLE t (id int PRIMARY KEY, f float8, r real, b bytea, i interval, d date, s tstzrange, a float8[]);
                SELECT zerodb.register_event_type('t.made', 'app', '{f,r,b,i,d,s,a}', 'a row'); SELECT zerodb.watch('t', 't.made')",
            )
            .await?;
        session.run(EVERYTHING).await?;
        let insert = "INSERT INTO t SELECT coalesce(max(id), 0) + 1, 0.1::float8 + 0.2::float8, 0.1, decode('00ff5c', 'hex'),
            make_interval(0, 1, 0, 2, 3), make_date(2026, 2, 3),
            tstzrange(make_timestamptz(2026, 2, 3, 4, 5, 6, 'UTC'), NULL), ARRAY[0.1::float8 + 0.2::float8] FROM t";
        session.run(insert).await?;
        for settings in [
            "SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'sql_standard'; SET bytea_output = 'escape'; SET extra_float_digits = -15",
            "SET DateStyle = 'German, DMY'; SET IntervalStyle = 'iso_8601'; SET extra_float_digits = 0",
            "SET DateStyle = 'Postgres, MDY'; SET IntervalStyle = 'postgres_verbose'; SET bytea_output = 'escape'",
        ] {
            session.run(settings).await?;
            session.run(insert).await?;
            let style = session.text("SELECT current_setting('DateStyle')").await?;
            assert!(settings.contains(&style), "the writer keeps his own: {style}");
        }
        assert_eq!(session.texts("SELECT DISTINCT data::text FROM zerodb.outbox").await?.len(), 1);
        let float = session.text("SELECT data ->> 'f' FROM zerodb.outbox LIMIT 1").await?;
        assert_eq!(float, "0.30000000000000004");
        Ok(())
    })
    .await
}

/// `standard_conforming_strings = off` is refused from PostgreSQL 19 on.
#[tokio::test]
async fn backslashes_mean_the_same_whatever_strings_conform_to() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("SET standard_conforming_strings = off; SET escape_string_warning = on").await?;
        session.take_warnings();
        let refused = session.error("SELECT zerodb.register_event_type('order-created', 'app', '{id}', 'x')").await?;
        assert_eq!(refused.code, "22023");
        session
            .run(
                "CREATE TABLE t (key int PRIMARY KEY, note text, embedding real[] CHECK (cardinality(embedding) = 3), body text);
                SELECT zerodb.register_event_type('t.made', 'app', '{paid,order_id}', 'a row'); SELECT zerodb.watch('t', 't.made')",
            )
            .await?;
        let columns = session.text("SELECT columns FROM zerodb.watches").await?;
        assert_eq!(columns, r#"{"paid": null, "order_id": "key"}"#);
        session
            .run("SELECT zerodb.create_hook('t.*', 'auto_embed', '{\"template\": \"{{ body }}: {{ note }}\", \"dimensions\": 3}')")
            .await?;
        session
            .run("SELECT zerodb.create_hook('t.made', 'l', '{\"when\": \"$.order_id > 3\"}', hook_type => 'log')")
            .await?;
        session.run("SELECT zerodb.create_store()").await?;
        session.run("SELECT zerodb.remember('a b', 'someone'); SELECT zerodb.recall('a b')").await?;
        let warnings = session.take_warnings();
        let nonstandard: Vec<_> = warnings.iter().filter(|warning| warning.code == "22P06").collect();
        assert!(nonstandard.is_empty(), "{nonstandard:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_publication_of_all_tables_keeps_no_table_of_the_extension_from_being_updated() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("CREATE PUBLICATION everything FOR ALL TABLES").await?;
        let without = session
            .texts(
                "SELECT c.oid::regclass FROM pg_class AS c WHERE c.relnamespace = 'zerodb'::regnamespace AND c.relkind IN ('r', 'p')
                    AND c.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)
                    AND c.relname !~ '^(outbox|attempt|completion)' ORDER BY 1",
            )
            .await?;
        assert_eq!(
            without,
            ["zerodb.instance", "zerodb.hook_gained", "zerodb.hook_lost"],
            "these are never updated, or only emptied, or have no rows"
        );
        Ok(())
    })
    .await
}
