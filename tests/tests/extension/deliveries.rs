//! Replaying, redelivering and discarding: what they change and what they refuse.

use zerodb_hooks_harness::{Result, on_every_server};

use crate::hook_errors::expect;

#[tokio::test]
async fn a_bad_range_to_replay_22023() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run("SELECT zerodb.create_hook('*', 'x', hook_type => 'log')")
            .await?;
        for range in ["NULL", "now(), NULL", "now() + interval '1 day', now()"] {
            let sql = format!("SELECT zerodb.replay(id, {range}) FROM zerodb.zerodb_hooks");
            expect(&session, &sql, "22023", "invalid range to replay").await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_absent_delivery_p0002_and_one_that_cannot_be_discarded_55000() -> Result<()> {
    on_every_server(async |db| {
        let session = crate::watched(&db).await?;
        for call in ["redeliver", "discard"] {
            expect(
                &session,
                &format!("SELECT zerodb.{call}(77)"),
                "P0002",
                "delivery 77 does not exist",
            )
            .await?;
        }
        session.run("INSERT INTO item VALUES (1)").await?;
        session
            .run("SELECT zerodb.replay(id, '-infinity', 'infinity') FROM zerodb.zerodb_hooks")
            .await?;
        let id = session.text("SELECT id FROM zerodb.deliveries").await?;
        session.run(&format!("SELECT zerodb.discard({id})")).await?;
        let again = format!("SELECT zerodb.discard({id})");
        expect(&session, &again, "55000", &format!("delivery {id} is discarded")).await?;
        session.run(&format!("SELECT zerodb.redeliver({id})")).await?;
        assert_eq!(
            session.text("SELECT state FROM zerodb.deliveries").await?,
            "pending"
        );
        session
            .run("UPDATE zerodb.delivery SET state = 'running', due_at = NULL")
            .await?;
        let running = format!("SELECT zerodb.redeliver({id})");
        expect(&session, &running, "55000", &format!("delivery {id} is running")).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_order_key_tells_values_apart_and_is_never_an_error() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let long = "x".repeat(300);
        for (data, key) in [
            (r#"{"a": "1"}"#.to_owned(), r#""1""#),
            (r#"{"a": 1}"#.to_owned(), "1"),
            (r#"{"a": null}"#.to_owned(), "null"),
            (r#"{"b": 1}"#.to_owned(), "null"),
            (r#"{"a": {"b": [1]}}"#.to_owned(), r#"{"b": [1]}"#),
            (r#"{"a": "\u0000"}"#.to_owned(), "null"),
            (format!(r#"{{"a": "{long}"}}"#), "hash"),
        ] {
            let found = session
                .text(&format!("SELECT zerodb._order_key('{data}', '$.a')"))
                .await?;
            assert!(
                found == key || key == "hash" && found.starts_with("hash ") && found.len() < 60,
                "{found}"
            );
        }
        let path = session
            .text(r#"SELECT zerodb._order_key('{"a": 0}', '$.a / 0')"#)
            .await?;
        assert_eq!(path, "null");
        Ok(())
    })
    .await
}
