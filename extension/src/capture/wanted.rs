//! Which event types some active hook wants, as this backend knows it: type by type, asked when it is first needed.
//! Neither the number of hooks nor how often they change makes a writer slower: an answer is a few look-ups in an index
//! (`by_text.rs`), and a change is told only where it may change an answer (`sql/schema/hooks/wanted.sql`). A writer
//! never waits to learn it: while the table of hooks is locked, every type counts as wanted, and nothing is remembered.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::tables::{self, Unread};
use super::{by_text, json};

/// How long a type may count as wanted without a new look, in microseconds. Two that delete the last two hooks of a
/// type at once each see the other's, so that neither tells of it: for so long, rows are then written that nobody
/// wants.
const TRUSTED: i64 = 10_000_000;

/// What is known of the hooks, and the tables whose change makes it stale.
struct Known {
    tables: Tables,
    /// By event type: when it was found to be wanted, `None` for one that is not.
    types: HashMap<Vec<u8>, Option<pg_sys::TimestampTz>>,
}

/// The hooks themselves, and the two tables without rows that stand for news of them.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Tables {
    hooks: pg_sys::Oid,
    gained: pg_sys::Oid,
    lost: pg_sys::Oid,
}

thread_local! {
    static KNOWN: RefCell<Option<Known>> = const { RefCell::new(None) };
    /// The last transaction of this session that told of hooks. It may yet be undone, and with it what it has seen.
    static TOLD_IN: Cell<u64> = const { Cell::new(0) };
}

/// True when an active hook, of whatever user, names the type or a prefix of it; also when that cannot be known now.
pub fn wants(event_type: &[u8]) -> bool {
    // SAFETY: only reads the clock of the statement.
    let now = unsafe { pg_sys::GetCurrentStatementStartTimestamp() };
    let known = KNOWN.with_borrow(|known| known.as_ref()?.types.get(event_type).copied());
    match known {
        Some(None) => return false,
        Some(Some(since)) if (now - since).abs() < TRUSTED => return true,
        _ => {}
    }
    let Some(tables) = Tables::find() else {
        return true;
    };
    let Ok(answer) = any_active(event_type) else {
        return true;
    };
    if !is_told_by_this_transaction() {
        remember(tables, event_type, answer.then_some(now));
    }
    answer
}

/// Forgets what a change of `relation`, or of an unknown one, may have made wrong; returns whether it was only news of
/// hooks, which concern nobody else.
pub fn forget(relation: pg_sys::Oid) -> bool {
    KNOWN.with_borrow_mut(|known| {
        let Some(Known { tables, types }) = known else {
            return false;
        };
        if relation == tables.gained {
            types.retain(|_, since| since.is_some());
        } else if relation == tables.lost {
            types.retain(|_, since| since.is_none());
        } else {
            if relation == tables.hooks || relation == pg_sys::InvalidOid {
                *known = None;
            }
            return false;
        }
        true
    })
}

/// Whether an active hook names the type, a prefix of it, or all.
fn any_active(event_type: &[u8]) -> Result<bool, Unread> {
    match by_text::any(
        c"zerodb_hooks",
        c"zerodb_hooks_wanted",
        c"event_type",
        patterns(event_type),
    ) {
        Ok((_, found)) => Ok(found),
        Err(Unread::Missing) => any_in_table(event_type),
        Err(locked) => Err(locked),
    }
}

/// The same from all of the table, where the index is being built or is not there.
fn any_in_table(event_type: &[u8]) -> Result<bool, Unread> {
    let mut found = false;
    tables::read(c"zerodb_hooks", [c"event_type", c"is_active"], |columns| {
        if let [Some(pattern), Some(is_active)] = columns
            && !found
            && is_active.value() & 1 == 1
        {
            // SAFETY: the column is a short text.
            let pattern = unsafe { json::text_bytes(pattern) };
            found = patterns(event_type).any(|covering| covering == pattern);
        }
    })?;
    Ok(found)
}

/// The patterns that cover a type: itself, `*`, and each prefix up to a dot with `*`.
fn patterns(event_type: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let dots = event_type.iter().enumerate().filter(|(_, byte)| **byte == b'.');
    let prefixes = dots.map(|(at, _)| [&event_type[..=at], b"*".as_slice()].concat());
    [event_type.to_vec(), b"*".to_vec()].into_iter().chain(prefixes)
}

fn remember(tables: Tables, event_type: &[u8], since: Option<pg_sys::TimestampTz>) {
    KNOWN.with_borrow_mut(|known| {
        if known.as_ref().is_none_or(|known| known.tables != tables) {
            let types = HashMap::new();
            *known = Some(Known { tables, types });
        }
        if let Some(known) = known {
            known.types.insert(event_type.to_vec(), since);
        }
    });
}

fn is_told_by_this_transaction() -> bool {
    // SAFETY: only reads the transaction's state.
    let current = unsafe { pg_sys::GetTopFullTransactionIdIfAny().value };
    current != 0 && current == TOLD_IN.get()
}

impl Tables {
    /// `None` where the schema is of another version of the extension.
    fn find() -> Option<Self> {
        // SAFETY: catalog look-ups by C strings, inside a transaction.
        let find = unsafe {
            let schema = pg_sys::get_namespace_oid(c"zerodb".as_ptr(), true);
            move |name: &std::ffi::CStr| {
                let relid = pg_sys::get_relname_relid(name.as_ptr(), schema);
                (relid != pg_sys::InvalidOid).then_some(relid)
            }
        };
        Some(Self {
            hooks: find(c"zerodb_hooks")?,
            gained: find(c"hook_gained")?,
            lost: find(c"hook_lost")?,
        })
    }
}

/// `zerodb._tell_of_hooks`: lets every backend forget, at commit, the types that no hook wanted (`gained`) or those
/// that one did (`lost`).
#[pg_extern(name = "_tell_of_hooks")]
fn tell_of_hooks(gained: bool, lost: bool) {
    let Some(tables) = Tables::find() else { return };
    // SAFETY: both are tables; inside a transaction.
    unsafe {
        TOLD_IN.set(pg_sys::GetTopFullTransactionId().value);
        if gained {
            pg_sys::CacheInvalidateRelcacheByRelid(tables.gained);
        }
        if lost {
            pg_sys::CacheInvalidateRelcacheByRelid(tables.lost);
        }
    }
}

entry!(pg_finfo_zerodb_forget_mappings);

/// `zerodb._forget_mappings`: statement trigger on the tables that mappings are read with. Postgres tells every backend
/// at commit.
///
/// # Safety
/// Called by Postgres as a trigger function.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn zerodb_forget_mappings(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the node tag is checked before the context is used as TriggerData, whose relation is open during the
    // firing.
    unsafe {
        let context = (*fcinfo).context;
        if !context.is_null() && (*context).type_ == pg_sys::NodeTag::T_TriggerData {
            pg_sys::CacheInvalidateRelcache((*context.cast::<pg_sys::TriggerData>()).tg_relation);
        }
    }
    pg_sys::Datum::null()
}

#[cfg(test)]
mod tests {
    use super::patterns;

    #[test]
    fn a_type_is_covered_by_itself_by_all_and_by_each_prefix() {
        let all: Vec<_> = patterns(b"a.b.c").collect();
        assert_eq!(
            all,
            [
                b"a.b.c".to_vec(),
                b"*".to_vec(),
                b"a.*".to_vec(),
                b"a.b.*".to_vec()
            ]
        );
        assert_eq!(patterns(b"a").count(), 2);
    }
}
