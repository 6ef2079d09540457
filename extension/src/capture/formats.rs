//! The settings that values are written as text with. An event must not depend on those of the session that writes the
//! row: its readers do not know them, and with fewer digits or another order of day and month they would take it for
//! something else. Must not be on the way of a session that has the usual settings.

use std::ffi::{CStr, c_int};

use pgrx::pg_sys;

unsafe extern "C" {
    static bytea_output: c_int;
}

/// `BYTEA_OUTPUT_HEX` of Postgres.
const HEX: c_int = 1;

/// The settings, as for a dump: each value is written so that it is read as the same one.
const PLAIN: [(&CStr, &CStr); 4] = [
    (c"DateStyle", c"ISO"),
    (c"IntervalStyle", c"postgres"),
    (c"extra_float_digits", c"1"),
    (c"bytea_output", c"hex"),
];

/// Runs `work` with these settings, if it needs them. An error brings the session's own back with its (sub)transaction.
pub fn in_plain(needed: bool, work: impl FnOnce()) {
    if !needed || are_plain() {
        return work();
    }
    // SAFETY: the level ends below, or with the (sub)transaction. The texts are C strings that the server copies.
    unsafe {
        let level = pg_sys::NewGUCNestLevel();
        for (name, value) in PLAIN {
            crate::fence::set(name, value);
        }
        work();
        pg_sys::AtEOXact_GUC(true, level);
    }
}

fn are_plain() -> bool {
    // SAFETY: settings of this backend, which only it writes.
    unsafe {
        pg_sys::DateStyle == pg_sys::USE_ISO_DATES as c_int
            && pg_sys::IntervalStyle == pg_sys::INTSTYLE_POSTGRES as c_int
            && pg_sys::extra_float_digits >= 1
            && bytea_output == HEX
    }
}
