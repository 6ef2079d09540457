//! Another worker's `lock_dead_leases.sql` and `reap_leases.sql`, in one transaction.

use super::state::*;
use super::{Variant, Variant::*};

impl State {
    /// In one statement the lock comes at the end, with the writing.
    pub fn is_lease_locked(&self, variant: Variant) -> bool {
        self.reaper != Reaper::Idle && variant != ReapsInOneStatement
    }

    /// SKIP LOCKED: a lease that a statement shares is left for later.
    pub fn can_lock_lease(&self, variant: Variant) -> bool {
        let held = self.statements.iter().any(|sent| sent.holds_lease(variant));
        self.lease == Lease::Expired && !held
    }

    /// The second statement begins, with a snapshot from after the lock.
    pub fn reap(&mut self) {
        self.reaper = Reaper::Reaping(self.seen());
    }

    /// It writes and commits. What its snapshot showed is looked at again where a row is updated, and only there.
    pub fn free(&mut self, variant: Variant) {
        let Reaper::Reaping(seen) = std::mem::replace(&mut self.reaper, Reaper::Idle) else {
            return;
        };
        let skips = variant == ReapsInOneStatement && !self.can_lock_lease(variant);
        // Two rows with one id: the statement fails.
        if skips || seen.left & self.with_row() != 0 {
            return;
        }
        for (delivery, row) in self.rows.iter_mut().enumerate() {
            let runs = *row == Row::Claimed(Under::BatchLease) && seen.running & bit(delivery) != 0;
            if runs || seen.left & bit(delivery) != 0 {
                *row = Row::Due;
            }
        }
        if seen.batch {
            self.batch = Batch::Gone;
        }
        self.lease = Lease::Gone;
    }
}
