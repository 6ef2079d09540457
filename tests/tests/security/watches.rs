//! Triggers made by hand: whoever may attach one writes its argument as he likes. It gives him no event of another's,
//! and nobody else's statement fails for it.

use serde_json::json;
use zerodb_hooks_harness::{Database, Result, Session, on_every_server};

use crate::actors::{EVERY_USER, MALLORY, Stage, VICTIM, user};

/// Arguments that are no mapping.
const NONSENSE: [&str; 14] = [
    "",
    "'x'",
    "'{}'",
    "'[]'",
    "'null'",
    r#"'{"event": "app.thing"}'"#,
    r#"'{"event": 5, "fields": [], "operations": ["insert"]}'"#,
    r#"'{"event": "app.thing", "fields": {"a": 1}, "operations": ["insert"]}'"#,
    r#"'{"event": "app.thing", "fields": [["a"]], "operations": ["insert"]}'"#,
    r#"'{"event": "app.thing", "fields": [["id", "id"]], "operations": "insert"}'"#,
    r#"'{"event": "app.thing", "fields": [["id", "id"]], "operations": ["insert"], "update_of": {}}'"#,
    r#"'{"event": "app.thing\u0000", "fields": [["id", "id"]], "operations": ["insert"]}'"#,
    r#"'{"event": "app.nothing", "fields": [["id", "id"]], "operations": ["insert"]}'"#,
    "'{\"event\": \"app.thing\", \"fields\": [], \"operations\": [\"insert\"]}', 'more'",
];

/// What goes through everybody's watches, or through all triggers.
const CATALOG_WIDE: [&str; 5] = [
    "SELECT * FROM zerodb.watches",
    "SELECT * FROM zerodb._watch_trigger",
    "SELECT zerodb.delete_hook(id) FROM zerodb.create_hook('app.*', 'auto_embed')",
    include_str!("../../../sql/worker/queries/definitions/lost_columns.sql"),
    include_str!("../../../sql/worker/backfills/due_coverage.sql"),
];

/// Of triggers that record nothing.
const DOCTOR: &str = include_str!("../../../sql/worker/queries/definitions/foreign_triggers.sql");

/// A mapping of `app.thing`, as `zerodb.watch` writes it, with more keys.
fn mapping(more: &str) -> String {
    format!(
        r#"{{"event": "app.thing", "fields": [["id", "id"], ["note", null]], "operations": ["insert"],
            "project_id": null, "bank_id": null {more}}}"#
    )
}

/// Attaches a trigger by hand to a table of mallory's.
fn attach(table: &str, argument: &str) -> String {
    format!(
        "CREATE OR REPLACE TRIGGER by_hand AFTER INSERT ON {table} REFERENCING NEW TABLE AS n
        FOR EACH STATEMENT EXECUTE FUNCTION zerodb._capture({argument})"
    )
}

async fn users_of(session: &Session) -> Result<Vec<String>> {
    session
        .texts("SELECT coalesce(user_id::text, 'nobody') FROM zerodb.outbox ORDER BY xid, ord")
        .await
}

#[tokio::test]
async fn a_nonsense_argument_fails_nobody() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let table = format!("{}.t", stage.mallory_role);
        let mallory = &stage.mallory;
        mallory
            .run(&format!(
                "CREATE TABLE {table} (id int); SET zerodb.capture = 'all'"
            ))
            .await?;
        for argument in NONSENSE {
            mallory.run(&attach(&table, argument)).await?;
            mallory.take_warnings();
            mallory.run(&format!("INSERT INTO {table} VALUES (1)")).await?;
            let warnings = mallory.take_warnings();
            assert_eq!(warnings.len(), 1, "{argument}: {warnings:?}");
            assert_eq!(warnings[0].code, "39P01", "{argument}");
            assert!(
                warnings[0].detail.is_some() || warnings[0].hint.is_some(),
                "{argument}"
            );
            for statement in CATALOG_WIDE {
                for session in [&stage.admin, &stage.victim] {
                    if statement.contains("coverage") && std::ptr::eq(session, &stage.victim) {
                        continue;
                    }
                    session.texts(statement).await?;
                }
            }
            assert_eq!(
                stage.admin.number("SELECT count(*) FROM zerodb.watches").await?,
                0,
                "{argument}"
            );
            assert_eq!(
                stage.admin.texts(DOCTOR).await?,
                std::slice::from_ref(&table),
                "{argument}"
            );
        }
        assert_eq!(stage.admin.event_count().await?, 0);
        Ok(())
    })
    .await
}

