//! From a user to a superuser: with a worker that runs, and a function that would take the rights if it were ever
//! called with them.

use zerodb_hooks_harness::{Result, on_every_server};

use crate::actors::Stage;
use crate::at_work::{hook, worker};

/// An administrator tunes the hook, by the API and by hand; the function goes on with the rights of its owner.
#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_a_superuser_has_tuned_still_acts_as_its_owner() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let canary = stage.canary().await?;
        let config = format!("{{\"function\": \"{canary}\"}}");
        let hook = hook(&stage.mallory, "h", "sql", &config).await?;
        stage
            .admin
            .run(&format!(
                "SELECT zerodb.update_hook('{hook}', '{{\"function\": \"{canary}\", \"timeout_ms\": 60000}}');
                UPDATE zerodb.zerodb_hooks SET hook_config = hook_config || '{{\"concurrency\": 2}}'"
            ))
            .await?;
        let _worker = worker(&db, &stage.admin, &[]).await?;
        let event = stage
            .mallory
            .text("SELECT zerodb.emit('app.thing', '{}')")
            .await?;
        let progress = stage
            .mallory
            .json(&format!("SELECT zerodb.await_event('{event}', '20 s')"))
            .await?;
        assert_eq!(progress["completed"], 1, "{progress}");
        assert!(!stage.mallory_rules().await?);
        Ok(())
    })
    .await
}
