//! The ledger of what models were used for, and its sums. Every call is the worker's own statement.

use serde_json::{Value, json};
use uuid::Uuid;
use zerodb_hooks_harness::{Result, Session, on_every_server};
use zerodb_hooks_worker::store::statements::{CHECK_BUDGETS, RECORD_USAGE, ROLL_UP_USAGE};

use crate::{ALICE, BOB, PROJECT};

/// A use of a model.
#[derive(Clone)]
pub(crate) struct Use {
    pub id: Uuid,
    pub user: &'static str,
    pub project: Option<&'static str>,
    pub handler: &'static str,
    pub tokens: i64,
}

/// A request that must wait.
#[derive(Debug, PartialEq)]
pub(crate) struct Waits {
    pub place: i32,
    pub ms: i64,
    pub reason: String,
}

/// Of Alice, by auto_embed.
pub(crate) fn used(tokens: i64) -> Use {
    Use {
        id: Uuid::new_v4(),
        user: ALICE,
        project: None,
        handler: "auto_embed",
        tokens,
    }
}

fn uuids<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Uuid> {
    texts.map(|text| text.parse().expect("a UUID")).collect()
}

fn projects(uses: &[Use]) -> Vec<Option<Uuid>> {
    let parsed = |text: &str| text.parse().expect("a UUID");
    uses.iter().map(|one| one.project.map(parsed)).collect()
}

/// Records each as one request of two inputs, with completion tokens of a tenth.
pub(crate) async fn record(session: &Session, uses: &[Use], estimated: bool) -> Result<i64> {
    let projects = projects(uses);
    let all = |value: &'static str| vec![value; uses.len()];
    Ok(session
        .client
        .query_one(
            RECORD_USAGE,
            &[
                &uses.iter().map(|one| one.id).collect::<Vec<_>>(),
                &uuids(uses.iter().map(|one| one.user)),
                &projects,
                &uses.iter().map(|one| one.handler).collect::<Vec<_>>(),
                &vec![None::<Uuid>; uses.len()],
                &all("openai"),
                &all("bge-m3"),
                &uses
                    .iter()
                    .map(|one| i32::from(one.tokens > 0))
                    .collect::<Vec<_>>(),
                &vec![2_i32; uses.len()],
                &uses
                    .iter()
                    .map(|one| one.tokens - one.tokens / 10)
                    .collect::<Vec<_>>(),
                &uses.iter().map(|one| one.tokens / 10).collect::<Vec<_>>(),
                &vec![estimated; uses.len()],
            ],
        )
        .await?
        .get(0))
}

/// The requests that must wait.
pub(crate) async fn check(session: &Session, uses: &[Use]) -> Result<Vec<Waits>> {
    let projects = projects(uses);
    let rows = session
        .client
        .query(
            CHECK_BUDGETS,
            &[
                &uses.iter().map(|one| one.id).collect::<Vec<_>>(),
                &uuids(uses.iter().map(|one| one.user)),
                &projects,
                &uses.iter().map(|one| one.handler).collect::<Vec<_>>(),
                &uses.iter().map(|one| one.tokens).collect::<Vec<_>>(),
                &60_000_i64,
            ],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Waits {
            place: row.get("place"),
            ms: row.get("wait_ms"),
            reason: row.get("reason"),
        })
        .collect())
}

pub(crate) async fn roll_up(session: &Session, kept: &str, batch: i32) -> Result<i64> {
    Ok(session
        .client
        .query_one(ROLL_UP_USAGE, &[&kept, &batch])
        .await?
        .get(0))
}

/// The view, with the days as they are.
async fn usage(session: &Session) -> Result<Vec<Value>> {
    session
        .rows("SELECT * FROM zerodb.usage ORDER BY day, user_id, project_id, handler, hook_id, model")
        .await
}

#[tokio::test]
async fn usage_is_summed_by_day_and_an_entry_counts_once() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let (known, guessed) = ([used(100), used(200)], [used(100)]);
        assert_eq!(record(&session, &known, false).await?, 2);
        assert_eq!(record(&session, &known, false).await?, 0, "the answer was lost, it comes again");
        assert_eq!(record(&session, &guessed, true).await?, 1);
        let sums = session
            .rows("SELECT requests, inputs, prompt_tokens, completion_tokens, estimated_share, provider FROM zerodb.usage")
            .await?;
        assert_eq!(
            sums,
            [json!({"requests": 3, "inputs": 6, "prompt_tokens": 360, "completion_tokens": 40,
                "estimated_share": "0.2500".parse::<serde_json::Number>()?, "provider": "openai"})]
        );
        Ok(())
    })
    .await
}

/// Three days of entries of both users, in and out of a project and of two handlers.
async fn three_days(session: &Session) -> Result<()> {
    let mut uses = Vec::new();
    for n in 1..=60 {
        let user = if n % 2 == 0 { ALICE } else { BOB };
        let project = (n % 3 == 0).then_some(PROJECT);
        let handler = if n % 5 == 0 { "auto_graph" } else { "auto_embed" };
        uses.push(Use {
            user,
            project,
            handler,
            ..used(n * 10)
        });
    }
    record(session, &uses[..40], false).await?;
    record(session, &uses[40..], true).await?;
    session
        .run("UPDATE zerodb.usage_entry SET at = at - (completion_tokens % 3) * interval '1 day'")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sums_of_the_days_are_exact_while_several_make_them() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        three_days(&session).await?;
        let before = usage(&session).await?;
        // A part of the days has sums already.
        assert_eq!(roll_up(&session, "1 day", 5).await?, 5);
        assert_eq!(usage(&session).await?, before);
        let mut others = Vec::new();
        for _ in 0..4 {
            others.push(db.session().await?);
        }
        let moved = futures_util::future::try_join_all(others.iter().map(async |session| {
            let mut all = 0;
            // Rows that another one holds are left to it.
            while session.number("SELECT count(*) FROM zerodb.usage_entry").await? > 0 {
                all += roll_up(session, "-1 day", 7).await?;
            }
            Ok::<_, anyhow::Error>(all)
        }))
        .await?;
        assert_eq!(moved.iter().sum::<i64>(), 55);
        assert_eq!(usage(&session).await?, before);
        let left = session.number("SELECT count(*) FROM zerodb.usage_entry").await?;
        assert_eq!(left, 0);
        assert_eq!(
            session.number("SELECT count(*) FROM zerodb.usage_day").await?,
            i64::try_from(before.len())?,
            "one row a day and key"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn sums_that_are_not_committed_leave_the_ledger_as_it_was() -> Result<()> {
    on_every_server(async |db| {
        let (session, other) = (db.session().await?, db.session().await?);
        three_days(&session).await?;
        let before = usage(&session).await?;
        session.run("BEGIN").await?;
        assert_eq!(roll_up(&session, "-1 day", 1000).await?, 60);
        assert_eq!(usage(&session).await?, before);
        assert_eq!(usage(&other).await?, before);
        session.run("ROLLBACK").await?;
        assert_eq!(usage(&session).await?, before);
        assert_eq!(
            session.number("SELECT count(*) FROM zerodb.usage_entry").await?,
            60
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn without_a_budget_nothing_waits_and_nothing_is_written() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("BEGIN").await?;
        assert_eq!(check(&session, &[used(i64::MAX / 4)]).await?, []);
        let changes = "SELECT count(pg_current_xact_id_if_assigned())";
        assert_eq!(session.number(changes).await?, 0);
        Ok(())
    })
    .await
}
