//! Reads the log in the order of its key, straight from the heap by the index of each partition, without the
//! executor: the first thing that the dispatcher does in each of its looks. Must not decide what becomes of an event.
//!
//! It does not depend on the statistics of a log that was empty a minute ago.

use std::vec::IntoIter;

use pgrx::pg_sys;

use super::scan::{Range, Scan};
use super::snapshot::Snapshot;
use super::{LOG_PARTITIONS, partitions};

/// Where a look begins and ends.
pub struct Window {
    /// Whose events are dispatched, all of them.
    pub done: Snapshot,
    /// Whose events are to be read.
    pub upto: Snapshot,
    /// The key up to which those have been read.
    pub after: (u64, i32),
}

/// The events of a window, in the order of their keys.
pub struct Reader {
    scans: [Scan; LOG_PARTITIONS],
    upto: Snapshot,
    ranges: IntoIter<Range>,
    range: Option<Range>,
    /// The scan whose row was handed out last.
    last: Option<usize>,
}

impl Reader {
    /// Takes AccessShareLock on each partition of the log and its index until the transaction ends. Raises when one has
    /// no index on the key.
    ///
    /// # Safety
    /// Inside a transaction, with an active snapshot that sees all that the window's end does, until it is closed.
    pub unsafe fn open(window: Window) -> Self {
        let ranges = ranges(&window.done, &window.upto, window.after.0, window.after.1);
        // SAFETY: handed on from the caller.
        unsafe {
            Self {
                scans: partitions().map(|relid| Scan::open(relid)),
                upto: window.upto,
                ranges: ranges.into_iter(),
                range: None,
                last: None,
            }
        }
    }

    /// The next event's row, which is there until the next call; `None` when all are read.
    ///
    /// # Safety
    /// As for `open`.
    pub unsafe fn next(&mut self) -> Option<*mut pg_sys::TupleTableSlot> {
        // SAFETY: the scans are open, and a slot holds a row as long as its key is there.
        unsafe {
            if let Some(last) = self.last.take() {
                self.scans[last].advance(&self.upto);
            }
            loop {
                if self.range.is_none() {
                    let range = self.ranges.next()?;
                    for scan in &mut self.scans {
                        scan.go_to(&range, &self.upto);
                    }
                    self.range = Some(range);
                }
                self.last = self.least();
                match self.last {
                    Some(at) => return Some(self.scans[at].row),
                    None => self.range = None,
                }
            }
        }
    }

    /// The scan with the least key of the range.
    fn least(&self) -> Option<usize> {
        let range = self.range.as_ref()?;
        let within = |scan: &Scan| scan.key.filter(|(xid, _)| *xid <= range.last);
        let keys = self.scans.iter().enumerate();
        let least = keys.filter_map(|(at, scan)| Some((within(scan)?, at))).min();
        least.map(|(_, at)| at)
    }

    /// The locks stay until the transaction ends.
    ///
    /// # Safety
    /// As for `open`.
    pub unsafe fn close(self) {
        // SAFETY: each was opened by `open`.
        self.scans.into_iter().for_each(|scan| unsafe { scan.close() });
    }
}

/// Everything that a look has to read, in the order of the keys: each transaction that ran at the last look and has
/// ended since, then what has begun since.
fn ranges(done: &Snapshot, upto: &Snapshot, xid: u64, ord: i32) -> Vec<Range> {
    let after = |one: u64| if one == xid { ord } else { -1 };
    let one = |one: u64| Range {
        first: one,
        last: one,
        after: after(one),
    };
    let mut ranges: Vec<Range> = done
        .running
        .iter()
        .filter(|run| **run >= xid && upto.sees(**run))
        .map(|run| one(*run))
        .collect();
    let mut first = done.xmax;
    if xid >= first {
        ranges.push(one(xid));
        first = xid + 1;
    }
    if first < upto.xmax {
        ranges.push(Range {
            first,
            last: upto.xmax - 1,
            after: -1,
        });
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(xmin: u64, xmax: u64, running: &[u64]) -> Snapshot {
        Snapshot::of(xmin, xmax, running.to_vec())
    }

    fn range(first: u64, last: u64, after: i32) -> Range {
        Range { first, last, after }
    }

    #[test]
    fn a_look_reads_what_ran_before_and_then_what_is_new() {
        let (done, upto) = (snapshot(10, 20, &[10, 12, 15]), snapshot(15, 30, &[15]));
        let all = ranges(&done, &upto, 0, 0);
        assert_eq!(
            all,
            [range(10, 10, -1), range(12, 12, -1), range(20, 29, -1)],
            "15 runs on"
        );
    }

    #[test]
    fn it_goes_on_in_the_middle_of_a_transaction() {
        let (done, upto) = (snapshot(10, 20, &[10, 15]), snapshot(25, 30, &[25]));
        assert_eq!(ranges(&done, &upto, 15, 7), [range(15, 15, 7), range(20, 29, -1)]);
        assert_eq!(ranges(&done, &upto, 22, 7), [range(22, 22, 7), range(23, 29, -1)]);
        assert_eq!(ranges(&done, &upto, 29, 7), [range(29, 29, 7)]);
    }
}
