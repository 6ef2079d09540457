//! Writes ended attempts, and tries until the database answers.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::outage::Outage;
use zerodb_hooks_metrics::{DatabaseCall, Meters};
use zerodb_hooks_store::{EndedAttempt, Installation, LedgerSettings, Settled, Settlement, Store};

/// The completer's questions to the database. `OutcomeWriter` answers; tests answer in its place.
pub trait Settle: Send + Sync + 'static {
    /// Writes attempts that ran under `lease`. Does not end before the database has answered.
    fn settle(&self, lease: i64, attempts: Vec<EndedAttempt>) -> impl Future<Output = Settled> + Send;
}

pub struct OutcomeWriter {
    pub store: Store,
    /// The name of this worker in the ledger.
    pub worker: String,
    pub installation: watch::Receiver<Arc<Installation>>,
    pub meters: Arc<Meters>,
}

impl Settle for OutcomeWriter {
    async fn settle(&self, lease: i64, attempts: Vec<EndedAttempt>) -> Settled {
        let mut settlement = Settlement::new(lease, attempts);
        let mut outage = Outage::default();
        loop {
            let ledger = LedgerSettings {
                worker: &self.worker,
                keeps_completed: self.installation.borrow().record_all,
            };
            let since = Instant::now();
            let settled = self.store.settle(&mut settlement, ledger).await;
            self.meters
                .called(DatabaseCall::Settle, since.elapsed(), settled.is_ok());
            match settled {
                Ok(()) => {
                    outage.over();
                    return settlement.end();
                }
                Err(error) => outage.wait(&error, &CancellationToken::new()).await,
            }
        }
    }
}
