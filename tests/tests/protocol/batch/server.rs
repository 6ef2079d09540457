//! What the server makes of the statements, at READ COMMITTED: `begin` takes the snapshot, `lock` waits for the
//! lease's row and looks at it again, `commit` makes visible what the snapshot and the lock allow. Until then it is
//! seen by nobody: a second writer of the same key waits for the first and finds its row, so that its writing counts
//! from the later commit.

use super::state::*;
use super::statement::{At, Kind, Statement, first_id};
use super::{Variant, Variant::*};

impl State {
    pub fn waits_for_reaper(&self, variant: Variant, statement: &Statement) -> bool {
        statement.locks_lease(variant) && self.is_lease_locked(variant)
    }

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
