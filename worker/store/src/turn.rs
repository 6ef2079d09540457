//! The dispatcher's turn that others have: whoever has it moves the cursor. Where it stands while the turn is taken, nobody
//! gets an event, and an operator must hear of it. Only watches; taking the turn is `lock_dispatch.sql`.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::Object;

use super::StoreError;
use super::statements::READ_CURSOR;

/// For how long the turn may be taken before anybody looks where the cursor stands. Turns last milliseconds.
const PATIENCE: Duration = Duration::from_secs(1);
/// For how long the cursor may stand then.
const STANDS: Duration = Duration::from_secs(10);

/// One for each worker.
#[derive(Default)]
pub(super) struct Turn(Mutex<Option<Refused>>);

#[derive(Clone, Copy)]
struct Refused {
    since: Instant,
    /// Where the cursor stood when somebody looked.
    cursor: Option<i64>,
}

/// What a refusal asks for.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Nothing,
    Look,
}

impl Turn {
    /// This worker had the turn.
    pub(super) fn had(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// This worker did not get the turn. Warns where it has been taken for 10 s and the cursor did not move.
    ///
    /// # Errors
    /// Those of the look at the cursor, now and then one short statement.
    pub(super) async fn refused(&self, connection: &Object) -> Result<(), StoreError> {
        if self.note(Instant::now()) == Next::Look {
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

    fn note(&self, now: Instant) -> Next {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = state.get_or_insert(Refused {
            since: now,
            cursor: None,
        });
        let patience = refused.cursor.map_or(PATIENCE, |_| STANDS);
        if now.duration_since(refused.since) < patience {
            Next::Nothing
        } else {
            Next::Look
        }
    }

    /// How long the cursor has stood where it stands, if it is time to say so; then the clock starts again.
    fn compare(&self, cursor: i64, now: Instant) -> Option<Duration> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.replace(Refused {
            since: now,
            cursor: Some(cursor),
        })?;
        (before.cursor == Some(cursor)).then(|| now.duration_since(before.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks as the store does: looks where it must.
    fn refused(turn: &Turn, at: Instant, cursor: i64) -> Option<Duration> {
        (turn.note(at) == Next::Look)
            .then(|| turn.compare(cursor, at))
            .flatten()
    }

    #[test]
    fn a_turn_that_is_taken_while_the_cursor_stands_is_told() {
        let (turn, start) = (Turn::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(refused(&turn, start, 7), None);
        assert_eq!(refused(&turn, after(1), 7), None, "the first look");
        assert_eq!(refused(&turn, after(10), 7), None);
        assert_eq!(refused(&turn, after(11), 7), Some(Duration::from_secs(10)));
        assert_eq!(refused(&turn, after(12), 7), None, "not with every refusal");
        assert_eq!(refused(&turn, after(21), 7), Some(Duration::from_secs(10)));
    }

    #[test]
    fn a_cursor_that_moves_and_a_turn_of_ones_own_start_the_clock_again() {
        let (turn, start) = (Turn::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(refused(&turn, start, 7), None);
        assert_eq!(refused(&turn, after(1), 7), None);
        assert_eq!(refused(&turn, after(11), 8), None, "another worker moves it");
        turn.had();
        assert_eq!(refused(&turn, after(21), 8), None);
        assert_eq!(refused(&turn, after(22), 8), None);
        assert_eq!(refused(&turn, after(31), 8), None);
        assert_eq!(refused(&turn, after(32), 8), Some(Duration::from_secs(10)));
    }
}
