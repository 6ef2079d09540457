//! The worker as a library: a handler of the application's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use async_trait::async_trait;
use tokio::sync::oneshot;
use zerodb_hooks_harness::{SOON, eventually, on_every_server};
use zerodb_hooks_worker::contract::hooks::Function;
use zerodb_hooks_worker::{Context, Delivery, Done, Handler, HandlerError, Worker};

use crate::setup::watched_table;

/// Panics for the first delivery it sees, then counts.
struct Count(Arc<AtomicUsize>);

#[async_trait]
impl Handler for Count {
    async fn run(&self, _context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        assert!(
            delivery.attempt > 1 || delivery.event.data.value()?["doc_id"] != 1,
            "a handler that panics"
        );
        let own = &delivery.hook.config::<Function>()?.own;
        if own.get("any") != Some(&"key".into()) {
            return Err(HandlerError::permanent("the config is not the hook's"));
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Done::default())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_of_ones_own_runs_and_a_panic_is_only_a_failed_attempt() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        session
            .run(r#"SELECT zerodb.create_hook('doc.created', 'count', '{"retry_delay_ms": 20, "any": "key"}', hook_type => 'function')"#)
            .await?;
        let counted = Arc::new(AtomicUsize::new(0));
        let worker = Worker::builder(&database.worker_url()).handler("count", Count(Arc::clone(&counted))).build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        #[expect(clippy::disallowed_methods, reason = "the test waits for it below")]
        let running = tokio::spawn(worker.run_until(async { drop(stopped.await) }));
        session.run("INSERT INTO doc (body) VALUES ('a'), ('b'), ('c')").await?;
        eventually(SOON, async || (counted.load(Ordering::Relaxed) == 3).then_some(())).await?;
        session.completed(3).await?;
        drop(stop);
        running.await??;
        let ledger = "SELECT count(*) FROM zerodb.attempts WHERE outcome = 'failed' AND error = 'the handler panicked'";
        assert_eq!(session.number(ledger).await?, 1);
        Ok(())
    })
    .await
}
