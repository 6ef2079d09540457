//! Names that stand in SQL and in Rust are the same.

use anyhow::Result;
use zerodb_hooks_harness::{SOON, eventually, on_every_server};
use zerodb_hooks_worker::delivery::outcome::Outcome;
use zerodb_hooks_worker::store::statements::CHANNEL;

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_notifies_the_channel_that_the_worker_listens_on() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let listener = database.session().await?;
        listener
            .run(&format!("LISTEN {CHANNEL}; SELECT zerodb._lock_session('park')"))
            .await?;
        session.run("SELECT zerodb.emit('on_recall', '{}')").await?;
        let heard = eventually(SOON, async || {
            listener.run("SELECT 1").await.ok()?;
            Some(listener.take_notifications()).filter(|channels| !channels.is_empty())
        });
        assert_eq!(heard.await?, [CHANNEL]);
        listener.run("SELECT zerodb._unlock_session('park')").await?;
        session.run("SELECT zerodb.emit('on_recall', '{}')").await?;
        listener.run("SELECT 1").await?;
        assert!(
            listener.take_notifications().is_empty(),
            "nobody is parked, nobody notifies"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_knows_the_outcomes_of_the_worker() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let definition = session
            .text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'zerodb.attempt'::regclass AND contype = 'c'")
            .await?;
        let (error, status) = (String::new(), None);
        let written = [
            Outcome::Completed { status },
            Outcome::Failed { retry_in: std::time::Duration::ZERO, error: error.clone(), status },
            Outcome::Discarded {
                error,
                status,
                exhausted: true,
            },
        ];
        for outcome in written {
            assert!(definition.contains(&format!("'{}'", outcome.name())), "{definition}");
        }
        Ok(())
    })
    .await
}
