//! Statements of this library, each prepared once in a session, with a plan that holds for all arguments. Called within
//! a function that fixes `search_path`: under another one a statement would be analysed again, and mean what that path
//! says. Must not know what a statement does.

use std::cell::Cell;
use std::ffi::CString;
use std::ptr::null_mut;

use pgrx::pg_sys::{self, Datum};

use crate::error::{Error, raise};

/// What a statement may do with the tables that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Reads with the active snapshot.
    Reads,
    /// Reads with a snapshot of its own, locks and writes.
    Writes,
}

/// The statement's text and its parameters; the plan once it is made.
pub struct Prepared {
    text: &'static str,
    parameters: &'static [pg_sys::Oid],
    reach: Reach,
    plan: Cell<pg_sys::SPIPlanPtr>,
}

impl Prepared {
    pub const fn new(text: &'static str, parameters: &'static [pg_sys::Oid], reach: Reach) -> Self {
        Self {
            text,
            parameters,
            reach,
            plan: Cell::new(null_mut()),
        }
    }

    /// Runs it. Raises what it raises.
    ///
    /// # Safety
    /// Within `connected`, with an active snapshot. The arguments are of the types of the parameters, and as many.
    pub unsafe fn run(&self, arguments: &[Option<Datum>]) -> Rows {
        let mut values: Vec<Datum> = arguments
            .iter()
            .map(|value| value.unwrap_or(Datum::null()))
            .collect();
        let nulls: Vec<std::ffi::c_char> = arguments
            .iter()
            .map(|value| if value.is_some() { b' ' } else { b'n' } as std::ffi::c_char)
            .collect();
        // SAFETY: handed on from the caller; the arrays have an entry for each parameter and outlive the call.
        unsafe {
            let reads = self.reach == Reach::Reads;
            let code = pg_sys::SPI_execute_plan(self.plan(), values.as_mut_ptr(), nulls.as_ptr(), reads, 0);
            if code < 0 {
                raise(Error::NotInstalled);
            }
            Rows {
                table: pg_sys::SPI_tuptable,
                count: usize::try_from(pg_sys::SPI_processed).unwrap_or(usize::MAX),
            }
        }
    }

    unsafe fn plan(&self) -> pg_sys::SPIPlanPtr {
        if !self.plan.get().is_null() {
            return self.plan.get();
        }
        // SAFETY: the text has no zero byte; the types are copied.
        unsafe {
            let text = CString::new(self.text).unwrap_or_default();
            let plan = pg_sys::SPI_prepare_cursor(
                text.as_ptr(),
                self.parameters.len() as i32,
                self.parameters.as_ptr().cast_mut(),
                pg_sys::CURSOR_OPT_GENERIC_PLAN as i32,
            );
            if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
                raise(Error::NotInstalled);
            }
            self.plan.set(plan);
            plan
        }
    }
}

/// Runs `work`, in which statements can be run. What it allocates by the server and its statements' rows are there
/// until it ends; after an error the (sub)transaction's abort ends it.
pub fn connected<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: within a function that Postgres called; what is opened is closed below.
    unsafe {
        if pg_sys::SPI_connect() != pg_sys::SPI_OK_CONNECT as i32 {
            raise(Error::NotInstalled);
        }
        let value = work();
        pg_sys::SPI_finish();
        value
    }
}

/// The rows of an answer, as long as the connection is there.
#[derive(Clone, Copy)]
pub struct Rows {
    table: *mut pg_sys::SPITupleTable,
    count: usize,
}

impl Rows {
    pub fn len(&self) -> usize {
        if self.table.is_null() { 0 } else { self.count }
    }

    /// A value, by the number of its row and of its column from 0 on; `None` where it is null.
    ///
    /// # Safety
    /// The row is below `len`, and the answer has such a column.
    pub unsafe fn value(&self, row: usize, column: i32) -> Option<Datum> {
        // SAFETY: the table has as many rows as it says, with one descriptor.
        unsafe {
            let mut is_null = false;
            let tuple = *(*self.table).vals.add(row);
            let value = pg_sys::SPI_getbinval(tuple, (*self.table).tupdesc, column + 1, &raw mut is_null);
            (!is_null).then_some(value)
        }
    }
}
