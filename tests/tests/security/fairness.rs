//! One tenant's, one role's slow hooks: they hold what they may, and everybody else's events go on.

use zerodb_hooks_harness::{Answer, Receiver, Result, SOON, Session, on_every_server};

use crate::actors::{MALLORY, Stage};
use crate::at_work::{emit, hook, in_state, is_served, worker};

/// A webhook that may run for an hour, as often at once as there are slots.
fn slow(receiver: &Receiver) -> String {
    format!(
        r#"{{"url": "{}", "timeout_ms": 3600000, "concurrency": 10000}}"#,
        receiver.url("/")
    )
}

fn never() -> Result<Receiver> {
    let receiver = Receiver::start()?;
    receiver.always(Answer::Hang);
    Ok(receiver)
}

/// Five events one after another: by the last one, whoever takes slots has taken all that he gets.
async fn goes_on(victim: &Session, hook: &str) -> Result<()> {
    for _ in 0..5 {
        is_served(victim, hook).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_slow_hooks_of_a_tenant_leave_slots_to_others() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let receiver = never()?;
        let log = hook(&stage.victim, "log", "log", "{}").await?;
        for n in 1..=9 {
            hook(&stage.mallory, &format!("slow{n}"), "webhook", &slow(&receiver)).await?;
        }
        let (_worker, _) = worker(&db, &stage.admin, &["--in-flight", "40"]).await?;
        emit(&stage.mallory, 100).await?;
        receiver.wait_for(30, SOON).await?;
        goes_on(&stage.victim, &log).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_acts_for_many_tenants_leaves_slots_to_others() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let receiver = never()?;
        let log = hook(&stage.victim, "log", "log", "{}").await?;
        let (_worker, _) = worker(&db, &stage.admin, &["--in-flight", "40"]).await?;
        for n in 0..20 {
            let tenant = format!("aaaaaaaa-0000-4000-8000-0000000000{n:02}");
            stage
                .mallory
                .run(&format!("SET zerodb.user_id = '{tenant}'"))
                .await?;
            hook(&stage.mallory, "slow", "webhook", &slow(&receiver)).await?;
            emit(&stage.mallory, 20).await?;
        }
        receiver.wait_for(30, SOON).await?;
        goes_on(&stage.victim, &log).await
    })
    .await
}

/// Makes a delivery of a hook that was in flight at two crashes.
async fn suspect(stage: &Stage, user: &Session, hook: &str) -> Result<()> {
    emit(user, 1).await?;
    user.run(&format!(
        "SELECT zerodb.update_hook('{hook}', is_active => false); SELECT zerodb.replay('{hook}', '-infinity')"
    ))
    .await?;
    stage
        .admin
        .run(&format!(
            "UPDATE zerodb.delivery SET losses = 2 WHERE hook_id = '{hook}'"
        ))
        .await?;
    user.run(&format!("SELECT zerodb.update_hook('{hook}', is_active => true)"))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_runs_alone_has_no_hour() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let receiver = never()?;
        let log = hook(&stage.victim, "log", "log", "{}").await?;
        let alone = hook(&stage.mallory, "alone", "webhook", &slow(&receiver)).await?;
        suspect(&stage, &stage.mallory, &alone).await?;
        let (_worker, _) = worker(&db, &stage.admin, &[]).await?;
        receiver.wait_for(1, SOON).await?;
        is_served(&stage.victim, &log).await?;
        // Its time is over, and counts like any.
        let late = format!(
            "SELECT (max(attempts) > 0 AND min(last_error) LIKE 'no answer within 5000 ms%')::text
             FROM zerodb.deliveries WHERE hook_id = '{alone}' AND last_error IS NOT NULL"
        );
        stage.admin.becomes(&late, "true").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_for_an_hour_does_not_keep_others_from_running_alone() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let receiver = never()?;
        hook(&stage.mallory, "slow", "webhook", &slow(&receiver)).await?;
        let log = hook(&stage.victim, "log", "log", "{}").await?;
        let (_worker, _) = worker(&db, &stage.admin, &[]).await?;
        emit(&stage.mallory, 1).await?;
        receiver.wait_for(1, SOON).await?;
        suspect(&stage, &stage.victim, &log).await?;
        let waiting = "SELECT count(*)::text FROM zerodb.delivery WHERE losses >= 2 AND state <> 'completed'";
        stage.admin.becomes(waiting, 0).await?;
        is_served(&stage.victim, &log).await?;
        let mallorys = format!(
            "SELECT count(*)::text FROM zerodb.deliveries WHERE user_id = '{MALLORY}' AND state = 'running'"
        );
        stage.admin.becomes(&mallorys, 1).await?;
        assert_eq!(stage.victim.text(&in_state(&log, "discarded")).await?, "0");
        Ok(())
    })
    .await
}
