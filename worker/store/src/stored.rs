//! The two forms in which the database keeps a leased delivery: a row of `zerodb.delivery`, or an element of a
//! batch's arrays. Only the statements of this crate look at the form; everybody else hands a `Stored` back as it
//! came.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::xid::EventKey;

/// The form of a leased delivery.
#[derive(Debug, Clone)]
pub struct Stored(Option<InBatch>);

/// A delivery within a batch. It gets a row once it ends otherwise than completed.
#[derive(Debug, Clone)]
pub(super) struct InBatch {
    pub batch: Arc<Batch>,
    pub event: EventKey,
}

impl Stored {
    /// A row of `zerodb.delivery`.
    #[must_use]
    pub fn row() -> Self {
        Self(None)
    }

    pub(super) fn in_batch(batch: Arc<Batch>, event: EventKey) -> Self {
        Self(Some(InBatch { batch, event }))
    }

    pub(super) fn batched(&self) -> Option<&InBatch> {
        self.0.as_ref()
    }
}

/// Deliveries of one hook that were leased together when they were dispatched: a row of `zerodb.batch`. It is deleted
/// when all of them are written. Only the completer's task changes the counts.
#[derive(Debug)]
pub(super) struct Batch {
    pub id: i64,
    /// Deliveries whose end is not written yet.
    unwritten: AtomicUsize,
    /// The end of one could not be written: the row stays, until its lease is given back.
    stays: AtomicBool,
}

impl Batch {
    pub fn new(id: i64, size: usize) -> Self {
        Self {
            id,
            unwritten: AtomicUsize::new(size),
            stays: AtomicBool::new(false),
        }
    }

    /// True when writing `more` deliveries leaves none.
    pub fn ends_with(&self, more: usize) -> bool {
        !self.stays.load(Ordering::Relaxed) && self.unwritten.load(Ordering::Relaxed) <= more
    }

    /// Keeps the row: the end of one delivery could not be written.
    pub fn keep(&self) {
        self.stays.store(true, Ordering::Relaxed);
    }

    /// Counts deliveries whose end is written.
    pub fn note_written(&self, count: usize) {
        let unwritten = self.unwritten.load(Ordering::Relaxed);
        self.unwritten
            .store(unwritten.saturating_sub(count), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_ends_with_its_last_delivery() {
        let batch = Batch::new(7, 3);
        assert!(!batch.ends_with(2));
        batch.note_written(2);
        assert!(batch.ends_with(1));
    }

    #[test]
    fn a_batch_of_which_something_could_not_be_written_stays() {
        let batch = Batch::new(7, 1);
        batch.keep();
        batch.note_written(1);
        assert!(!batch.ends_with(1));
    }
}
