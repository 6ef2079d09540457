//! Code that users have put on their tables, and functions that migrations take away: they find what they name, and
//! their errors are told as theirs.

use anyhow::Result;
use zerodb_hooks_harness::{Session, on_every_server};

use crate::setup::{recording_hook, watched_table, worker};

/// A table that both first-party handlers write to, with triggers that name things without their schema.
async fn audited(session: &Session, body: &str) -> Result<()> {
    session
        .run(&format!(
            "CREATE TABLE art (id bigint PRIMARY KEY, body text, tag text, embedding real[], summary text);
            CREATE TABLE audit_log (what text, id bigint);
            CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
            CREATE FUNCTION loud(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT shout($1)';
            CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$;
            CREATE TRIGGER audit AFTER INSERT OR UPDATE ON art FOR EACH ROW EXECUTE FUNCTION audit();
            SELECT zerodb.register_event_type('art.saved', 'app', '{{id}}', 'x'); SELECT zerodb.watch('art', 'art.saved');
            SELECT zerodb.create_hook('art.saved', 'auto_embed', '{{\"content\": \"body\", \"dimensions\": 16, \"max_attempts\": 2}}');
            SELECT zerodb.create_hook('art.saved', 'auto_summarize', '{{\"content\": \"body\", \"max_length\": 60, \"max_attempts\": 2}}')"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn triggers_find_what_they_name_without_a_schema() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        audited(&session, "INSERT INTO audit_log VALUES (shout(tg_op), new.id);").await?;
        session
            .run(
                "CREATE FUNCTION whole() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit_log VALUES ('statement', 0); RETURN NULL; END $$;
                CREATE TRIGGER whole BEFORE UPDATE ON art FOR EACH STATEMENT EXECUTE FUNCTION whole()",
            )
            .await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO art VALUES (1, 'A text about cats. They sleep.')").await?;
        session.idle().await?;
        assert_eq!(session.number("SELECT count(embedding) + count(summary) FROM art").await?, 2);
        let seen = session.texts("SELECT what || ' ' || count(*) FROM audit_log GROUP BY what ORDER BY 1").await?;
        assert_eq!(seen, ["INSERT 1", "UPDATE 2", "statement 2"]);
        Ok(())
    })
    .await
}

/// The statements of the extension mean the catalog's functions and operators, also where a user's fit better.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_public_takes_the_place_of_what_the_extension_names() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        audited(&session, "INSERT INTO audit_log VALUES (tg_op, new.id);").await?;
        session
            .run(
                "CREATE TABLE keyed (a varchar(20) PRIMARY KEY, body varchar(100), embedding real[]);
                CREATE FUNCTION caught(varchar, varchar) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit_log VALUES ('caught', 0); RETURN true; END $$;
                CREATE FUNCTION caught(varchar, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit_log VALUES ('caught', 0); RETURN true; END $$;
                CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = caught);
                CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = text, FUNCTION = caught);
                CREATE FUNCTION octet_length(varchar) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit_log VALUES ('caught', 0); RETURN 1; END $$;
                CREATE FUNCTION convert_to(varchar, name) RETURNS bytea LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit_log VALUES ('caught', 0); RETURN ''; END $$;
                SELECT zerodb.register_event_type('keyed.saved', 'app', '{a}', 'x'); SELECT zerodb.watch('keyed', 'keyed.saved');
                SELECT zerodb.create_hook('keyed.saved', 'auto_embed', '{\"content\": \"body\", \"dimensions\": 16}')",
            )
            .await?;
        let _worker = worker(&database)?;
        session.run("INSERT INTO keyed VALUES ('x', 'A text about cats.'), ('y', 'Another.')").await?;
        session.idle().await?;
        assert_eq!(session.number("SELECT count(DISTINCT embedding) FROM keyed").await?, 2);
        assert_eq!(session.number("SELECT count(*) FROM audit_log WHERE what = 'caught'").await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_a_trigger_is_an_attempt_and_names_the_function() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        audited(&session, "INSERT INTO not_there VALUES (new.id);").await?;
        session.run("ALTER TABLE art DISABLE TRIGGER audit").await?;
        session
            .run("INSERT INTO art VALUES (1, 'A text about cats.')")
            .await?;
        session.run("ALTER TABLE art ENABLE TRIGGER audit").await?;
        let _worker = worker(&database)?;
        session
            .becomes(
                "SELECT count(*) FROM zerodb.deliveries WHERE state = 'discarded' AND attempts = 2",
                2,
            )
            .await?;
        let said = session
            .texts("SELECT DISTINCT last_error FROM zerodb.deliveries")
            .await?;
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with("table: relation \"not_there\" does not exist (in ")
                && said[0].contains("audit()"),
            "{said:?}"
        );
        Ok(())
    })
    .await
}

/// A migration drops a function, or what it names, and makes it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_comes_back_gets_its_event() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "gone", "{\"max_attempts\": 20}").await?;
        let _worker = worker(&database)?;
        session.run("ALTER FUNCTION on_doc(jsonb) RENAME TO later").await?;
        session.run("INSERT INTO doc (body) VALUES ('a')").await?;
        session.becomes("SELECT count(*) FROM zerodb.deliveries WHERE state = 'retryable' AND attempts >= 1", 1).await?;
        let said = session.text("SELECT last_error FROM zerodb.deliveries").await?;
        assert_eq!(said, "function public.on_doc(jsonb) does not exist");
        session.run("ALTER FUNCTION later(jsonb) RENAME TO on_doc; ALTER TABLE seen RENAME TO unseen").await?;
        session.becomes("SELECT count(*) FROM zerodb.deliveries WHERE last_error = 'relation \"public.seen\" does not exist'", 1).await?;
        session.run("ALTER TABLE unseen RENAME TO seen").await?;
        session.becomes("SELECT count(*) FROM seen", 1).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_named_as_postgres_names_it() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        recording_hook(&session, "plain", "{\"function\": \"public.on_doc(jsonb)\"}").await?;
        session
            .run(
                "CREATE FUNCTION \"Odd (name)\"(e jsonb) RETURNS void LANGUAGE sql AS 'SELECT public.on_doc(e)';
                SELECT zerodb.create_hook('doc.created', 'odd', '{\"function\": \"public.\\\"Odd (name)\\\"(pg_catalog.jsonb)\"}', hook_type => 'sql');
                SELECT zerodb.create_hook('doc.created', 'odd2', '{\"function\": \"public.\\\"Odd (name)\\\"\"}', hook_type => 'sql');
                CREATE FUNCTION other(text) RETURNS void LANGUAGE sql AS 'SELECT'",
            )
            .await?;
        let refused = session
            .error("SELECT zerodb.create_hook('doc.created', 'o', '{\"function\": \"public.other(text)\"}', hook_type => 'sql')")
            .await?;
        assert_eq!((refused.code.as_str(), refused.message.as_str()), ("22023", "function public.other(text) does not take an event"));
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (body) VALUES ('a')").await?;
        session.becomes("SELECT count(*) FROM seen", 3).await
    })
    .await
}
