//! Makes jobs of what the pump has taken and hands them to the executor, while the pump asks for the next.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;

use super::attempting::Job;
use super::completer::Ended;
use super::executor;
use super::hooks::Hooks;
use super::prepare::prepare;
use super::runner::Shared;
use super::suspects::Alone;
use zerodb_hooks_store::Claimed;

/// Deliveries taken together, and the lease they are held under. Their slots are taken: each is freed by its outcome.
pub struct Taken {
    pub lease: i64,
    pub deliveries: Vec<Claimed>,
    /// The others wait for them, so they may not take as long as their hook says.
    pub alone: Option<Alone>,
}

/// Ends when the pump has ended and all that it took is started.
pub async fn run(shared: Arc<Shared>, mut taken: UnboundedReceiver<Taken>) {
    let mut hooks = Hooks::new(shared.settings.concurrency);
    while let Some(next) = taken.recv().await {
        start(&shared, &mut hooks, next).await;
    }
}

async fn start(shared: &Arc<Shared>, hooks: &mut Hooks, taken: Taken) {
    let Taken {
        lease,
        deliveries,
        alone,
    } = taken;
    let installation = shared.installation();
    let mut jobs = Vec::with_capacity(deliveries.len());
    for one in deliveries {
        let known = hooks
            .get(shared, one.hook_id, one.hook_version)
            .await
            .map(|known| known.map(|known| if alone.is_some() { known.hurried() } else { known }));
        match prepare(&installation, one, known) {
            Ok((delivery, place, known)) => jobs.push(Job {
                lease,
                delivery: Arc::new(delivery),
                place,
                known,
                alone: alone.clone(),
            }),
            Err(ended) => {
                let (hook, attempt) = *ended;
                shared.slots.begin();
                // The completer outlives this task.
                let _closed = shared.ended.send(Ended::Attempt { lease, hook, attempt });
            }
        }
    }
    executor::start(shared, jobs);
}
