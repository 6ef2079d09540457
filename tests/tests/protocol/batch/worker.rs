//! What the first worker's store decides (`worker/store/src/settlement.rs`): what it writes next, and what it counts
//! as written.

use super::state::*;
use super::statement::{At, Kind, Statement, Write};
use super::{Variant, Variant::*};

impl Worker {
    pub fn end(&mut self, delivery: usize, completed: bool) {
        self.handling &= !bit(delivery);
        let ended = if completed {
            &mut self.completed
        } else {
            &mut self.failed
        };
        *ended |= bit(delivery);
    }

    /// The next statement for what has ended: the failed ones first.
    pub fn next_write(&mut self) -> Option<Kind> {
        if self.write.is_none() && self.completed | self.failed != 0 {
            self.write = Some(Write {
                completed: self.completed,
                failed: self.failed,
                empties: false,
            });
            (self.completed, self.failed) = (0, 0);
            self.close_batch();
        }
        let write = self.write?;
        Some(match write.failed {
            0 => Kind::Complete(write.completed, write.empties),
            failed => Kind::Spill(failed),
        })
    }

    /// Whether the batch ends with the completions, once nothing else is to be written before them.
    fn close_batch(&mut self) {
        if let Some(write) = self.write.as_mut().filter(|write| write.failed == 0) {
            write.empties = self.left <= write.completed.count_ones();
        }
    }

    /// The statement has its answer; `counts` when what it wrote counts as written.
    fn end_write(&mut self, variant: Variant, kind: Kind, counts: bool) {
        let written = match kind {
            Kind::Dispatch => return,
            Kind::Spill(set) | Kind::Complete(set, _) => set,
        };
        if counts || variant == CountsRefusedWrites {
            self.left -= written.count_ones().min(self.left);
        }
        match (kind, &mut self.write) {
            (Kind::Spill(_), Some(write)) => {
                write.failed = 0;
                self.close_batch();
                let nothing = |write: &Write| {
                    write.completed == 0 && (!write.empties || variant == KeepsSpilledBatches)
                };
                self.write = self.write.filter(|write| !nothing(write));
            }
            _ => self.write = None,
        }
    }
}

impl State {
    pub fn send(&mut self, kind: Kind) {
        let at = At::Sent;
        self.statements.push(Statement {
            kind,
            at,
            awaited: true,
        });
    }

    pub fn told(&mut self, variant: Variant, number: usize) {
        let Statement { kind, at, .. } = self.statements.remove(number);
        match (kind, at) {
            (Kind::Dispatch, At::Answered { held: true }) => {
                self.worker.handling = ALL;
                self.worker.left = ALL.count_ones();
            }
            _ => self.worker.end_write(variant, kind, true),
        }
    }

    /// The server refuses the statement for good, as where it is cancelled. The worker lets its lease expire.
    pub fn fail(&mut self, variant: Variant, number: usize) {
        let failed = self.statements.remove(number);
        self.worker.moved_on |= failed.kind != Kind::Dispatch;
        self.worker.end_write(variant, failed.kind, false);
    }

    /// The connection ends. A write is sent again; a dispatch may have leased what nobody here knows of.
    pub fn lose(&mut self, number: usize) {
        let lost = &mut self.statements[number];
        lost.awaited = false;
        self.worker.moved_on |= lost.kind == Kind::Dispatch;
        if lost.is_answered() {
            self.statements.remove(number);
        }
    }
}
