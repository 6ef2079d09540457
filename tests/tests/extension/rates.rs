//! The limits of model endpoints, kept by all workers together. Every call is the worker's own statement.

use zerodb_hooks_harness::{Database, Result, on_every_server};
use zerodb_hooks_worker::store::statements::{PRUNE_ADMISSIONS, SETTLE_ENDPOINT};

use crate::endpoints::{Ask, FAR};

/// Eight sessions take places until they are refused. Returns how many answers let somebody in.
async fn crowd(db: &Database, ask: &Ask, tokens: impl Fn(i32) -> i32) -> Result<i64> {
    let mut sessions = Vec::new();
    for _ in 0..8 {
        let session = db.session().await?;
        session.run("SET enable_seqscan = off").await?;
        sessions.push(session);
    }
    let taken = futures_util::future::try_join_all(sessions.iter().enumerate().map(async |(at, session)| {
        let mut taken = 0;
        while ask.of(session, tokens(taken + at as i32)).await?.entered {
            taken += 1;
        }
        Ok::<_, anyhow::Error>(i64::from(taken))
    }))
    .await?;
    Ok(taken.iter().sum())
}

/// The most that any 60 seconds saw, wherever they begin.
fn busiest_minute(of: &str) -> String {
    format!(
        "SELECT max((SELECT sum(b.{of}) FROM zerodb.endpoint_admission AS b
            WHERE b.at >= a.at AND b.at < a.at + interval '60 seconds')) FROM zerodb.endpoint_admission AS a"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn no_minute_sees_more_requests_than_allowed_and_little_time_is_wasted() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for per_minute in [1, 60, 100, 600] {
            session.run("TRUNCATE zerodb.endpoint_admission").await?;
            let taken = crowd(&db, &Ask::requests("e", per_minute).far(), |_| 5).await?;
            let rows = "SELECT count(*) FROM zerodb.endpoint_admission";
            assert_eq!(
                session.number(rows).await?,
                taken,
                "{per_minute}: each place is one's"
            );
            let busiest = session.number(&busiest_minute("requests")).await?;
            assert!(busiest <= i64::from(per_minute), "{busiest} of {per_minute}");
            // All that the time holds at the limit, but for a twentieth.
            let ideal = i64::from(per_minute) * i64::from(FAR) / 60_000;
            assert!(
                taken >= ideal * 19 / 20,
                "{per_minute} a minute: {taken} of {ideal}"
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_minute_sees_more_tokens_than_allowed_and_little_time_is_wasted() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        // Up to a tenth of a minute's in different sizes, and larger ones of one size.
        let mixed: fn(i32) -> i32 = |n| 1 + n * 7919 % 1000;
        let sizes = [
            (mixed, 10_000),
            (|_| 3000, 9000),
            (|_| 4000, 8000),
            (|_| 9999, 9999),
        ];
        for (size, reached) in sizes {
            session.run("TRUNCATE zerodb.endpoint_admission").await?;
            crowd(&db, &Ask::tokens("e", 10_000).far(), size).await?;
            let busiest = session.number(&busiest_minute("tokens")).await?;
            assert!(busiest <= 10_000, "{busiest} of 10,000 tokens");
            assert!(busiest * 10 >= reached * 9, "{busiest} of {reached} tokens");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_is_refused_takes_nothing_and_learns_why_and_how_long() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let ask = Ask::requests("e", 1);
        assert!(ask.of(&session, 1).await?.entered);
        let before = session.rows("SELECT * FROM zerodb.endpoint_admission").await?;
        session.run("BEGIN").await?;
        let refused = ask.of(&session, 1).await?;
        assert!(!refused.entered);
        assert_eq!(refused.held_by.as_deref(), Some("requests"));
        assert!((1..=61_017).contains(&refused.wait_ms), "{refused:?}");
        let changes = "SELECT count(pg_current_xact_id_if_assigned())";
        assert_eq!(session.number(changes).await?, 0, "nothing is written");
        session.run("COMMIT").await?;
        assert_eq!(
            session.rows("SELECT * FROM zerodb.endpoint_admission").await?,
            before
        );
        let ask = Ask::tokens("t", 600);
        assert!(ask.of(&session, 600).await?.entered);
        let refused = ask.of(&session, 1).await?;
        assert_eq!(refused.held_by.as_deref(), Some("tokens"));
        assert!(
            refused.wait_ms > 20_000,
            "a minute's tokens are gone: {refused:?}"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_request_of_more_than_a_minute_goes_after_a_rest_and_counts_as_a_minute() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let ask = Ask::tokens("e", 1000);
        assert!(ask.of(&session, 50_000).await?.entered);
        let refused = ask.of(&session, 50_000).await?;
        assert!((20_000..=61_000).contains(&refused.wait_ms), "{refused:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nobody_enters_twice_from_one_place_even_with_an_old_view() -> Result<()> {
    on_every_server(async |db| {
        let (session, other) = (db.session().await?, db.session().await?);
        let ask = Ask::requests("e", 60);
        assert!(ask.of(&other, 1).await?.entered);
        session
            .run("UPDATE zerodb.endpoint_admission SET next_request_at = clock_timestamp() - interval '1 hour'")
            .await?;
        session
            .run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM zerodb.endpoint")
            .await?;
        assert!(ask.of(&other, 1).await?.entered);
        assert!(ask.of(&session, 1).await.is_err(), "what it sees is one behind");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_estimate_that_was_too_high_is_given_back() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let ask = Ask::tokens("e", 10_000);
        assert!(ask.of(&session, 5000).await?.entered);
        assert!(!ask.of(&session, 1).await?.entered);
        session
            .client
            .execute(SETTLE_ENDPOINT, &[&"e", &10_000_i32, &5000_i32, &20_i32])
            .await?;
        assert!(ask.of(&session, 900).await?.entered);
        // And one that was too low is charged.
        session
            .client
            .execute(SETTLE_ENDPOINT, &[&"e", &10_000_i32, &900_i32, &9000_i32])
            .await?;
        let refused = ask.of(&session, 1).await?;
        assert!(refused.wait_ms > 30_000, "{refused:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_clock_that_was_set_back_closes_an_endpoint_for_minutes_at_most() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let ask = Ask::requests("e", 60);
        assert!(ask.of(&session, 1).await?.entered);
        session
            .run("UPDATE zerodb.endpoint_admission SET next_request_at = clock_timestamp() + interval '1 year'")
            .await?;
        assert!(ask.of(&session, 1).await?.wait_ms <= 180_000);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn pruning_keeps_the_admission_that_counts() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for _ in 0..3 {
            assert!(Ask::requests("e", 6).far().of(&session, 1).await?.entered);
        }
        session
            .run("UPDATE zerodb.endpoint_admission SET at = at - interval '11 minutes'")
            .await?;
        assert_eq!(session.client.execute(PRUNE_ADMISSIONS, &[]).await?, 2);
        let refused = Ask::requests("e", 6).of(&session, 1).await?;
        assert!(
            refused.wait_ms > 11_000,
            "the third place still counts: {refused:?}"
        );
        Ok(())
    })
    .await
}
