//! Writes outcomes, as many in one statement as came while the last one was written. An outcome is kept until the
//! database has it; its slot is free only then.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::runner::{Outage, Shared};
use crate::outcome::Outcome;
use crate::store::{Attempt, StoreError};

/// Outcomes written in one statement.
const BATCH: usize = 1000;

pub enum Ended {
    Attempt {
        lease: i64,
        hook: Uuid,
        attempt: Attempt,
    },
    /// No delivery runs any more.
    Close,
}

pub async fn run(shared: Arc<Shared>, mut ended: UnboundedReceiver<Ended>) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        if ended.recv_many(&mut batch, BATCH).await == 0 {
            return;
        }
        let mut last = false;
        let mut attempts = Vec::with_capacity(batch.len());
        for item in batch.drain(..) {
            match item {
                Ended::Attempt { lease, hook, attempt } => attempts.push((lease, hook, attempt)),
                Ended::Close => last = true,
            }
        }
        // Outcomes of a lease that was lost meanwhile are refused; they must not ride with the others.
        for same_lease in attempts.chunk_by(|a, b| a.0 == b.0) {
            write(&shared, same_lease).await;
        }
        if last {
            return;
        }
    }
}

async fn write(shared: &Shared, ended: &[(i64, Uuid, Attempt)]) {
    let Some((lease, ..)) = ended.first() else { return };
    let attempts: Vec<_> = ended.iter().map(|(_, _, attempt)| attempt.clone()).collect();
    match finish(shared, *lease, &attempts).await {
        Ok(accepted) if accepted < attempts.len() => {
            tracing::warn!(
                refused = attempts.len() - accepted,
                "late outcomes were refused: their lease had passed on"
            );
        }
        Ok(_) => {}
        // Something in one of them cannot be stored: each by itself, so that it takes no other with it.
        Err(_) => {
            for attempt in attempts {
                write_alone(shared, *lease, attempt).await;
            }
        }
    }
    if ended
        .iter()
        .any(|(_, _, attempt)| matches!(attempt.outcome, Outcome::Failed { .. }))
    {
        shared.requeued.notify_one();
    }
    shared.slots.free(ended.iter().map(|(_, hook, _)| *hook));
}

async fn write_alone(shared: &Shared, lease: i64, mut attempt: Attempt) {
    if let Err(error) = finish(shared, lease, std::slice::from_ref(&attempt)).await {
        tracing::error!(delivery.id = attempt.delivery_id, %error, "an outcome could not be stored as it was");
        attempt.outcome = Outcome::Discarded {
            error: "the outcome could not be stored".into(),
            status: None,
        };
        if let Err(error) = finish(shared, lease, &[attempt]).await {
            tracing::error!(%error, "an outcome could not be stored at all");
            // Its delivery comes back with the lease.
            shared.doubt_lease();
        }
    }
}

/// Tries until the database answers.
async fn finish(shared: &Shared, lease: i64, attempts: &[Attempt]) -> Result<usize, StoreError> {
    let mut outage = Outage::default();
    loop {
        let record_all = shared.installation().record_all;
        match shared
            .store
            .finish(lease, &shared.settings.name, record_all, attempts)
            .await
        {
            Err(error) if error.is_passing() => outage.wait(&error, &CancellationToken::new()).await,
            result => {
                outage.over();
                return result;
            }
        }
    }
}
