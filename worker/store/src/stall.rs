//! Notices that the dispatcher's lock is held elsewhere while the cursor does not move: then nobody gets an event,
//! and an operator must hear of it. It never takes the lock; `zerodb._dispatch` does.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::Object;

use super::error::StoreError;
use super::statements::READ_CURSOR;

/// The time that the lock may be held elsewhere before the cursor is read. It is usually held for milliseconds.
const PATIENCE: Duration = Duration::from_secs(1);
/// The time that the cursor may stand still from then on.
const STANDS: Duration = Duration::from_secs(10);

/// The refusals of the lock to this worker; `None` while it gets the lock.
#[derive(Default)]
pub(super) struct Stall(Mutex<Option<RefusedSince>>);

#[derive(Clone, Copy)]
struct RefusedSince {
    since: Instant,
    /// The cursor's position when it was last read.
    cursor: Option<i64>,
}

impl Stall {
    /// This worker had the lock.
    pub(super) fn had_lock(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// This worker did not get the lock. Warns where the cursor has not moved for 10 s.
    ///
    /// # Errors
    /// Those of reading the cursor, now and then one short statement.
    pub(super) async fn was_refused(&self, connection: &Object) -> Result<(), StoreError> {
        if self.is_cursor_wanted(Instant::now()) {
            let statement = connection.prepare_cached(READ_CURSOR).await?;
            let cursor: i64 = connection.query_one(&statement, &[]).await?.try_get(0)?;
            if let Some(stands) = self.compare(cursor, Instant::now()) {
                tracing::warn!(
                    seconds = stands.as_secs(),
                    "the dispatcher's lock is taken and its cursor does not move: no event is delivered. \
                     pg_locks shows who holds it: locktype 'userlock', objid 2"
                );
            }
        }
        Ok(())
    }

    /// Notes a refusal; true when it is time to read the cursor.
    fn is_cursor_wanted(&self, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = state.get_or_insert(RefusedSince {
            since: now,
            cursor: None,
        });
        let patience = refused.cursor.map_or(PATIENCE, |_| STANDS);
        now.duration_since(refused.since) >= patience
    }

    /// The time for which the cursor has not moved; `None` where it has. Starts the clock again.
    fn compare(&self, cursor: i64, now: Instant) -> Option<Duration> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.replace(RefusedSince {
            since: now,
            cursor: Some(cursor),
        })?;
        (before.cursor == Some(cursor)).then(|| now.duration_since(before.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A refusal, after which the cursor is read where it must be.
    fn refused(stall: &Stall, at: Instant, cursor: i64) -> Option<Duration> {
        stall
            .is_cursor_wanted(at)
            .then(|| stall.compare(cursor, at))
            .flatten()
    }

    #[test]
    fn a_lock_that_is_held_while_the_cursor_stands_is_told() {
        let (stall, start) = (Stall::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(refused(&stall, start, 7), None);
        assert_eq!(refused(&stall, after(1), 7), None, "the first look");
        assert_eq!(refused(&stall, after(10), 7), None);
        assert_eq!(refused(&stall, after(11), 7), Some(Duration::from_secs(10)));
        assert_eq!(refused(&stall, after(12), 7), None, "not with every refusal");
        assert_eq!(refused(&stall, after(21), 7), Some(Duration::from_secs(10)));
    }

    #[test]
    fn a_cursor_that_moves_and_a_lock_of_ones_own_start_the_clock_again() {
        let (stall, start) = (Stall::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(refused(&stall, start, 7), None);
        assert_eq!(refused(&stall, after(1), 7), None);
        assert_eq!(refused(&stall, after(11), 8), None, "another worker moves it");
        stall.had_lock();
        assert_eq!(refused(&stall, after(21), 8), None);
        assert_eq!(refused(&stall, after(22), 8), None);
        assert_eq!(refused(&stall, after(31), 8), None);
        assert_eq!(refused(&stall, after(32), 8), Some(Duration::from_secs(10)));
    }
}
