//! Who may do what, as a table that is checked in: every function, table, view and sequence of the extension against
//! every class of role. A new function that has no line here fails the test, and so does a right that nobody wrote
//! down.
//!
//! `ZERODB_BLESS=1` writes the table anew; read the difference before you commit it.

use std::collections::BTreeSet;
use std::path::Path;

use zerodb_hooks_harness::{Database, Result, Session, on_every_server};

use crate::actors::MALLORY;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/security/matrix.txt");

/// The classes of role, in the order of the table. `nobody` may use the schema and has no other grant; `bound` is a
/// user whose role is bound to a tenant.
const CLASSES: [&str; 5] = ["nobody", "user", "bound", "worker", "admin"];

async fn make_roles(db: &Database, admin: &Session) -> Result<Vec<String>> {
    let mut roles = Vec::new();
    for class in CLASSES {
        let role = db.create_role(class).await?;
        let grant = match class {
            "nobody" => format!("GRANT USAGE ON SCHEMA zerodb TO {role}"),
            "user" => format!("SELECT zerodb.grant_user('{role}')"),
            "bound" => {
                format!("SELECT zerodb.grant_user('{role}'), zerodb.bind_tenant('{role}', '{MALLORY}')")
            }
            class => format!("SELECT zerodb.grant_{class}('{role}')"),
        };
        admin.run(&grant).await?;
        roles.push(role);
    }
    Ok(roles)
}

/// One line an object: its name, and for each class that has any right on it the class with the rights.
async fn rights(admin: &Session, roles: &[String]) -> Result<BTreeSet<String>> {
    let classes = CLASSES.map(|class| format!("'{class}'")).join(", ");
    let roles = roles
        .iter()
        .map(|role| format!("'{role}'"))
        .collect::<Vec<_>>()
        .join(", ");
    let lines = format!(
        "WITH class AS (
            SELECT c.class, c.role, c.n FROM unnest(ARRAY[{classes}], ARRAY[{roles}]::name[]) WITH ORDINALITY AS c (class, role, n)
        ), held AS (
            SELECT 'function ' || p.oid::regprocedure AS object, c.n, c.class AS holder
            FROM pg_proc AS p LEFT JOIN class AS c ON has_function_privilege(c.role, p.oid, 'EXECUTE')
            WHERE p.pronamespace = 'zerodb'::regnamespace
            UNION ALL
            SELECT 'relation ' || r.oid::regclass, c.n, c.class || ' (' || string_agg(lower(x.privilege), ', ' ORDER BY x.n) || ')'
            FROM pg_class AS r
            LEFT JOIN (class AS c CROSS JOIN unnest('{{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}}'::text[])
                WITH ORDINALITY AS x (privilege, n))
                ON CASE WHEN x.privilege IN ('DELETE', 'TRUNCATE', 'TRIGGER') THEN has_table_privilege(c.role, r.oid, x.privilege)
                    ELSE has_any_column_privilege(c.role, r.oid, x.privilege) END
            WHERE r.relnamespace = 'zerodb'::regnamespace AND r.relkind IN ('r', 'p', 'v', 'm')
            GROUP BY r.oid, c.n, c.class
            UNION ALL
            SELECT 'sequence ' || s.oid::regclass, c.n, c.class || ' (' || string_agg(lower(x.privilege), ', ' ORDER BY x.n) || ')'
            FROM pg_class AS s
            LEFT JOIN (class AS c CROSS JOIN unnest('{{USAGE,SELECT,UPDATE}}'::text[]) WITH ORDINALITY AS x (privilege, n))
                ON CASE WHEN s.relkind = 'S' THEN has_sequence_privilege(c.role, s.oid, x.privilege) END
            WHERE s.relnamespace = 'zerodb'::regnamespace AND s.relkind = 'S'
            GROUP BY s.oid, c.n, c.class
        )
        SELECT h.object || ': ' || coalesce(string_agg(h.holder, ', ' ORDER BY h.n), '-') FROM held AS h GROUP BY h.object"
    );
    Ok(admin.texts(&lines).await?.into_iter().collect())
}

