//! Every error of the hook functions: its SQLSTATE, its words, and what to do.

use zerodb_hooks_harness::{Result, Session, SqlError, on_every_server};

use crate::{ALICE, PROJECT};

/// The error of a statement, of which code and message must be these, and which must say what to do.
pub async fn expect(session: &Session, sql: &str, code: &str, message: &str) -> Result<SqlError> {
    let error = session.error(sql).await?;
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        (code, message),
        "of {sql}"
    );
    assert!(
        error.hint.as_deref().is_some_and(|hint| !hint.is_empty()),
        "{error:?} has no hint, of {sql}"
    );
    Ok(error)
}

#[tokio::test]
async fn a_hook_that_exists_23505() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let global = "SELECT zerodb.create_hook('on_import', 'audit', '{}', NULL, 'log')";
        let project =
            format!("SELECT zerodb.create_hook('on_import', 'audit', '{{}}', '{PROJECT}', 'log', '{ALICE}')");
        for create in [global, &project] {
            session.run(create).await?;
            let error = expect(
                &session,
                create,
                "23505",
                "hook 'audit' on 'on_import' exists already",
            )
            .await?;
            assert!(error.detail.is_some_and(|detail| detail.contains("project ")));
        }
        // The same when the function is gone around.
        let around = "INSERT INTO zerodb.zerodb_hooks (user_id, event_type, hook_type, hook_name)
            VALUES (zerodb._every_user(), 'on_import', 'log', 'audit')";
        assert_eq!(session.error(around).await?.code, "23505");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_bad_name_22023() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for (hook_type, name, message) in [
            (
                "first_party",
                "'auto_dance'",
                "'auto_dance' is not a first-party hook",
            ),
            ("log", "''", "invalid hook name ''"),
            ("log", "NULL", "invalid hook name ''"),
            ("log", "'-x'", "invalid hook name '-x'"),
            ("webhook", "'a b'", "invalid hook name 'a b'"),
            ("log", "'größe'", "invalid hook name 'größe'"),
        ] {
            let sql = format!(
                "SELECT zerodb.create_hook('*', {name}, '{{\"url\": \"https://a\"}}', NULL, '{hook_type}')"
            );
            expect(&session, &sql, "22023", message).await?;
        }
        let long =
            format!("SELECT zerodb.create_hook('*', repeat('x', 101), '{{}}', NULL, 'log', '{ALICE}')");
        assert_eq!(session.error(&long).await?.code, "22023");
        session.run(&long.replace("101", "100")).await
    })
    .await
}

