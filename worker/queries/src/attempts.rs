//! The ledger of attempts, followed from a place on. No payload is in it.
//!
//! The ledger (attempts, and completions with theirs) only grows, so what is new lies behind the end that was seen
//! last: each look reads some blocks of each partition by position, which costs the same whatever the ledger's size,
//! and no index. Where an older time begins is searched by halves.

use std::collections::HashSet;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{Client, Row, Statement};
use uuid::Uuid;
use zerodb_hooks_store::row::FromRow;

use crate::{QueryError, ask, statements};

/// Workers write at the same time into different blocks near the end, and commit in any order.
const OVERLAP_BLOCKS: i64 = 128;
/// The same of completions, of which one row has many attempts.
const OVERLAP_COMPLETIONS: i64 = 32;
/// What one look reads of one partition at most. A page of completions has up to some ten thousand attempts.
const BLOCKS: i64 = 256;
const COMPLETION_BLOCKS: i64 = 48;

zerodb_hooks_store::row! {
    /// An attempt that has ended. A deleted hook and an event that has left the log have no name any more.
    #[derive(Debug, Clone, Serialize)]
    pub struct AttemptRecord {
        /// The delivery that was tried.
        pub delivery_id: i64,
        /// Which attempt of it, from 1.
        pub attempt: i32,
        /// By the server's clock.
        pub started_at: Timestamp,
        /// By the server's clock.
        pub ended_at: Timestamp,
        /// `completed`, `failed` or `discarded`.
        pub outcome: String,
        /// How long the handler took.
        pub duration_ms: i32,
        /// What a webhook's receiver answered.
        pub status: Option<i32>,
        /// Why it did not complete.
        pub error: Option<String>,
        /// Who made it.
        pub worker: String,
        /// The hook.
        pub hook_id: Option<Uuid>,
        /// The hook's name.
        pub hook_name: Option<String>,
        /// What the event was.
        pub event_type: Option<String>,
        /// Which event it was.
        pub event_id: Option<String>,
    }
}

/// What tells one attempt from all others; a delivery that is redelivered counts its attempts from one again.
type AttemptKey = (i64, i32, Timestamp);

fn key(row: &Row) -> Result<AttemptKey, tokio_postgres::Error> {
    Ok((
        row.try_get("delivery_id")?,
        row.try_get("attempt")?,
        row.try_get("started_at")?,
    ))
}

/// A place in the ledger: the blocks of each partition when it was last looked at, and what was read behind them.
pub struct Ledger {
    attempts: Statement,
    completions: Statement,
    hook: Option<String>,
    since: Option<Timestamp>,
    ends: Vec<PartitionEnd>,
    seen: HashSet<AttemptKey>,
    is_behind: bool,
}

impl Ledger {
    /// At its end, or at its beginning when older attempts are wanted: those that started at `since` or later. With
    /// `hook`, an id or a name, only those of that hook; one that there is none of has no attempts.
    ///
    /// # Errors
    /// Those of the statements.
    pub async fn open(
        client: &Client,
        hook: Option<String>,
        since: Option<Timestamp>,
    ) -> Result<Self, QueryError> {
        let mut ends = partition_ends(client).await?;
        if let Some(since) = since {
            let time = client.prepare(statements::LEDGER_TIME).await?;
            try_join_all(ends.iter_mut().map(|end| end.go_back(client, &time, since))).await?;
        }
        let mut ledger = Self {
            attempts: client.prepare(statements::ATTEMPTS).await?,
            completions: client.prepare(statements::COMPLETIONS).await?,
            hook,
            since,
            ends,
            seen: HashSet::new(),
            is_behind: false,
        };
        if since.is_none() {
            ledger.look(client).await?;
        }
        Ok(ledger)
    }

    /// Goes on over another connection, where the last look ended.
    ///
    /// # Errors
    /// Those of preparing the statements.
    pub async fn resume(&mut self, client: &Client) -> Result<(), QueryError> {
        self.attempts = client.prepare(statements::ATTEMPTS).await?;
        self.completions = client.prepare(statements::COMPLETIONS).await?;
        Ok(())
    }

