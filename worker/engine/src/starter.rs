//! Makes jobs of what the dispatcher has claimed and sends them on to be run, while the dispatcher asks for the next.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use uuid::Uuid;

use crate::executor::Executor;
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
    pub executor: Arc<Executor>,
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

    async fn start(&mut self, mut claim: Claim) {
        let installation = Arc::clone(&self.installation.borrow());
        let mut by_hook = HashMap::<(Uuid, i64), (Arc<LoadedHook>, VecDeque<Job>)>::new();
        for claimed in mem::take(&mut claim.deliveries) {
            if let Some(job) = self.prepare(&installation, &claim, claimed).await {
                let hook = (job.delivery.hook.id, job.delivery.hook.version);
                let new = || (Arc::clone(&job.loaded), VecDeque::new());
                by_hook.entry(hook).or_insert_with(new).1.push_back(job);
            }
        }
        for (loaded, jobs) in by_hook.into_values() {
            self.send_on(&loaded, jobs);
        }
    }

    /// Makes a job of what was claimed, or ends it where it cannot be run.
    async fn prepare(
        &mut self,
        installation: &Installation,
        claim: &Claim,
        mut claimed: Claimed,
    ) -> Option<Job> {
        let prepared = match self.load(&claimed, claim.alone.is_some()).await {
            Ok(loaded) => {
                prepare(installation, &loaded.hook, &mut claimed).map(|delivery| (loaded, delivery))
            }
            Err(outcome) => Err(outcome),
        };
        match prepared {
            Ok((loaded, delivery)) => Some(Job {
                lease: claim.lease,
                stored: claimed.stored,
                delivery: Arc::new(delivery),
                loaded,
                alone: claim.alone.clone(),
            }),
            Err(outcome) => {
                self.executor.attempts.end_unrun(claim.lease, claimed, outcome);
                None
            }
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
        if loaded.pack_size(&self.executor.context) > 1 {
            self.packing.add(loaded, jobs);
        } else {
            self.singles.add(loaded, jobs);
        }
    }
}
