//! What the database and the releasing workers know of the deliveries of one key.

/// The first two are of one window of the log, in the order of their writing; the third is replayed by a user.
pub const DELIVERIES: usize = 3;
pub const REPLAYED: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    Absent,
    /// By a transaction that is open, and whether that one has signalled.
    Inserted(bool),
    Blocked,
    /// Blocked, and locked by a user's transaction that is open.
    Locked,
    Released,
    /// Ended, and its signal is still to be written: only where that is a transaction of its own.
    Silent,
    Ended,
}

/// What a transaction sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Database {
    pub deliveries: [Delivery; DELIVERIES],
    /// The signals that its insertion and its end have written and nobody has removed.
    pub inserted: [bool; DELIVERIES],
    pub ended: [bool; DELIVERIES],
    /// The replay was written while the window was half dispatched, so it waits for its end.
    pub replay_waits: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    pub now: Database,
    /// The snapshots of releases that have not committed.
    pub releasing: [Option<Database>; 2],
    /// A delivery was released before one that was written earlier.
    pub inverted: bool,
}

impl Database {
    pub fn is_committed(&self, delivery: usize) -> bool {
        !matches!(
            self.deliveries[delivery],
            Delivery::Absent | Delivery::Inserted(_)
        )
    }

    /// The dispatcher reads the window in the order of transaction ids: here the second event first.
    pub fn is_complete(&self) -> bool {
        self.is_committed(0)
    }

    pub fn is_half_read(&self) -> bool {
        self.is_committed(1) && !self.is_complete()
    }

    pub fn counts(&self, delivery: usize) -> bool {
        self.is_complete() || delivery == REPLAYED && !self.replay_waits
    }

    pub fn released(&self) -> usize {
        self.deliveries
            .iter()
            .filter(|delivery| **delivery == Delivery::Released)
            .count()
    }

    /// Something waits, nothing of the key runs, and nobody has been told.
    pub fn is_stuck(&self) -> bool {
        let waits = |delivery: &Delivery| matches!(delivery, Delivery::Blocked | Delivery::Locked);
        self.deliveries.iter().any(waits)
            && self.released() == 0
            && !self.inserted.iter().chain(&self.ended).any(|signal| *signal)
    }
}
