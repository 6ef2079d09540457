//! The first worker's statements: what each is to write, and how far it is.

use super::{Variant, Variant::*};

/// Outcomes that the completer took together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Write {
    pub completed: u8,
    /// First in a transaction of their own; 0 once that is answered.
    pub failed: u8,
    /// Whether the batch ends with it; known when the failed ones are answered.
    pub empties: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `dispatch_events.sql`.
    Dispatch,
    /// `spill_deliveries.sql` and `finish_deliveries.sql`. The second one's snapshot is later; it ends only rows at the
    /// first epoch, and those are seen by nobody but the transaction that made them.
    Spill(u8),
    /// `complete_deliveries.sql`, and whether the batch has ended.
    Complete(u8, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    Sent,
    /// What the snapshot shows of the lease and the batch.
    Begun {
        lease: bool,
        batch: bool,
    },
    /// Whether the lease was still there.
    Locked {
        held: bool,
        batch: bool,
    },
    /// It is executed, and the answer on its way.
    Answered {
        held: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Statement {
    pub kind: Kind,
    pub at: At,
    /// False when the worker has lost the connection: nobody hears the answer.
    pub awaited: bool,
}

/// The least of them.
pub fn first_id(set: u8) -> u8 {
    set & set.wrapping_neg()
}

impl Statement {
    pub fn is_answered(&self) -> bool {
        matches!(self.at, At::Answered { .. })
    }

    pub fn is_awaited_dispatch(&self) -> bool {
        self.awaited && self.kind == Kind::Dispatch
    }

    /// It writes completions that are there.
    pub fn repeats(&self, first_ids: u8) -> bool {
        let accepted = matches!(
            self.at,
            At::Locked {
                held: true,
                batch: true
            }
        );
        matches!(self.kind, Kind::Complete(set, _) if accepted && first_ids & first_id(set) != 0)
    }

    pub fn is_executing(&self) -> bool {
        matches!(self.at, At::Begun { .. } | At::Locked { .. })
    }

    pub fn empties(&self) -> bool {
        matches!(self.kind, Kind::Complete(_, true))
    }

    pub fn locks_lease(&self, variant: Variant) -> bool {
        !(variant == CompletesWithoutLock && matches!(self.kind, Kind::Complete(..)))
    }

    /// Shares the lock on the lease's row until it commits.
    pub fn holds_lease(&self, variant: Variant) -> bool {
        self.locks_lease(variant) && matches!(self.at, At::Locked { held: true, .. })
    }
}
