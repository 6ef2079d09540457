//! One row of a firing, whose columns can be read. Must not know where it came from, nor what is done with it.

use pgrx::pg_sys;

/// The kind of write that changed a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    Insert,
    Update,
    Delete,
}

/// A row in a TupleTableSlot, until the firing goes on to the next.
pub struct Row {
    tuple_slot: *mut pg_sys::TupleTableSlot,
}

impl Row {
    /// The row that a TupleTableSlot holds.
    ///
    /// # Safety
    /// The TupleTableSlot holds a row, and no other one as long as this is used.
    pub unsafe fn held_by(tuple_slot: *mut pg_sys::TupleTableSlot) -> Self {
        Self { tuple_slot }
    }

    /// The value of a column, by its number from 1; `None` is null.
    pub fn column(&self, number: i16) -> Option<pg_sys::Datum> {
        let tuple_slot = self.tuple_slot;
        // SAFETY: the TupleTableSlot holds a row. Postgres deforms it with the descriptor that it has there and refuses
        // a number beyond that; the arrays have an entry for each column of it.
        unsafe {
            if (*tuple_slot).tts_nvalid < number {
                pg_sys::slot_getsomeattrs(tuple_slot, i32::from(number));
            }
            let at = number as usize - 1;
            (!*(*tuple_slot).tts_isnull.add(at)).then(|| *(*tuple_slot).tts_values.add(at))
        }
    }
}
