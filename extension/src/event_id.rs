//! The id of an event as a text: `evt_`, then the installation's salt, the transaction and the number in it, each in
//! hexadecimal digits. Must not know where events are kept.

use std::cell::Cell;

use pgrx::pg_sys::{self, Datum};
use pgrx::prelude::*;
use zerodb_hooks_contract::event_log::COMPLETION_SPAN;

use crate::error::{Error, raise};

const PREFIX: &str = "evt_";
const DIGITS: usize = 32;

/// The two columns by which the log has an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    xid: u64,
    ord: i32,
}

/// `evt_…` for a key.
fn written(salt: u32, key: Key) -> String {
    format!("{PREFIX}{salt:08x}{:016x}{:08x}", key.xid, key.ord)
}

/// The key in an id, written as `evt_…` or as the UUID of the same digits; `None` for what is no id, or of another
/// installation.
fn read(salt: u32, id: &str) -> Option<Key> {
    let id = id
        .get(..PREFIX.len())
        .filter(|start| start.eq_ignore_ascii_case(PREFIX))
        .map_or(id, |_| &id[PREFIX.len()..]);
    let digits: String = id.chars().filter(|sign| *sign != '-').collect();
    if digits.len() != DIGITS || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let (of, xid, ord) = (&digits[..8], &digits[8..24], &digits[24..]);
    if u32::from_str_radix(of, 16).ok()? != salt {
        return None;
    }
    Some(Key {
        // A transaction id above the largest bigint is none.
        xid: u64::from_str_radix(xid, 16)
            .ok()
            .filter(|xid| i64::try_from(*xid).is_ok())?,
        ord: u32::from_str_radix(ord, 16).ok()?.cast_signed(),
    })
}

thread_local! {
    /// The salt, and the beginning of the transaction in which it was read: a restored database has another.
    static SALT: Cell<Option<(pg_sys::TimestampTz, u32)>> = const { Cell::new(None) };
}

/// Reads `zerodb.instance` as the current user, once a transaction.
fn salt() -> u32 {
    // SAFETY: only reads the transaction's state.
    let now = unsafe { pg_sys::GetCurrentTransactionStartTimestamp() };
    if let Some((at, salt)) = SALT.get()
        && at == now
    {
        return salt;
    }
    // Only reads: a reader takes no transaction id, and may be a parallel worker or a standby.
    let found = Spi::connect(|client| {
        let rows = client.select("SELECT i.salt FROM zerodb.instance AS i", Some(1), &[])?;
        rows.first().get_one::<i32>()
    })
    .ok()
    .flatten();
    let salt = found.unwrap_or_else(|| raise(Error::NoInstance)).cast_unsigned();
    SALT.set(Some((now, salt)));
    salt
}

entry!(pg_finfo_zerodb_event_id);
entry!(pg_finfo_zerodb_event_xid);
entry!(pg_finfo_zerodb_xid_end);
entry!(pg_finfo_zerodb_event_ord);

/// `zerodb._event_id(xid, ord)`: the id of the event with this key.
///
/// # Safety
/// Called by Postgres with the arguments of its declaration, which is STRICT.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn zerodb_event_id(fcinfo: pg_sys::FunctionCallInfo) -> Datum {
    // SAFETY: an xid8 and an integer, both by value.
    let key = unsafe {
        let arguments = (*fcinfo).args.as_slice(2);
        Key {
            xid: arguments[0].value.value() as u64,
            ord: arguments[1].value.value() as i32,
        }
    };
    let id = written(salt(), key);
    // SAFETY: copies the text into the call's context.
    unsafe {
        Datum::from(pg_sys::cstring_to_text_with_len(
            id.as_ptr().cast(),
            id.len() as i32,
        ))
    }
}

/// `zerodb._event_xid(id)`: the transaction in an id, as the log has it; null for what is no id of this installation.
///
/// # Safety
/// As for `zerodb_event_id`.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn zerodb_event_xid(fcinfo: pg_sys::FunctionCallInfo) -> Datum {
    // SAFETY: handed on from Postgres.
    unsafe { part(fcinfo, |key| Datum::from(key.xid)) }
}

/// `zerodb._xid_end(xid)`: the first transaction that no completion has together with this one.
///
/// # Safety
/// As for `zerodb_event_id`.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn zerodb_xid_end(fcinfo: pg_sys::FunctionCallInfo) -> Datum {
    // SAFETY: an xid8, by value.
    let xid = unsafe { (*fcinfo).args.as_slice(1)[0].value.value() as u64 };
    Datum::from(xid.saturating_add(COMPLETION_SPAN))
}

/// `zerodb._event_ord(id)`: the number in an id; null as for `_event_xid`.
///
/// # Safety
/// As for `zerodb_event_id`.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn zerodb_event_ord(fcinfo: pg_sys::FunctionCallInfo) -> Datum {
    // SAFETY: handed on from Postgres.
    unsafe { part(fcinfo, |key| Datum::from(key.ord)) }
}

unsafe fn part(fcinfo: pg_sys::FunctionCallInfo, of: impl Fn(Key) -> Datum) -> Datum {
    // SAFETY: one text, which is not null; its copy lives in the call's context.
    unsafe {
        let id = pg_sys::text_to_cstring((*fcinfo).args.as_slice(1)[0].value.cast_mut_ptr());
        let key = std::ffi::CStr::from_ptr(id)
            .to_str()
            .ok()
            .and_then(|id| read(salt(), id));
        (*fcinfo).isnull = key.is_none();
        key.map_or(Datum::null(), of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key { xid: 0x1234, ord: 7 };

    #[test]
    fn an_id_is_read_as_it_was_written_and_as_a_uuid() {
        let id = written(0xabcd, KEY);
        assert_eq!(id, "evt_0000abcd000000000000123400000007");
        assert_eq!(read(0xabcd, &id), Some(KEY));
        assert_eq!(read(0xabcd, "EVT_0000ABCD000000000000123400000007"), Some(KEY));
        assert_eq!(read(0xabcd, "0000abcd-0000-0000-0000-123400000007"), Some(KEY));
    }

    #[test]
    fn what_is_no_id_of_this_installation_has_no_key() {
        assert_eq!(read(1, &written(2, KEY)), None);
        for id in [
            "",
            "evt_",
            "evt_é",
            "évt_0000abcd000000000000123400000007",
            "evt_0000abcdf00000000000123400000007",
        ] {
            assert_eq!(read(0xabcd, id), None, "{id}");
        }
    }
}
