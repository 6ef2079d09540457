//! Decides what of a trigger's argument is believed: whoever may attach a trigger writes into it whatever it likes. An
//! event type counts when it is registered, a constant user when `zerodb.watch` has noted it for the table.

use std::cell::Cell;

use pgrx::pg_sys;

use super::table::Table;
use super::tables::Unread;
use super::{by_text, json, tables};

thread_local! {
    /// The tables that mappings were read with; a change of either makes all of them stale.
    static READ: Cell<[pg_sys::Oid; 2]> = const { Cell::new([pg_sys::InvalidOid; 2]) };
}

/// True when a change of `relation` may change an answer given here.
pub fn depends_on(relation: pg_sys::Oid) -> bool {
    READ.get().contains(&relation)
}

/// True when an event type is registered; `None` when it cannot be known now.
pub fn is_registered(event_type: &str) -> Option<bool> {
    let name = || std::iter::once(event_type.as_bytes().to_vec());
    let (table, found) = match by_text::any(c"event_type", c"event_type_pkey", c"name", name()) {
        Ok(answer) => answer,
        Err(Unread::Missing) => is_in_table(event_type)?,
        Err(Unread::Locked) => return None,
    };
    READ.set([table, READ.get()[1]]);
    Some(found)
}

/// The same from all of the table, where its index is being built.
fn is_in_table(event_type: &str) -> Option<(pg_sys::Oid, bool)> {
    let mut found = false;
    let table = tables::read(c"event_type", [c"name"], |[name]| {
        // SAFETY: the column is a short text.
        found |= name.is_some_and(|name| unsafe { json::text_bytes(name) } == event_type.as_bytes());
    })
    .ok()?;
    Some((table, found))
}

/// True when `zerodb.watch` has noted that events of the type may have this user on the table or one that it is a part
/// of; `None` when it cannot be known now.
pub fn may_be_of(event_type: &str, table: &Table, user_id: [u8; 16]) -> Option<bool> {
    let mut found = false;
    let columns = [c"target", c"event_type", c"user_id"];
    let read = tables::read(c"watch_tenant", columns, |columns| {
        let [Some(target), Some(known), Some(user)] = columns else {
            return;
        };
        let target = pg_sys::Oid::from(target.value() as u32);
        // SAFETY: the columns are a short text and a uuid.
        found |= (target == table.relid || table.ancestors.contains(&target))
            && unsafe {
                json::text_bytes(known) == event_type.as_bytes() && json::uuid_bytes(user) == user_id
            };
    })
    .ok()?;
    READ.set([READ.get()[0], read]);
    Some(found)
}
