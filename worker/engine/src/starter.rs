//! Makes jobs of what the dispatcher has claimed and sends them on to be run, while the dispatcher asks for the next.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use uuid::Uuid;

use crate::hooks::{Hooks, LoadedHook};
use crate::job::{Alone, Job};
use crate::packing::Packing;
use crate::prepare::prepare;
use crate::singles::Singles;
use zerodb_hooks_delivery::outcome::Outcome;
use zerodb_hooks_store::{Claimed, Installation};

/// Deliveries claimed together. `Capacity` has counted them: each is given back with its outcome.
pub struct Claim {
    pub lease: i64,
    pub deliveries: Vec<Claimed>,
    /// The others wait for these, so they may not take as long as their hook says.
    pub alone: Option<Alone>,
}

pub struct Starter {
    pub hooks: Hooks,
    pub installation: watch::Receiver<Arc<Installation>>,
    pub singles: Singles,
    pub packing: Arc<Packing>,
}

impl Starter {
    /// Ends when the dispatcher has ended and all that it claimed is sent on.
    pub async fn run(mut self, mut claims: UnboundedReceiver<Claim>) {
        while let Some(claim) = claims.recv().await {
            self.start(claim).await;
        }
    }

    async fn start(&mut self, claim: Claim) {
        let installation = Arc::clone(&self.installation.borrow());
        let mut by_hook = HashMap::<(Uuid, i64), (Arc<LoadedHook>, VecDeque<Job>)>::new();
        for mut claimed in claim.deliveries {
            let prepared = match self.load(&claimed, claim.alone.is_some()).await {
                Ok(loaded) => {
                    prepare(&installation, &loaded.hook, &mut claimed).map(|delivery| (loaded, delivery))
                }
                Err(outcome) => Err(outcome),
            };
            let (loaded, delivery) = match prepared {
                Ok(prepared) => prepared,
                Err(outcome) => {
                    self.singles
                        .executor
                        .attempts
                        .end_unrun(claim.lease, claimed, outcome);
                    continue;
                }
            };
            let job = Job {
                lease: claim.lease,
                stored: claimed.stored,
                delivery: Arc::new(delivery),
                loaded: Arc::clone(&loaded),
                alone: claim.alone.clone(),
            };
            let hook = (loaded.hook.id, loaded.hook.version);
            let (_, jobs) = by_hook.entry(hook).or_insert_with(|| (loaded, VecDeque::new()));
            jobs.push_back(job);
        }
        for (loaded, jobs) in by_hook.into_values() {
            self.send_on(&loaded, jobs);
        }
    }

    /// The hook of what was claimed.
    ///
    /// # Errors
    /// The outcome of a delivery whose hook is not to be had.
    async fn load(&mut self, claimed: &Claimed, is_alone: bool) -> Result<Arc<LoadedHook>, Outcome> {
        match self.hooks.get(claimed.hook_id, claimed.hook_version).await {
            Ok(Some(loaded)) if is_alone => Ok(loaded.hurried()),
            Ok(Some(loaded)) => Ok(loaded),
            // The store sees that the hook is gone and cancels the delivery.
            Ok(None) => Err(Outcome::retry_in(Duration::ZERO, "the hook was deleted")),
            Err(_) => Err(Outcome::Released),
        }
    }

    fn send_on(&self, loaded: &Arc<LoadedHook>, jobs: VecDeque<Job>) {
        if loaded.pack_size(&self.singles.executor.context) > 1 {
            self.packing.add(loaded, jobs);
        } else {
            self.singles.add(loaded, jobs);
        }
    }
}
