//! A value of `pg_snapshot`, read from its bytes. Must not know what a snapshot is asked for.

use pgrx::pg_sys::{self, Datum};

/// Bytes before the list of running transactions: the length, how many they are, and two bounds.
const HEAD: usize = 24;
const XID: usize = 8;

/// What was visible at one moment.
pub struct Snapshot {
    /// Everything below had ended.
    xmin: u64,
    /// Nothing from here on had begun.
    pub xmax: u64,
    /// What ran between the two, in order.
    pub running: Vec<u64>,
}

impl Snapshot {
    /// Reads a value; `None` where it has not the form that Postgres has given it since version 13: the length, the
    /// number of running transactions, xmin, xmax and then these (`utils/adt/xid8funcs.c`).
    ///
    /// # Safety
    /// The datum is a value of `pg_snapshot` that is not null.
    pub unsafe fn read(value: Datum) -> Option<Self> {
        // SAFETY: a varlena, made whole in memory of the current context, is as long as it says.
        let bytes = unsafe {
            let whole = pg_sys::pg_detoast_datum(value.cast_mut_ptr());
            std::slice::from_raw_parts(whole.cast::<u8>(), pgrx::varsize_any(whole))
        };
        let count = u32::from_ne_bytes(bytes.get(4..8)?.try_into().ok()?) as usize;
        let xid = |at: usize| -> Option<u64> {
            Some(u64::from_ne_bytes(bytes.get(at..at + XID)?.try_into().ok()?))
        };
        let running = (0..count).map(|at| xid(HEAD + at * XID)).collect::<Option<_>>()?;
        Some(Self {
            xmin: xid(8)?,
            xmax: xid(16)?,
            running,
        })
    }

    #[cfg(test)]
    pub fn of(xmin: u64, xmax: u64, running: Vec<u64>) -> Self {
        Self { xmin, xmax, running }
    }

    /// Whether the transaction had ended at that moment.
    pub fn sees(&self, xid: u64) -> bool {
        xid < self.xmin || xid < self.xmax && self.running.binary_search(&xid).is_err()
    }
}