/// Null from a BEFORE trigger would keep the row from being written.
#[tokio::test]
async fn a_trigger_before_the_write_lets_the_row_through() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let (table, mapping) = (format!("{}.t", stage.mallory_role), mapping(""));
        stage
            .mallory
            .run(&format!(
                "SET zerodb.capture = 'all'; CREATE TABLE {table} (id int);
                CREATE TRIGGER by_hand BEFORE INSERT OR UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION zerodb._capture('{mapping}')"
            ))
            .await?;
        stage
            .mallory
            .run(&format!("INSERT INTO {table} VALUES (1), (2)"))
            .await?;
        stage
            .mallory
            .run(&format!("UPDATE {table} SET id = id + 10"))
            .await?;
        stage
            .mallory
            .run(&format!("DELETE FROM {table} WHERE id = 11"))
            .await?;
        assert_eq!(
            stage.mallory.texts(&format!("SELECT id FROM {table}")).await?,
            ["12"]
        );
        assert_eq!(stage.admin.event_count().await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_constant_user_counts_only_where_watch_has_set_it() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let table = format!("{}.t", stage.mallory_role);
        let mallory = &stage.mallory;
        let forged = mapping(&format!(r#", "user_id": {{"value": "{VICTIM}"}}"#));
        mallory
            .run(&format!(
                "CREATE TABLE {table} (id int); SET zerodb.capture = 'all'"
            ))
            .await?;
        mallory.run(&attach(&table, &format!("'{forged}'"))).await?;
        mallory.run(&format!("INSERT INTO {table} VALUES (1)")).await?;
        assert_eq!(users_of(&stage.admin).await?, [MALLORY]);
        assert_eq!(
            stage.victim.number("SELECT count(*) FROM zerodb.events").await?,
            0
        );
        assert_eq!(stage.admin.texts(DOCTOR).await?, std::slice::from_ref(&table));

        let watch = |user: &str| {
            format!(r#"SELECT zerodb.watch('{table}', 'app.thing', '{{"user_id": {{"value": "{user}"}}}}')"#)
        };
        for call in [
            watch(VICTIM),
            format!("SELECT zerodb.keep_watch_tenant('{table}', 'app.thing', '{VICTIM}')"),
        ] {
            assert_eq!(mallory.error(&call).await?.code, "42501", "{call}");
        }
        for none in [EVERY_USER, "x", ""] {
            assert_eq!(mallory.error(&watch(none)).await?.code, "22023", "{none}");
        }
        let outsider = format!("SELECT zerodb.keep_watch_tenant('{table}', 'app.thing', '{VICTIM}')");
        assert_eq!(stage.victim.error(&outsider).await?.code, "42501");

        mallory
            .run(&format!("DROP TRIGGER by_hand ON {table}; {}", watch(MALLORY)))
            .await?;
        mallory
            .run(&format!(
                "RESET zerodb.user_id; INSERT INTO {table} VALUES (2); SET zerodb.user_id = '{MALLORY}'"
            ))
            .await?;
        assert_eq!(users_of(&stage.admin).await?, [MALLORY, MALLORY]);
        mallory.run(&format!("SELECT zerodb.unwatch('{table}')")).await?;
        assert_eq!(
            stage
                .admin
                .number("SELECT count(*) FROM zerodb.watch_tenant")
                .await?,
            0
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_nil_uuid_is_no_events_user() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let table = format!("{}.t", stage.mallory_role);
        let mallory = &stage.mallory;
        mallory
            .run(&format!(
                "SET zerodb.capture = 'all'; CREATE TABLE {table} (id int, user_id uuid);
                SELECT zerodb.watch('{table}', 'app.thing')"
            ))
            .await?;
        mallory
            .run(&format!("INSERT INTO {table} VALUES (1, '{EVERY_USER}')"))
            .await?;
        mallory
            .run(&format!("SET zerodb.user_id = '{EVERY_USER}'"))
            .await?;
        mallory
            .run(&format!(
                "INSERT INTO {table} VALUES (2, NULL), (3, '{EVERY_USER}')"
            ))
            .await?;
        assert_eq!(users_of(&stage.admin).await?, [MALLORY, "nobody", "nobody"]);
        Ok(())
    })
    .await
}

/// Neither his session's setting nor a column of his own table gives a bound role's event to another's tenant.
#[tokio::test]
async fn a_bound_role_makes_events_of_its_own_tenants_only() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let (mallory, role) = (&stage.mallory, &stage.mallory_role);
        mallory
            .run(&format!(
                "SET zerodb.capture = 'all'; CREATE TABLE {role}.t (id int, user_id uuid);
                SELECT zerodb.watch('{role}.t', 'app.thing')"
            ))
            .await?;
        let write = format!(
            "SET zerodb.user_id = '{VICTIM}'; INSERT INTO {role}.t VALUES (1, NULL), (2, '{VICTIM}')"
        );
        mallory.run(&write).await?;
        assert_eq!(
            users_of(&stage.admin).await?,
            [VICTIM, VICTIM],
            "an application acts for its users"
        );
        stage
            .admin
            .run(&format!(
                "TRUNCATE zerodb.outbox; SELECT zerodb.bind_tenant('{role}', '{MALLORY}')"
            ))
            .await?;
        mallory.run(&write).await?;
        mallory
            .run(&format!(
                "RESET zerodb.user_id; INSERT INTO {role}.t VALUES (3, NULL), (4, '{MALLORY}')"
            ))
            .await?;
        assert_eq!(
            users_of(&stage.admin).await?,
            ["nobody", "nobody", MALLORY, MALLORY]
        );
        stage
            .admin
            .run(&format!(
                "TRUNCATE zerodb.outbox; SELECT zerodb.unbind_tenant('{role}')"
            ))
            .await?;
        mallory.run(&write).await?;
        assert_eq!(users_of(&stage.admin).await?, [VICTIM, VICTIM]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_event_type_counts_once_it_is_registered() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let table = format!("{}.t", stage.mallory_role);
        let mallory = &stage.mallory;
        let argument = mapping("").replace("app.thing", "app.later");
        mallory
            .run(&format!(
                "CREATE TABLE {table} (id int); SET zerodb.capture = 'all'"
            ))
            .await?;
        mallory.run(&attach(&table, &format!("'{argument}'"))).await?;
        mallory.run(&format!("INSERT INTO {table} VALUES (1)")).await?;
        stage
            .admin
            .run("SELECT zerodb.register_event_type('app.later', 'app', '{id}', '')")
            .await?;
        mallory.run(&format!("INSERT INTO {table} VALUES (2)")).await?;
        let events = stage.admin.events().await?;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].data, json!({"id": 2, "note": null}));
        Ok(())
    })
    .await
}

/// A role that may only write cannot note a user for a table, nor put a trigger on it.
#[tokio::test]
async fn who_may_only_write_a_table_notes_no_user_for_it() -> Result<()> {
    on_every_server(async |db: Database| {
        let stage = Stage::set(&db).await?;
        let (writer, role) = user(&db, &stage.admin, "writer", MALLORY).await?;
        let victims = &stage.victim_role;
        stage
            .victim
            .run(&format!(
                "CREATE TABLE {victims}.t (id int); GRANT USAGE ON SCHEMA {victims} TO {role};
                GRANT SELECT, INSERT, UPDATE, DELETE ON {victims}.t TO {role}"
            ))
            .await?;
        let note = format!("SELECT zerodb.keep_watch_tenant('{victims}.t', 'app.thing', '{MALLORY}')");
        assert_eq!(writer.error(&note).await?.code, "42501");
        for sql in [
            "SELECT * FROM zerodb.watch_tenant",
            "DELETE FROM zerodb.watch_tenant",
        ] {
            assert_eq!(writer.error(sql).await?.code, "42501", "{sql}");
        }
        Ok(())
    })
    .await
}
