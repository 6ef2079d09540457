//! Which tables of the schema can be found by an id, and by which columns. Asked of the catalog once a session, and
//! anew when one of them changes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::CString;

use pgrx::pg_sys;

use crate::outbox::LOG_PARTITIONS;

/// Partitions of one table, as the planner counts.
pub const PARTITIONS: f64 = LOG_PARTITIONS as f64;

#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// The number of each column of an event's key.
    Event {
        xid: i16,
        ord: i16,
    },
    Completion(Columns),
}

/// The numbers of the columns of a completion: the arrays, and what bounds them.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    pub ids: i16,
    pub xids: i16,
    pub ords: i16,
    pub first_id: i16,
    pub last_id: i16,
    pub first_xid: i16,
    pub last_xid: i16,
}

thread_local! {
    static KNOWN: RefCell<Option<HashMap<pg_sys::Oid, Kind>>> = const { RefCell::new(None) };
}

/// Forgets what is known when `relation` is one of these tables, or unknown.
pub fn forget(relation: pg_sys::Oid) {
    KNOWN.with_borrow_mut(|known| {
        let is_one = known.as_ref().is_some_and(|known| {
            relation == pg_sys::InvalidOid || known.is_empty() || known.contains_key(&relation)
        });
        if is_one {
            *known = None;
        }
    });
}

/// What can be found in this table; `None` for a table that is not of the schema.
///
/// # Safety
/// Runs inside a transaction.
pub unsafe fn kind_of(relid: pg_sys::Oid) -> Option<Kind> {
    // SAFETY: handed on from the caller.
    let known = |known: &HashMap<pg_sys::Oid, Kind>| known.get(&relid).copied();
    if let Some(found) = KNOWN.with_borrow(|all| all.as_ref().map(known)) {
        return found;
    }
    // SAFETY: handed on from the caller. Not while KNOWN is borrowed: looking up may call `forget`.
    let all = unsafe { look_up() };
    let found = known(&all);
    KNOWN.set(Some(all));
    found
}

/// Empty where the extension is not installed.
unsafe fn look_up() -> HashMap<pg_sys::Oid, Kind> {
    let mut all = HashMap::new();
    // SAFETY: catalog look-ups by C strings.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"zerodb".as_ptr(), true);
        if schema == pg_sys::InvalidOid {
            return all;
        }
        let mut add = |table: &str, kind: &dyn Fn(pg_sys::Oid) -> Option<Kind>| {
            let name = CString::new(table).unwrap_or_default();
            let relid = pg_sys::get_relname_relid(name.as_ptr(), schema);
            if relid != pg_sys::InvalidOid
                && let Some(kind) = kind(relid)
            {
                all.insert(relid, kind);
            }
        };
        add("delivery", &|relid| event(relid, "event_xid", "event_ord"));
        for slot in 0..LOG_PARTITIONS {
            add(&format!("outbox_{slot}"), &|relid| event(relid, "xid", "ord"));
            add(&format!("completion_{slot}"), &|relid| completion(relid));
        }
    }
    all
}

unsafe fn event(relid: pg_sys::Oid, xid: &str, ord: &str) -> Option<Kind> {
    // SAFETY: handed on from the caller.
    unsafe {
        Some(Kind::Event {
            xid: column(relid, xid)?,
            ord: column(relid, ord)?,
        })
    }
}

unsafe fn completion(relid: pg_sys::Oid) -> Option<Kind> {
    // SAFETY: handed on from the caller.
    unsafe {
        Some(Kind::Completion(Columns {
            ids: column(relid, "ids")?,
            xids: column(relid, "event_xids")?,
            ords: column(relid, "event_ords")?,
            first_id: column(relid, "first_id")?,
            last_id: column(relid, "last_id")?,
            first_xid: column(relid, "first_xid")?,
            last_xid: column(relid, "last_xid")?,
        }))
    }
}

/// The number of a column; `None` when the table has none of this name.
unsafe fn column(relid: pg_sys::Oid, name: &str) -> Option<i16> {
    let name = CString::new(name).ok()?;
    // SAFETY: a catalog look-up by a C string.
    let number = unsafe { pg_sys::get_attnum(relid, name.as_ptr()) };
    (number > 0).then_some(number)
}
