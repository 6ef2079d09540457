//! What `zerodb.watch` refuses: the code, the words, and that nothing is watched.

use zerodb_hooks_harness::{Result, on_every_server};

#[tokio::test]
async fn what_cannot_be_watched_is_refused() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run(
                "CREATE TABLE item (id int PRIMARY KEY); CREATE VIEW seen AS SELECT * FROM item;
                CREATE MATERIALIZED VIEW kept AS SELECT 1 AS id; CREATE TEMP TABLE brief (id int);
                CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER s FOREIGN DATA WRAPPER nowhere;
                CREATE FOREIGN TABLE remote (id int) SERVER s; CREATE SEQUENCE counter;
                CREATE TABLE whole (id int) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF whole DEFAULT",
            )
            .await?;
        for (target, message) in [
            ("'seen'", "public.seen cannot be watched"),
            ("'kept'", "public.kept cannot be watched"),
            ("'brief'", "brief cannot be watched"),
            ("'remote'", "public.remote cannot be watched"),
            ("'counter'", "public.counter cannot be watched"),
            ("'part'", "public.part is part of another table"),
            ("'zerodb.zerodb_hooks'", "a table of zerodb_hooks itself cannot be watched"),
            ("'pg_class'", "permission denied: \"pg_class\" is a system catalog"),
        ] {
            let error = session.error(&format!("SELECT zerodb.watch({target}, 'zerodb.table.row_inserted')")).await?;
            let code = if target == "'pg_class'" { "42501" } else { "42809" };
            assert_eq!((error.code.as_str(), error.message.as_str()), (code, message), "{error:?}");
        }
        let error = session.error("SELECT zerodb.watch(NULL, 'zerodb.table.row_inserted')").await?;
        assert_eq!(error.code, "42P01");
        Ok(())
    })
    .await
}

/// `zerodb.watch('item', …)` with each of these arguments fails so, with a hint, and watches nothing.
async fn all_refused(cases: &[(&'static str, &'static str, &'static str)]) -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run("CREATE TABLE item (id int PRIMARY KEY, gone int); ALTER TABLE item DROP COLUMN gone")
            .await?;
        for (arguments, code, message) in cases {
            let error = session
                .error(&format!("SELECT zerodb.watch('item', {arguments})"))
                .await?;
            assert_eq!(
                (error.code.as_str(), error.message.as_str()),
                (*code, *message),
                "{arguments}: {error:?}"
            );
            assert!(error.hint.is_some_and(|hint| !hint.is_empty()), "{arguments}");
        }
        assert_eq!(session.number("SELECT count(*) FROM zerodb.watches").await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_event_type_that_cannot_be_watched_is_refused() -> Result<()> {
    let batch = "event type 'zerodb.vector.batch_stored' follows from 'zerodb.vector.stored'";
    all_refused(&[
        ("'nope'", "22023", "unknown event type 'nope'"),
        ("NULL", "22023", "unknown event type NULL"),
        ("'*'", "22023", "unknown event type '*'"),
        ("'zerodb.vector.batch_stored'", "22023", batch),
    ])
    .await
}

#[tokio::test]
async fn columns_that_do_not_fit_are_refused() -> Result<()> {
    let field = "event type 'on_import' has no field 'nope'";
    let source = "invalid source for field 'bank_id'";
    all_refused(&[
        ("'on_import', '[]'", "22023", "columns must be a JSON object"),
        ("'on_import', NULL", "22023", "columns must be a JSON object"),
        (r#"'on_import', '{"nope": "id"}'"#, "22023", field),
        (
            r#"'on_import', '{"bank_id": "nope"}'"#,
            "42703",
            "column nope of table public.item does not exist",
        ),
        (
            r#"'on_import', '{"bank_id": "gone"}'"#,
            "42703",
            "column gone of table public.item does not exist",
        ),
        (
            r#"'on_import', '{"bank_id": "ctid"}'"#,
            "42703",
            "column ctid of table public.item does not exist",
        ),
        (r#"'on_import', '{"bank_id": 5}'"#, "22023", source),
        (
            r#"'on_import', '{"bank_id": {"value": 1, "x": 2}}'"#,
            "22023",
            source,
        ),
    ])
    .await
}

#[tokio::test]
async fn operations_and_update_of_that_do_not_fit_are_refused() -> Result<()> {
    let column = "column nope of table public.item does not exist";
    let no_update = "update_of is given, but operations have no update";
    all_refused(&[
        (
            "'on_import', operations => '{}'",
            "22023",
            "invalid operations {}",
        ),
        (
            "'on_import', operations => NULL",
            "22023",
            "invalid operations NULL",
        ),
        (
            "'on_import', operations => '{insert,upsert}'",
            "22023",
            "invalid operations {insert,upsert}",
        ),
        (
            "'on_import', operations => '{insert,NULL}'",
            "22023",
            "invalid operations {insert,NULL}",
        ),
        (
            "'on_import', operations => '{update}', update_of => '{nope}'",
            "42703",
            column,
        ),
        (
            "'on_import', operations => '{update}', update_of => '{}'",
            "22023",
            "update_of is empty",
        ),
        ("'on_import', update_of => '{id}'", "22023", no_update),
    ])
    .await
}
