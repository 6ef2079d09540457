//! The ledger and the budgets, as the worker's handlers use them.

use anyhow::Result;
use uuid::Uuid;
use zerodb_hooks_harness::{SOON, eventually, on_every_server};
use zerodb_hooks_worker::providers::Usage;
use zerodb_hooks_worker::store::{Spending, Store, UsageEntry};

fn entry(id: Uuid, tokens: u64) -> UsageEntry {
    UsageEntry {
        id,
        user_id: None,
        project_id: None,
        handler: "auto_embed".into(),
        hook_id: None,
        provider: "openai".into(),
        model: "bge-m3".into(),
        requests: 1,
        inputs: 2,
        usage: Usage {
            prompt_tokens: tokens,
            completion_tokens: 0,
            estimated: false,
        },
    }
}

fn spending(tokens: u64) -> Spending {
    Spending {
        id: Uuid::new_v4(),
        user_id: None,
        project_id: None,
        handler: "auto_embed".into(),
        tokens,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_exceeds_a_budget_is_said_in_one_line_and_goes_when_there_is_room() -> Result<()> {
    on_every_server(async |database| {
        let (session, store) = (database.session().await?, Store::new(&database.url())?);
        let wanted = [spending(60), spending(60), spending(200)];
        assert_eq!(store.check_budgets(&wanted).await?, [None, None, None]);
        session
            .run("SELECT zerodb.set_budget(100, handler => 'auto_embed')")
            .await?;
        let answers = store.check_budgets(&wanted).await?;
        assert_eq!(
            answers.iter().map(Option::is_some).collect::<Vec<_>>(),
            [false, true, true]
        );
        let said = answers[1].as_ref().map(ToString::to_string).unwrap_or_default();
        assert_eq!(
            said,
            "budget_exceeded: the budget of 100 tokens a day for auto_embed is used up"
        );
        store.record_usage(&[entry(wanted[0].id, 40)]).await?;
        let answers = store.check_budgets(&wanted[1..]).await?;
        assert_eq!(
            answers.iter().map(Option::is_some).collect::<Vec<_>>(),
            [false, true]
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_claims_beyond_reason_breaks_no_sum() -> Result<()> {
    on_every_server(async |database| {
        let (session, store) = (database.session().await?, Store::new(&database.url())?);
        let entries: Vec<_> = (0..100).map(|_| entry(Uuid::new_v4(), u64::MAX)).collect();
        store.record_usage(&entries).await?;
        // Written twice, as after a lost answer.
        store.record_usage(&entries).await?;
        session.becomes("SELECT requests FROM zerodb.usage", 100).await?;
        session
            .run("UPDATE zerodb.usage_entry SET at = at - interval '6 minutes'")
            .await?;
        assert!(!store.roll_up_usage().await?);
        session
            .becomes("SELECT requests FROM zerodb.usage_day", 100)
            .await?;
        store.prune_endpoints().await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_recorded_by_a_worker_that_has_only_its_grant() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let role = database.create_role("hand").await?;
        session
            .run(&format!(
                "SELECT zerodb.grant_worker('{role}'), zerodb.set_budget(100)"
            ))
            .await?;
        let store = Store::new(&database.cluster.url_as(&role, &database.name))?;
        let one = spending(10);
        assert_eq!(store.check_budgets(std::slice::from_ref(&one)).await?, [None]);
        store.record_usage(&[entry(one.id, 10)]).await?;
        eventually(SOON, async || store.roll_up_usage().await.ok()).await?;
        store.prune_endpoints().await?;
        session
            .becomes("SELECT tokens_left FROM zerodb.budgets", 90)
            .await
    })
    .await
}
