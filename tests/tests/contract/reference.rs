//! The pages of the reference are what the code says: functions and views by the catalog and its comments, hooks by
//! the crate `contract`, settings by the server's list, the command line by its own help. `ZERODB_BLESS=1` writes them
//! anew; read the difference before you commit it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use zerodb_hooks_harness::programs::worker;
use zerodb_hooks_harness::{Session, on_every_server};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference");

const FUNCTIONS: &str = "# SQL functions

<!-- Made by tests/tests/contract/reference.rs from the catalog: change the COMMENT in sql/schema, not this page. -->

The public functions of the schema `zerodb`. Functions whose names begin with `_` are private. *For* says which grant lets a role call it.
Errors have an SQLSTATE, most of them a hint.
";

const VIEWS: &str = "# Views

<!-- Made by tests/tests/contract/reference.rs from the catalog: change the COMMENT in sql/schema, not this page. -->

The public views of the schema `zerodb`. Each shows what belongs to the tenant that the caller acts for.
";

const SETTINGS: &str = "# Settings

<!-- Made by tests/tests/contract/reference.rs from pg_settings: change extension/src/settings.rs, not this page. -->

Settings of the server, by `SET`, `ALTER ROLE` or `ALTER DATABASE`. Those of the worker are on the page of its
[command line](command_line.md#zerodb-hooks-worker).

| setting | default | values | who sets it | meaning |
| --- | --- | --- | --- | --- |
";

const COMMAND_LINE: &str = "# Command line

<!-- Made by tests/tests/contract/reference.rs from `zerodb-hooks --help`: change the help, not this page. -->

Each option is a flag or an environment variable; the flag wins.
";

/// One line of text a row: the name, the signature's arguments and result, who may call it, the comment.
const OF_FUNCTIONS: &str = "
    SELECT format(E'\\n## %s\\n\\n```text\\nzerodb.%s(%s) → %s\\n```\\n\\n%s.\\n\\n*For*: %s.', p.proname, p.proname, a.arguments,
        pg_get_function_result(p.oid), replace(coalesce(obj_description(p.oid, 'pg_proc'), '(no comment)'), '<', '&lt;'), coalesce(g.grants, 'superusers'))
    FROM pg_proc AS p
    CROSS JOIN LATERAL (
        SELECT CASE WHEN count(*) > 2 THEN E'\\n    ' || string_agg(x.text, E',\\n    ' ORDER BY x.n) || E'\\n'
            ELSE coalesce(string_agg(x.text, ', ' ORDER BY x.n), '') END AS arguments
        FROM (
            SELECT t.n, format('%I %s%s', p.proargnames[t.n], format_type(t.type, NULL),
                ' = ' || regexp_replace(pg_get_function_arg_default(p.oid, t.n::int), '::[a-z_ ]+(\\[\\])?$', '')) AS text
            FROM unnest(p.proargtypes) WITH ORDINALITY AS t (type, n)) AS x
    ) AS a
    CROSS JOIN LATERAL (
        SELECT string_agg(k.grantee, ', ' ORDER BY k.n) AS grants FROM unnest('{user,worker,admin}'::text[]) WITH ORDINALITY AS k (grantee, n)
        WHERE p.proname = ANY (zerodb._functions_of(k.grantee)) OR k.grantee = 'admin' AND p.proname = ANY (zerodb._functions_of('user'))
    ) AS g
    WHERE p.pronamespace = 'zerodb'::regnamespace AND p.proname !~ '^_'
    ORDER BY p.proname, a.arguments";

const OF_VIEWS: &str = "
    SELECT format(E'\\n## %s\\n\\n%s.\\n\\n| column | type |\\n| --- | --- |\\n%s', c.relname,
        coalesce(obj_description(c.oid, 'pg_class'), '(no comment)'),
        (SELECT string_agg(format('| `%s` | %s |', a.attname, format_type(a.atttypid, a.atttypmod)), E'\\n' ORDER BY a.attnum)
            FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0))
    FROM pg_class AS c
    WHERE c.relnamespace = 'zerodb'::regnamespace AND c.relkind = 'v' AND c.relname !~ '^_'
    ORDER BY c.relname";

const OF_SETTINGS: &str = "
    SELECT format('| `%s` | %s | %s | %s | %s %s |', s.name, coalesce('`' || nullif(CASE WHEN s.source = 'default' THEN current_setting(s.name) ELSE s.boot_val END, '') || '`', 'none'),
        CASE WHEN s.enumvals IS NOT NULL THEN (SELECT string_agg('`' || v || '`', ', ') FROM unnest(s.enumvals) AS v)
            WHEN s.vartype = 'bool' THEN '`on`, `off`'
            WHEN s.unit = 's' THEN justify_hours(make_interval(secs => s.min_val::float8)) || ' to '
                || justify_hours(make_interval(secs => s.max_val::float8))
            WHEN s.unit = 'kB' THEN s.min_val || ' kB to ' || pg_size_pretty(s.max_val::bigint * 1024)
            WHEN s.min_val IS NOT NULL THEN s.min_val || ' to ' || s.max_val ELSE 'a text' END,
        CASE s.context WHEN 'user' THEN 'anybody' ELSE 'superusers' END, s.short_desc, coalesce(s.extra_desc, ''))
    FROM pg_settings AS s WHERE s.name LIKE 'zerodb.%' ORDER BY s.name";

/// Compares a page with what it is made of, or writes it.
fn holds(name: &str, made: &str) -> Result<()> {
    let path = Path::new(FOLDER).join(name);
    if std::env::var_os("ZERODB_BLESS").is_some() {
        std::fs::write(&path, made)?;
    }
    let written = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let differ = written
        .lines()
        .zip(made.lines())
        .find(|(written, made)| written != made);
    ensure!(
        written == made,
        "docs/reference/{name} is not what the code says, ZERODB_BLESS=1 writes it anew; first of all {differ:#?}"
    );
    Ok(())
}

async fn page(session: &Session, head: &str, entries: &str) -> Result<String> {
    let lines = session.texts(entries).await?;
    ensure!(!lines.is_empty(), "the page has entries");
    Ok(format!("{head}{}\n", lines.join("\n")))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_sql_are_what_the_catalog_says() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        // Names of the extension are shown with their schema, and its settings are known once its library is loaded.
        session
            .run("SET search_path = pg_catalog; SELECT zerodb._limit('max_event_size')")
            .await?;
        holds("functions.md", &page(&session, FUNCTIONS, OF_FUNCTIONS).await?)?;
        holds("views.md", &page(&session, VIEWS, OF_VIEWS).await?)?;
        holds("settings.md", &page(&session, SETTINGS, OF_SETTINGS).await?)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_public_function_and_view_has_a_comment() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let without = "
            SELECT p.oid::regprocedure::text FROM pg_proc AS p WHERE p.pronamespace = 'zerodb'::regnamespace
                AND p.proname !~ '^_' AND obj_description(p.oid, 'pg_proc') IS NULL
            UNION ALL
            SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relnamespace = 'zerodb'::regnamespace AND c.relkind = 'v'
                AND c.relname !~ '^_' AND obj_description(c.oid, 'pg_class') IS NULL";
        assert_eq!(session.texts(without).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[test]
fn the_page_of_hooks_is_what_the_contract_says() -> Result<()> {
    holds("hooks.md", &zerodb_hooks_contract::reference::page())
}

#[test]
fn the_page_of_metrics_is_what_the_table_says() -> Result<()> {
    holds("metrics.md", &zerodb_hooks_worker::metrics::page())
}

/// What the program prints for some arguments.
fn help(arguments: &[&str]) -> Result<String> {
    let mut command: Command = worker::command()?;
    let said = command.args(arguments).output()?;
    ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let lines: Vec<_> = std::str::from_utf8(&said.stdout)?
        .lines()
        .map(str::trim_end)
        .collect();
    Ok(lines.join("\n").trim_end().to_owned())
}

/// The commands that the help lists, but `help` itself.
fn commands(help: &str) -> Vec<&str> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| line.starts_with("  "));
    // What is indented further goes on with the line before.
    let names = listed
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").collect()
}

#[test]
fn the_page_of_the_command_line_is_what_the_help_says() -> Result<()> {
    let overview = help(&["--help"])?;
    let mut made = format!("{COMMAND_LINE}\n```text\n{overview}\n```\n");
    let commands = commands(&overview);
    ensure!(commands.contains(&"worker"), "{commands:?}");
    for command in commands {
        let of_command = help(&[command, "--help"])?;
        made.push_str(&format!(
            "\n## zerodb-hooks {command}\n\n```text\n{of_command}\n```\n"
        ));
    }
    holds("command_line.md", &made)
}