#[tokio::test]
async fn a_bad_type_22023() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for (hook_type, shown) in [("'smoke_signal'", "smoke_signal"), ("''", ""), ("NULL", "")] {
            let sql = format!("SELECT zerodb.create_hook('*', 'x', '{{}}', NULL, {hook_type})");
            expect(&session, &sql, "22023", &format!("unknown hook type '{shown}'")).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_bad_event_22023() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for event in [
            "''",
            "'nope'",
            "'zerodb.vector.stored.x'",
            "'zerodb*'",
            "'.*'",
            "'*.*'",
            "'Zerodb.*'",
            "NULL",
        ] {
            let sql = format!("SELECT zerodb.create_hook({event}, 'x', '{{}}', NULL, 'log')");
            let error = expect(&session, &sql, "22023", &format!("unknown event type {event}")).await?;
            assert!(error.detail.is_some());
        }
        for event in ["*", "zerodb.*", "zerodb.vector.*", "on_retain", "not_yet.known.*"] {
            session
                .run(&format!(
                    "SELECT zerodb.create_hook('{event}', 'x', '{{}}', NULL, 'log')"
                ))
                .await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_bad_config_22023() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for (hook_type, config, message) in [
            ("log", "'[]'", "hook_config must be a JSON object"),
            ("log", "'null'", "hook_config must be a JSON object"),
            ("log", "NULL", "hook_config must be a JSON object"),
            (
                "log",
                r#"'{"levle": 1}'"#,
                r#"unknown key "levle" in the config of a log hook"#,
            ),
            ("webhook", "'{}'", r#"the config of a webhook hook needs "url""#),
            ("sql", "'{}'", r#"the config of a sql hook needs "function""#),
            (
                "sql",
                r#"'{"function": "no.such"}'"#,
                "function no.such(jsonb) does not exist",
            ),
            (
                "sql",
                r#"'{"function": "; DROP"}'"#,
                "function ; DROP(jsonb) does not exist",
            ),
        ] {
            let sql = format!("SELECT zerodb.create_hook('*', 'x', {config}, NULL, '{hook_type}')");
            expect(&session, &sql, "22023", message).await?;
        }
        let known = session
            .error(r#"SELECT zerodb.create_hook('*', 'auto_embed', '{"modell": "x"}')"#)
            .await?;
        assert!(
            known
                .detail
                .is_some_and(|detail| detail.contains("model, provider, dimensions"))
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_bad_value_in_a_config_22023() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for (hook_type, key, value) in [
            ("log", "level", r#""loud""#),
            ("webhook", "url", r#""ftp://a""#),
            ("webhook", "url", r#""https://a b""#),
            ("webhook", "url", r#""https://""#),
            ("webhook", "method", r#""GET""#),
            ("webhook", "headers", r#"{"A": 1}"#),
            ("webhook", "timeout_ms", "0"),
            ("webhook", "retry_count", "1.5"),
            ("webhook", "async", r#""yes""#),
            ("webhook", "secret", "5"),
            ("function", "concurrency", r#""many""#),
        ] {
            let config = format!(r#"{{"{key}": {value}}}"#);
            let sql = format!("SELECT zerodb.create_hook('*', 'x', '{config}', NULL, '{hook_type}')");
            // Within an object the path goes on.
            let path = if key == "headers" { "headers.A" } else { key };
            let message = format!("invalid value for \"{path}\" in hook_config");
            assert!(expect(&session, &sql, "22023", &message).await?.detail.is_some());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_literal_secret_22023_and_not_repeated() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for secret in ["whsec_abcdef", "${HOME}", "${ZERODB_SECRET_}", "x${ZERODB_SECRET_A}"] {
            let sql = format!(
                r#"SELECT zerodb.create_hook('*', 'x', '{{"url": "https://a", "secret": "{secret}"}}', NULL, 'webhook')"#
            );
            let error = expect(&session, &sql, "22023", "\"secret\" in hook_config holds a literal secret").await?;
            assert!(!format!("{error:?}").contains(secret));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_bad_predicate_22023() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for predicate in ["$.a >", "size > 10", "$ ? (@.a like_regex \\\"(\\\")"] {
            let sql =
                format!(r#"SELECT zerodb.create_hook('*', 'x', '{{"when": "{predicate}"}}', NULL, 'log')"#);
            let error = expect(
                &session,
                &sql,
                "22023",
                "invalid value for \"when\" in hook_config",
            )
            .await?;
            assert!(error.detail.is_some());
        }
        for wrong in ["\"\"", "5", "null"] {
            let sql = format!(r#"SELECT zerodb.create_hook('*', 'x', '{{"when": {wrong}}}', NULL, 'log')"#);
            expect(
                &session,
                &sql,
                "22023",
                "invalid value for \"when\" in hook_config",
            )
            .await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_bad_order_22023() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let message = "invalid value for \"order_by\" in hook_config";
        for hook_type in ["log", "function"] {
            let create = |path: &str| {
                format!(
                    "SELECT zerodb.create_hook('*', '{hook_type}', '{{\"order_by\": {path}}}', NULL, '{hook_type}')"
                )
            };
            for wrong in ["\"entity id\"", "\"$.a[\"", "\"\"", "5", "null"] {
                let error = expect(&session, &create(wrong), "22023", message).await?;
                assert!(error.detail.is_some());
            }
            session.run(&create("\"$.entity_id\"")).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_bad_hook_is_refused_whichever_way_it_is_written() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("SELECT zerodb.create_hook('*', 'x', hook_type => 'log')").await?;
        let insert = "INSERT INTO zerodb.zerodb_hooks (user_id, event_type, hook_type, hook_name) VALUES (gen_random_uuid(), '*', 'bad', 'x')";
        expect(&session, insert, "22023", "unknown hook type 'bad'").await?;
        let update = r#"UPDATE zerodb.zerodb_hooks SET hook_config = '{"no": 1}'"#;
        expect(&session, update, "22023", "unknown key \"no\" in the config of a log hook").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn update_hook_refuses_a_bad_config_22023() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let id = session
            .text("SELECT (zerodb.create_hook('*', 'x', hook_type => 'log')).id")
            .await?;
        for (config, message) in [
            (
                r#"{"url": "https://a"}"#,
                "unknown key \"url\" in the config of a log hook",
            ),
            ("[]", "hook_config must be a JSON object"),
            (r#"{"when": "$ >"}"#, "invalid value for \"when\" in hook_config"),
        ] {
            expect(
                &session,
                &format!("SELECT zerodb.update_hook('{id}', '{config}')"),
                "22023",
                message,
            )
            .await?;
        }
        assert_eq!(
            session
                .text("SELECT hook_config FROM zerodb.zerodb_hooks")
                .await?,
            "{}"
        );
        Ok(())
    })
    .await
}
