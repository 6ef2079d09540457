//! The gate that workers share: two of them, each with its own connections, before one endpoint.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use zerodb_hooks_harness::{Database, SOON, Session, eventually, on_every_server};
use zerodb_hooks_worker::providers::{Cap, Class, Entered, Gate, Learned, RateLimits, Wait};
use zerodb_hooks_worker::store::{SharedGate, Store};

const UNLIMITED: RateLimits = RateLimits {
    requests_per_minute: None,
    tokens_per_minute: None,
};

fn per_minute(requests: u32) -> RateLimits {
    RateLimits {
        requests_per_minute: Some(requests),
        ..UNLIMITED
    }
}

fn gate(database: &Database) -> Result<Arc<SharedGate>> {
    Ok(Arc::new(SharedGate::new(Store::new(&database.url())?)))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_of_many_tasks_let_in_what_the_server_counted() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let (one, other) = (gate(&database)?, gate(&database)?);
        let tasks = [&one, &other].into_iter().flat_map(|gate| vec![gate; 16]);
        // A place is taken half a second ahead: of 32 who ask at once at 2 a second, few get one and all get an answer.
        let answers = futures_util::future::join_all(
            tasks.map(async |gate| gate.enter("e", per_minute(120), 1, 10).await),
        )
        .await;
        let entered = answers.iter().filter(|answer| answer.is_ok()).count();
        let counted = session
            .number("SELECT sum(requests) FROM zerodb.endpoint_admission")
            .await?;
        assert_eq!(i64::try_from(entered)?, counted);
        assert!((1..32).contains(&entered), "{entered}");
        for wait in answers.into_iter().filter_map(Result::err) {
            assert_eq!(wait.reason, Class::RateLimited.into());
            assert!(
                wait.after > Duration::ZERO && wait.after < Duration::from_secs(2),
                "{wait:?}"
            );
        }
        // Whoever asks again gets in.
        eventually(SOON, async || one.enter("e", per_minute(120), 1, 10).await.ok()).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_of_one_worker_holds_the_other() -> Result<()> {
    on_every_server(async |database| {
        let (one, other) = (gate(&database)?, gate(&database)?);
        assert_eq!(other.enter("e", UNLIMITED, 1, 10).await, Ok(Entered::Usual));
        one.pause("e", Duration::from_secs(600), Class::QuotaExhausted)
            .await;
        let held = one.enter("e", UNLIMITED, 1, 10).await;
        assert_eq!(
            held.map_err(|wait| wait.reason),
            Err(Class::QuotaExhausted.into())
        );
        // It trusts what it was told for a second.
        let held = eventually(SOON, async || other.enter("e", UNLIMITED, 1, 10).await.err()).await?;
        assert_eq!(held.reason, Class::QuotaExhausted.into());
        assert!(held.after > Duration::from_secs(500), "{held:?}");
        assert_eq!(one.enter("another", UNLIMITED, 1, 10).await, Ok(Entered::Usual));
        let session = database.session().await?;
        session.run("SELECT zerodb.resume_endpoint('e')").await?;
        for gate in [one, other] {
            eventually(SOON, async || gate.enter("e", UNLIMITED, 1, 10).await.ok()).await?;
        }
        Ok(())
    })
    .await
}

/// Enters while nobody can read the table, so without a statement.
async fn enters_without_a_statement(gate: &SharedGate, session: &Session) -> Result<()> {
    gate.enter("e", UNLIMITED, 1, 10).await.map_err(refused)?;
    session
        .run("BEGIN; LOCK TABLE zerodb.endpoint IN ACCESS EXCLUSIVE MODE")
        .await?;
    let mut answers = Vec::new();
    for _ in 0..1000 {
        answers.push(gate.enter("e", UNLIMITED, 1, 10).await);
    }
    session.run("ROLLBACK").await?;
    answers
        .into_iter()
        .try_for_each(|answer| answer.map(|_| ()).map_err(refused))
}

fn refused(wait: Wait) -> anyhow::Error {
    anyhow::anyhow!("{wait:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_without_limits_is_asked_for_rarely() -> Result<()> {
    on_every_server(async |database| {
        let (gate, session) = (gate(&database)?, database.session().await?);
        // Again, should the second of trust end in between.
        eventually(SOON, async || {
            enters_without_a_statement(&gate, &session).await.ok()
        })
        .await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_enters_and_nobody_hangs_while_the_database_is_away() -> Result<()> {
    on_every_server(async |database| {
        let (gate, session) = (gate(&database)?, database.session().await?);
        session
            .run("BEGIN; LOCK TABLE zerodb.endpoint IN ACCESS EXCLUSIVE MODE")
            .await?;
        let tasks = (0..8).map(async |_| gate.enter("e", per_minute(60), 1, 10).await);
        let Ok(answers) = tokio::time::timeout(SOON, futures_util::future::join_all(tasks)).await else {
            bail!("they hang");
        };
        assert!(answers.iter().all(Result::is_err));
        session.run("ROLLBACK").await?;
        eventually(SOON, async || gate.enter("e", per_minute(60), 1, 10).await.ok()).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estimate_is_corrected_where_tokens_are_limited() -> Result<()> {
    on_every_server(async |database| {
        let gate = gate(&database)?;
        let limits = RateLimits {
            tokens_per_minute: Some(1000),
            ..UNLIMITED
        };
        assert_eq!(gate.enter("e", limits, 1, 1000).await, Ok(Entered::Usual));
        assert!(gate.enter("e", limits, 1, 900).await.is_err());
        gate.settle("e", limits, 1000, 10).await;
        // A server that answers late holds everybody for a moment; without the correction it would be a minute.
        eventually(SOON, async || gate.enter("e", limits, 1, 900).await.ok()).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_worker_learned_the_other_knows() -> Result<()> {
    on_every_server(async |database| {
        let (one, other) = (gate(&database)?, gate(&database)?);
        let caps = [(Cap::Inputs, 32), (Cap::InputTokens, 512)].map(|(cap, value)| Learned { cap, value });
        for cap in caps {
            one.learned("e", "bge-m3", cap).await;
        }
        let mut known = other.known("e", "bge-m3").await;
        known.sort_by_key(|learned| learned.value);
        assert_eq!(known, caps);
        assert!(other.known("e", "another").await.is_empty());
        Ok(())
    })
    .await
}
