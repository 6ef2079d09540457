//! What the database and the first worker know of the batch. Sets of deliveries are masks, one bit each.

use super::statement::{Statement, Write};

pub const DELIVERIES: usize = 2;
pub const ALL: u8 = (1 << DELIVERIES) - 1;

/// The first worker's, under which the batch is leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lease {
    Live,
    Expired,
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Batch {
    NotDispatched,
    Leased,
    /// Deleted, or never made: the worker had no lease, and all waits as rows.
    Gone,
}

/// A delivery's row in `zerodb.delivery`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Row {
    None,
    /// Pending or retryable.
    Due,
    /// Running at its second epoch or a later one, under the batch's lease or under one that nobody takes away.
    Claimed(Under),
    Completed,
    /// Completed, and deleted after the retention.
    Pruned,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Under {
    BatchLease,
    OtherLease,
}

/// A reaper's transaction. One is enough: a second one skips what the first has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reaper {
    Idle,
    /// After `lock_dead_leases.sql`.
    Locked,
    /// `reap_leases.sql` runs.
    Reaping(Seen),
}

/// What the reaper's snapshot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seen {
    pub batch: bool,
    /// The batch's deliveries without completion and row.
    pub left: u8,
    /// Rows that run under the lease.
    pub running: u8,
}

/// The first worker; nothing of it is left after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Worker {
    pub alive: bool,
    /// It has doubted its lease or found it gone, and renews another one.
    pub moved_on: bool,
    pub handling: u8,
    pub completed: u8,
    pub failed: u8,
    /// What the completer writes until it is answered.
    pub write: Option<Write>,
    /// `Batch::left`: deliveries whose end is not counted as written.
    pub left: u32,
}

impl Worker {
    pub const DEAD: Self = Self {
        alive: false,
        moved_on: true,
        handling: 0,
        completed: 0,
        failed: 0,
        write: None,
        left: 0,
    };

    /// What it works at or has yet to write.
    pub fn hands(&self) -> u8 {
        let written = self.write.map_or(0, |write| write.completed | write.failed);
        self.handling | self.completed | self.failed | written
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub lease: Lease,
    pub batch: Batch,
    pub rows: [Row; DELIVERIES],
    /// In `zerodb.completion`; and the `first_id` of each row there.
    pub in_completions: u8,
    pub first_ids: u8,
    pub worker: Worker,
    /// What was sent and has not ended at the server, or whose answer is on its way.
    pub statements: Vec<Statement>,
    pub reaper: Reaper,
    /// How often the tables have said of each that it is completed.
    pub completions: [u8; DELIVERIES],
    pub late_accepted: bool,
    pub late_refused: bool,
}

pub fn bit(delivery: usize) -> u8 {
    1 << delivery
}

pub fn members(set: u8) -> impl Iterator<Item = usize> {
    (0..DELIVERIES).filter(move |delivery| set & bit(*delivery) != 0)
}

impl State {
    fn rows_that(&self, are: impl Fn(Row) -> bool) -> u8 {
        let bits = self.rows.iter().enumerate();
        bits.map(|(delivery, row)| u8::from(are(*row)) << delivery).sum()
    }

    pub fn with_row(&self) -> u8 {
        self.rows_that(|row| row != Row::None)
    }

    /// Deliveries of the batch that have neither a completion nor a row.
    pub fn left(&self) -> u8 {
        ALL & !self.in_completions & !self.with_row()
    }

    /// What a snapshot taken now shows to the reaper.
    pub fn seen(&self) -> Seen {
        let batch = self.batch == Batch::Leased;
        Seen {
            batch,
            left: if batch { self.left() } else { 0 },
            running: self.rows_that(|row| row == Row::Claimed(Under::BatchLease)),
        }
    }

    pub fn note_completed(&mut self, set: u8) {
        for delivery in members(set) {
            self.completions[delivery] = (self.completions[delivery] + 1).min(2);
        }
    }

    /// What was sent may still be executed, or is rolled back.
    pub fn crash(&mut self) {
        self.worker = Worker::DEAD;
        self.statements.iter_mut().for_each(|sent| sent.awaited = false);
        self.statements.retain(|sent| !sent.is_answered());
    }

    /// In no place from which it will end: without completion, row and batch, under a lease that is gone, or under one
    /// that is renewed by a worker which does not work at it.
    pub fn has_lost_one(&self) -> bool {
        let dispatched = self.batch != Batch::NotDispatched;
        let unreaped = self.rows.contains(&Row::Claimed(Under::BatchLease)) && self.lease == Lease::Gone;
        let (left, worker) = (self.left(), &self.worker);
        let dispatching = self.statements.iter().any(Statement::is_awaited_dispatch);
        let renewed = worker.alive && !worker.moved_on && !dispatching;
        let forgotten = renewed && left & !worker.hands() != 0;
        let ownerless = self.batch == Batch::Gone || self.lease == Lease::Gone || forgotten;
        unreaped || dispatched && left != 0 && ownerless
    }

    pub fn has_completed_twice(&self) -> bool {
        self.completions.contains(&2) || self.in_completions & self.with_row() != 0
    }

    /// Removed while something of it is left, or kept although nothing is and nobody will remove it.
    pub fn has_wrong_batch(&self) -> bool {
        let worker = &self.worker;
        let told_all = worker.alive && !worker.moved_on && worker.hands() == 0 && worker.write.is_none();
        match self.batch {
            Batch::NotDispatched => false,
            Batch::Gone => self.left() != 0,
            Batch::Leased => self.lease == Lease::Gone || told_all && self.left() == 0,
        }
    }
}