    /// Whether the last look left something that was there.
    pub fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// The next attempts that were not there at the last look, in the order of their ends; where there are many, some
    /// of each partition.
    ///
    /// # Errors
    /// Those of the statements. What was new is then found by the next look. Safe to cancel.
    pub async fn look(&mut self, client: &Client) -> Result<Vec<AttemptRecord>, QueryError> {
        // The end is taken before reading: what comes in between is read twice and dropped by its key.
        let last = partition_ends(client).await?;
        let ends: Vec<_> = self.ends.iter().zip(&last).map(PartitionEnd::next).collect();
        let reads = self.ends.iter().zip(&ends);
        let rows = try_join_all(reads.map(|(before, now)| self.read(client, before, now))).await?;
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for row in rows.iter().flatten() {
            let key = key(row)?;
            if !self.seen.contains(&key) {
                found.push(AttemptRecord::from_row(row)?);
            }
            seen.insert(key);
        }
        self.is_behind = ends.iter().zip(&last).any(|(end, last)| end.blocks < last.blocks);
        (self.seen, self.ends) = (seen, ends);
        found.sort_by_key(|attempt| (attempt.ended_at, attempt.delivery_id));
        Ok(found)
    }

    /// What one partition holds from a little before the last look's end to this one's.
    async fn read(
        &self,
        client: &Client,
        before: &PartitionEnd,
        now: &PartitionEnd,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let (statement, overlap) = if now.keeps_completions() {
            (&self.completions, OVERLAP_COMPLETIONS)
        } else {
            (&self.attempts, OVERLAP_BLOCKS)
        };
        // A partition that shrank was emptied by retention.
        let start = if now.blocks < before.blocks {
            0
        } else {
            (before.blocks - overlap).max(0)
        };
        let (place, end) = (format!("({start},0)"), format!("({},0)", now.blocks));
        client
            .query(statement, &[&now.slot, &place, &self.since, &self.hook, &end])
            .await
    }
}

zerodb_hooks_store::row! {
    /// The end of one partition, or of what was read of it.
    #[derive(Clone)]
    pub struct PartitionEnd {
        /// The table: `completion` or `attempt`.
        pub kept_in: String,
        /// Which partition of it.
        pub slot: i16,
        /// Its length.
        pub blocks: i64,
    }
}

impl PartitionEnd {
    fn keeps_completions(&self) -> bool {
        self.kept_in == "completion"
    }

    /// Where a look ends that begins at `before`, of a partition that now ends at `last`.
    fn next((before, last): (&Self, &Self)) -> Self {
        let most = if last.keeps_completions() {
            COMPLETION_BLOCKS
        } else {
            BLOCKS
        };
        let start = if last.blocks < before.blocks {
            0
        } else {
            before.blocks
        };
        Self {
            blocks: last.blocks.min(start + most),
            ..last.clone()
        }
    }

    /// Goes back to the first block with an attempt that ended at `since` or later. They are kept in the order of
    /// their ends, but for workers that write at the same time, whom the overlap of looks allows for.
    async fn go_back(
        &mut self,
        client: &Client,
        time: &Statement,
        since: Timestamp,
    ) -> Result<(), QueryError> {
        let (mut low, mut high) = (0, self.blocks);
        while low < high {
            let middle = low + (high - low) / 2;
            let place = format!("({middle},0)");
            let row = client
                .query_one(time, &[&self.kept_in, &self.slot, &place])
                .await?;
            let ended_at: Option<Timestamp> = row.try_get("ended_at")?;
            if ended_at.is_none_or(|ended_at| ended_at >= since) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        // The block before may end with one.
        self.blocks = (low - 1).max(0);
        Ok(())
    }
}

async fn partition_ends(client: &Client) -> Result<Vec<PartitionEnd>, QueryError> {
    ask::all(client, statements::LEDGER_ENDS, &[]).await
}
