//! The texts of one pack of deliveries or of one page of a backfill: several at once, each within the time of all.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};

use super::super::embedded::{Effect, Embedded};
use super::context::ChunkContext;
use super::update::ChunkUpdate;
use crate::row_key::Key;
use crate::spending::Spent;
use zerodb_hooks_delivery::outcome::HandlerError;

/// Texts of one pack at once.
const AT_ONCE: usize = 4;
/// The wait of a text that was not begun, because too little time was left.
const BUSY: Duration = Duration::from_secs(1);

/// Brings the chunks of some rows up to date. A row that is gone needs nothing.
pub async fn embed(context: &ChunkContext<'_>, keys: &[Key], time: Duration) -> Embedded {
    let until = Instant::now() + time;
    let mut embedded = Embedded::default();
    let updates = stream::iter(keys.to_vec()).map(|key| async move {
        let mut spent = Spent::default();
        let result = embed_one(context, &key, until, time / 2, &mut spent).await;
        (key, result, spent)
    });
    let mut updates = updates.buffer_unordered(AT_ONCE);
    while let Some((key, result, spent)) = updates.next().await {
        embedded.results.insert(key, result);
        embedded.spent.add(spent);
    }
    embedded
}

/// Is not begun where less than `least` is left.
async fn embed_one(
    context: &ChunkContext<'_>,
    key: &Key,
    until: Instant,
    least: Duration,
    spent: &mut Spent,
) -> Result<Effect, HandlerError> {
    if until.saturating_duration_since(Instant::now()) < least {
        return Err(HandlerError::Deferred {
            message: "busy: other texts of the pack took the time".into(),
            after: BUSY,
        });
    }
    ChunkUpdate { context, key, until }.embed(spent).await
}