#[tokio::test]
async fn every_right_is_written_down() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        let roles = make_roles(&db, &admin).await?;
        let found = rights(&admin, &roles).await?;
        if std::env::var_os("ZERODB_BLESS").is_some() {
            let lines = found.iter().map(|line| format!("{line}\n")).collect::<String>();
            std::fs::write(Path::new(FILE), lines)?;
        }
        let written: BTreeSet<String> = std::fs::read_to_string(FILE)?
            .lines()
            .map(str::to_owned)
            .collect();
        let more: Vec<_> = found.difference(&written).collect();
        let less: Vec<_> = written.difference(&found).collect();
        assert!(
            more.is_empty() && less.is_empty(),
            "rights that are not in matrix.txt: {more:#?}\nrights of matrix.txt that are not there: {less:#?}"
        );
        Ok(())
    })
    .await
}

/// Of what a user may execute, only `_capture` is an internal function that may change anything, two take locks,
/// and two tell the session of its own transactions: the rest of them looks, or does what the caller could do by
/// himself (`RUNS_AS_CALLER`).
#[tokio::test]
async fn a_user_executes_the_api_and_what_only_looks() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        let role = db.create_role("user").await?;
        admin.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
        let with_rights = admin
            .texts(&format!(
                "SELECT p.proname::text FROM pg_proc AS p WHERE p.pronamespace = 'zerodb'::regnamespace
                    AND p.proname LIKE '\\_%' AND has_function_privilege('{role}', p.oid, 'EXECUTE') AND (p.prosecdef OR p.prolang = (
                        SELECT l.oid FROM pg_language AS l WHERE l.lanname = 'c')) AND p.provolatile = 'v' ORDER BY 1"
            ))
            .await?;
        // The last two only lock: what others wait for where the caller may write, and something of his own
        // elsewhere.
        let known = ["_capture", "_is_writing", "_last_write", "_lock_graph", "_lock_store"];
        assert_eq!(with_rights, known);
        // What is left writes only with the caller's rights, of which he has none on the extension's tables.
        let writable = admin
            .texts(&format!(
                "SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relnamespace = 'zerodb'::regnamespace AND c.relkind IN ('r', 'p', 'v')
                    AND (has_any_column_privilege('{role}', c.oid, 'INSERT, UPDATE, REFERENCES')
                        OR has_table_privilege('{role}', c.oid, 'DELETE, TRUNCATE, TRIGGER'))"
            ))
            .await?;
        assert_eq!(writable, Vec::<String>::new());
        Ok(())
    })
    .await
}

/// A function that runs as its caller calls others as its caller: each list must hold what its functions call.
#[tokio::test]
async fn what_may_be_executed_may_call_what_it_calls() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        for class in ["user", "worker"] {
            let role = db.create_role(class).await?;
            admin.run(&format!("SELECT zerodb.grant_{class}('{role}')")).await?;
            let missing = admin
                .texts(&format!(
                    "SELECT DISTINCT p.proname || ' calls ' || called.proname
                    FROM pg_proc AS p CROSS JOIN regexp_matches(p.prosrc, 'zerodb\\.([a-z0-9_]+)\\s*\\(', 'g') AS m (found)
                    JOIN pg_proc AS called ON called.pronamespace = p.pronamespace AND called.proname = m.found[1]
                    WHERE p.pronamespace = 'zerodb'::regnamespace AND NOT p.prosecdef
                        AND p.prolang IN (SELECT l.oid FROM pg_language AS l WHERE l.lanname IN ('sql', 'plpgsql'))
                        -- Named in a hint, or as a text.
                        AND called.proname NOT IN ('grant_admin', 'register_event_type', 'create_chunk_table', '_all_tenants')
                        AND has_function_privilege('{role}', p.oid, 'EXECUTE') AND NOT has_function_privilege('{role}', called.oid, 'EXECUTE')
                    ORDER BY 1"
                ))
                .await?;
            assert_eq!(missing, Vec::<String>::new(), "{class}");
        }
        Ok(())
    })
    .await
}
