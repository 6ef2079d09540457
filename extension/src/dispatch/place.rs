//! Where the dispatcher stands in the log, and where it goes. Must not read events.

use pgrx::pg_sys::Datum;
use pgrx::prelude::*;

use super::event::Event;
use super::statements::Statements;
use crate::outbox::{Snapshot, Window};

/// The last row of the cursor, and what is visible now.
pub struct Place {
    pub seq: i64,
    complete: i64,
    after: (u64, i32),
    done: Datum,
    /// The end of the window that is read.
    upto: Datum,
    /// A window was opened just now: all that is visible is read.
    pub fresh: bool,
    /// It was moved a while ago.
    stale: bool,
    /// Some ordered delivery may have to be released.
    pub has_signals: bool,
}

impl Place {
    /// `None` where the cursor has no row.
    ///
    /// # Safety
    /// Within a connection, with an active snapshot.
    pub unsafe fn read(statements: &Statements) -> Option<Self> {
        // SAFETY: the answer has the columns of `read_cursor.sql`.
        unsafe {
            let rows = statements.read_cursor.run(&[]);
            if rows.len() == 0 {
                return None;
            }
            let value = |column| rows.value(0, column);
            let number = |column| value(column).map_or(0, Datum::value);
            let (done, upto, now) = (value(4)?, value(5)?, value(6)?);
            let fresh = bytes(done) == bytes(upto);
            Some(Self {
                seq: number(0) as i64,
                complete: number(1) as i64,
                after: (number(2) as u64, number(3) as i32),
                done,
                upto: if fresh { now } else { upto },
                fresh,
                stale: number(7) != 0,
                has_signals: number(8) != 0,
            })
        }
    }

    /// What has to be read; `None` where a snapshot has a form that this library does not know.
    pub fn window(&self) -> Option<Window> {
        // SAFETY: both are values of pg_snapshot.
        unsafe {
            Some(Window {
                done: Snapshot::read(self.done)?,
                upto: Snapshot::read(self.upto)?,
                after: self.after,
            })
        }
    }

    /// Moves behind the last event that was taken; with the whole window, where that is read to its end. Rows without
    /// news are written rarely.
    ///
    /// # Safety
    /// Within a connection.
    pub unsafe fn move_to(&self, statements: &Statements, last: Option<&Event>, at_end: bool) {
        if last.is_none() && self.fresh && !self.stale {
            return;
        }
        let key = match last {
            Some(event) if !at_end => (event.xid(), event.ord()),
            _ => (0, 0),
        };
        let seq = self.seq + 1;
        let done = if at_end { self.upto } else { self.done };
        let complete = if at_end { seq } else { self.complete };
        // SAFETY: the arguments are of the statement's types.
        unsafe {
            statements.move_cursor.run(&[
                seq.into_datum(),
                Some(done),
                Some(self.upto),
                Some(Datum::from(key.0)),
                key.1.into_datum(),
                complete.into_datum(),
            ]);
        }
    }
}

/// The bytes of a snapshot. Two that are the same have the same.
unsafe fn bytes<'a>(snapshot: Datum) -> &'a [u8] {
    // SAFETY: handed on from the caller: a varlena in memory of the connection.
    unsafe {
        let whole = pgrx::pg_sys::pg_detoast_datum(snapshot.cast_mut_ptr());
        std::slice::from_raw_parts(whole.cast(), pgrx::varsize_any(whole))
    }
}
