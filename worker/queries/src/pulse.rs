//! What changes from second to second: events written, attempts ended, deliveries that run. Each read is bounded,
//! whatever the history, the backlog and the number of hooks.

use futures_util::future::try_join_all;
use serde::Serialize;
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

use crate::{QueryError, ask, statements};

/// The partitions of the log and of the ledger.
const SLOTS: std::ops::Range<i16> = 0..zerodb_hooks_contract::event_log::SLOTS as i16;
/// Blocks that are read from the end of each partition.
const COMPLETION_BLOCKS: i64 = 256;
const ATTEMPT_BLOCKS: i64 = 80;
/// What is called lately.
const LATELY_SECONDS: f64 = 5.0;

zerodb_hooks_store::row! {
    /// A count of the server that only grows, and when it was read.
    #[derive(Debug, Clone, Copy)]
    pub struct Written {
        /// Events written to the log so far, of all tenants.
        pub events: i64,
        /// The server's clock, in seconds.
        pub at_seconds: f64,
    }
}

impl Written {
    /// Events a second since an earlier count; `None` where no time has passed.
    pub fn rate_since(&self, earlier: &Self) -> Option<f64> {
        let seconds = self.at_seconds - earlier.at_seconds;
        let events = self.events - earlier.events;
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        (seconds > 0.0).then(|| (events.max(0) as f64) / seconds)
    }
}

zerodb_hooks_store::row! {
    /// A hook some of whose deliveries run.
    #[derive(Debug, Clone, Serialize)]
    pub struct RunningHook {
        pub hook_id: Uuid,
        /// `None` for one that was deleted.
        pub hook_name: Option<String>,
        pub event_type: Option<String>,
        pub running: i64,
        /// Age of the oldest.
        pub oldest_seconds: f64,
    }
}

zerodb_hooks_store::row! {
    /// Ends of attempts in one partition.
    #[derive(Debug, Clone, Copy)]
    pub struct Ends {
        pub completed: i64,
        pub failed: i64,
        pub discarded: i64,
        /// How far back they go; 0 where there is none.
        pub seconds: f64,
    }
}

/// Attempts that ended in the last seconds, a second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct EndRates {
    pub completed: f64,
    pub failed: f64,
    pub discarded: f64,
}

/// The statements, prepared once.
pub struct Pulse {
    completions: Statement,
    attempts: Statement,
}

impl Pulse {
    /// # Errors
    /// Those of preparing the statements.
    pub async fn new(client: &Client) -> Result<Self, QueryError> {
        Ok(Self {
            completions: client.prepare(statements::LATELY_COMPLETED).await?,
            attempts: client.prepare(statements::LATELY_ATTEMPTED).await?,
        })
    }

    /// How fast attempts have ended in the last five seconds. Where more ended than is read, the rate is that of the
    /// shorter time that was.
    ///
    /// # Errors
    /// Those of the statements.
    pub async fn end_rates(&self, client: &Client) -> Result<EndRates, QueryError> {
        let of = |statement: &Statement, blocks: i64, slot: i16| {
            let statement = statement.clone();
            async move {
                let row = client
                    .query_one(&statement, &[&slot, &blocks, &LATELY_SECONDS])
                    .await?;
                <Ends as zerodb_hooks_store::row::FromRow>::from_row(&row)
            }
        };
        let completed =
            try_join_all(SLOTS.map(|slot| of(&self.completions, COMPLETION_BLOCKS, slot))).await?;
        let attempted = try_join_all(SLOTS.map(|slot| of(&self.attempts, ATTEMPT_BLOCKS, slot))).await?;
        Ok(rates(completed.iter().chain(&attempted)))
    }
}

/// The sum of what each partition says of its own time.
fn rates<'a>(all: impl Iterator<Item = &'a Ends>) -> EndRates {
    all.fold(EndRates::default(), |sum, ends| {
        // A little that has just ended is no rate: it counts for the whole time.
        let is_cut = ends.completed + ends.failed + ends.discarded > CROWD;
        let seconds = if is_cut {
            ends.seconds.clamp(0.2, LATELY_SECONDS)
        } else {
            LATELY_SECONDS
        };
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = |number: i64| number as f64 / seconds;
        EndRates {
            completed: sum.completed + rate(ends.completed),
            failed: sum.failed + rate(ends.failed),
            discarded: sum.discarded + rate(ends.discarded),
        }
    })
}

/// More than this in one partition's last blocks may have pushed earlier ones out of them.
const CROWD: i64 = 2000;

/// How many events were written so far.
///
/// # Errors
/// Those of the statement.
pub async fn written(client: &Client) -> Result<Written, QueryError> {
    ask::one(client, statements::WRITTEN, &[]).await
}

/// Hooks with deliveries that run, the most first.
///
/// # Errors
/// Those of the statement.
pub async fn running_hooks(client: &Client) -> Result<Vec<RunningHook>, QueryError> {
    ask::all(client, statements::RUNNING_HOOKS, &[]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_counts_for_the_whole_time_and_a_crowd_for_its_own() {
        let ends = |completed, seconds| Ends {
            completed,
            failed: 5,
            discarded: 0,
            seconds,
        };
        let few = rates([ends(10, 0.1), ends(0, 0.0)].iter());
        assert_eq!((few.completed, few.failed), (2.0, 2.0));
        assert_eq!(rates([ends(10_000, 2.0)].iter()).completed, 5000.0);
    }

    #[test]
    fn a_rate_of_writes_is_between_two_counts() {
        let count = |events, at_seconds| Written { events, at_seconds };
        assert_eq!(count(30, 12.0).rate_since(&count(10, 10.0)), Some(10.0));
        assert_eq!(count(5, 12.0).rate_since(&count(10, 10.0)), Some(0.0));
        assert_eq!(count(5, 10.0).rate_since(&count(5, 10.0)), None);
    }
}
