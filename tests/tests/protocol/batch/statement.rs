//! The first worker's statements at the server, at READ COMMITTED: `begin` takes the snapshot, `lock` waits for the lease's row
//! and looks at it again, `commit` makes visible what the snapshot and the lock allow. Until then it is seen by nobody: a
//! second writer of the same key waits for the first and finds its row, so that its writing counts from the later commit.

use super::state::*;
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
    /// `spill_deliveries.sql` and `finish_deliveries.sql`. The second one's snapshot is later; it ends only rows at the first
    /// epoch, and those are seen by nobody but the transaction that made them.
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
fn first_id(set: u8) -> u8 {
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

    fn empties(&self) -> bool {
        matches!(self.kind, Kind::Complete(_, true))
    }

    fn locks_lease(&self, variant: Variant) -> bool {
        !(variant == CompletesWithoutLock && matches!(self.kind, Kind::Complete(..)))
    }

    /// Shares the lock on the lease's row until it commits.
    pub fn holds_lease(&self, variant: Variant) -> bool {
        self.locks_lease(variant) && matches!(self.at, At::Locked { held: true, .. })
    }

    pub fn waits_for_reaper(&self, variant: Variant, state: &State) -> bool {
        self.locks_lease(variant) && state.is_lease_locked(variant)
    }
}

impl State {
    pub fn begin(&mut self, variant: Variant, number: usize) {
        let (lease, batch) = (self.lease != Lease::Gone, self.batch == Batch::Leased);
        self.statements[number].at = At::Begun { lease, batch };
        let deletes = variant == DeletesBeforeWriting && self.statements[number].empties();
        if deletes && lease && batch && self.reaper == Reaper::Idle {
            self.batch = Batch::Gone;
        }
    }

    pub fn lock(&mut self, variant: Variant, number: usize) {
        let exists = self.lease != Lease::Gone || !self.statements[number].locks_lease(variant);
        if let At::Begun { lease, batch } = self.statements[number].at {
            let held = lease && exists;
            self.statements[number].at = At::Locked { held, batch };
        }
    }

    /// Executes the statement; its answer is sent if somebody waits for it.
    pub fn commit(&mut self, variant: Variant, number: usize) {
        let At::Locked { held, batch } = self.statements[number].at else {
            return;
        };
        let accepted = held && batch;
        match self.statements[number].kind {
            Kind::Dispatch if held => self.batch = Batch::Leased,
            Kind::Dispatch => {
                self.batch = Batch::Gone;
                self.rows = [Row::Due; DELIVERIES];
            }
            Kind::Spill(set) if accepted || held && variant == SpillsWithoutBatch => self.spill(set),
            Kind::Complete(set, empties) if accepted => self.complete(variant, set, empties),
            Kind::Spill(_) | Kind::Complete(..) => self.late_refused |= self.lease == Lease::Gone,
        }
        self.statements[number].at = At::Answered { held };
        self.statements.retain(|sent| sent.awaited || !sent.is_answered());
    }

    fn spill(&mut self, set: u8) {
        for delivery in members(set) {
            // ON CONFLICT (id) DO NOTHING, and then the epoch or the state is another.
            if matches!(self.rows[delivery], Row::None | Row::Pruned) {
                self.rows[delivery] = Row::Due;
                self.late_accepted |= self.lease == Lease::Gone;
            }
        }
    }

    fn complete(&mut self, variant: Variant, set: u8, empties: bool) {
        // ON CONFLICT (first_id, slot) DO NOTHING.
        if set != 0 && (self.first_ids & first_id(set) == 0 || variant == NoUniqueKey) {
            self.first_ids |= first_id(set);
            self.in_completions |= set;
            self.note_completed(set);
            self.late_accepted |= self.lease == Lease::Gone;
        }
        if empties {
            self.batch = Batch::Gone;
        }
    }
}
