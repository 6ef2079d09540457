//! Appends events to the log: which partition, which numbers, which columns. Must not decide what is recorded, and
//! never updates a row. Relies on `sql/schema/log/outbox.sql` for the columns and their order.

mod partition;
mod reader;
mod scan;
mod snapshot;

use std::cell::Cell;

use pgrx::pg_sys;
use pgrx::pg_sys::Datum;
use pgrx::prelude::*;
use zerodb_hooks_contract::event_log::SLOTS;

use crate::settings::{self, Id};
use crate::{last_write, wake};
use partition::{LogRow, Partition};

pub use partition::COLUMNS as LOG_COLUMNS;
pub use reader::{Reader, Window};
pub use snapshot::Snapshot;

/// Partitions of the log.
pub const LOG_PARTITIONS: usize = SLOTS as usize;

/// Microseconds from the Unix epoch to that of Postgres.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

/// One event as the trigger knows it; everything else in its row is the same for all events of a statement.
pub struct Event {
    /// A JSON object in the server's encoding, as a value of `json` in memory of Postgres.
    pub data: Datum,
    pub user_id: Option<Id>,
    pub project_id: Option<Id>,
    /// A value of `text`.
    pub bank_id: Option<Datum>,
}

impl Event {
    /// The bytes of what grows with a user's data.
    pub fn size(&self) -> usize {
        // SAFETY: both are varlenas that live as long as the event.
        let size = |value: Datum| unsafe { pgrx::varsize_any(value.cast_mut_ptr()) };
        size(self.data) + self.bank_id.map_or(0, size)
    }
}

thread_local! {
    static PARTITIONS: Cell<Option<[pg_sys::Oid; LOG_PARTITIONS]>> = const { Cell::new(None) };
    /// The last transaction that wrote events, and the number of its next one.
    static NEXT_ORD: Cell<(u64, i32)> = const { Cell::new((0, 0)) };
}

/// Forgets the partitions' oids when `relation` is one of them, or unknown.
pub fn forget(relation: pg_sys::Oid) {
    if PARTITIONS
        .get()
        .is_some_and(|known| relation == pg_sys::InvalidOid || known.contains(&relation))
    {
        PARTITIONS.set(None);
    }
}

/// Appends `events` of one type, about rows of `relid`, to the log and asks for a wake-up at commit.
/// Returns the number of the first one within its transaction.
///
/// Takes RowExclusiveLock on one partition. Raises what Postgres raises when a row cannot be stored. The events' values
/// must live until it returns.
pub fn append(event_type: &[u8], relid: pg_sys::Oid, events: &[Event]) -> i32 {
    if events.is_empty() {
        return 0;
    }
    // SAFETY: runs inside a transaction; every value lives until the rows are stored.
    unsafe {
        let xid = pg_sys::GetTopFullTransactionId().value;
        let first = match NEXT_ORD.get() {
            (last, next) if last == xid => next,
            _ => 0,
        };
        let now = pg_sys::GetCurrentTimestamp();
        let slot = current_slot(now);
        let shared = Shared {
            xid,
            now,
            slot,
            relid,
            event_type: text_datum(event_type),
            traceparent: settings::traceparent().map(|value| text_datum(&value)),
        };
        let rows = events
            .iter()
            .zip(first..)
            .map(|(event, ord)| shared.row(ord, event));
        Partition::open(partitions()[slot]).insert(events.len(), rows);
        NEXT_ORD.set((xid, first + i32::try_from(events.len()).unwrap_or(i32::MAX)));
        wake::request();
        last_write::note(xid);
        first
    }
}

/// `zerodb._append`: one event that an application emits; returns its number within the transaction. The caller has
/// checked all of it.
#[pg_extern(name = "_append")]
fn append_emitted(
    event_type: &str,
    data: &str,
    project_id: Option<pgrx::Uuid>,
    user_id: Option<pgrx::Uuid>,
    bank_id: Option<&str>,
) -> i32 {
    // SAFETY: only reads the transaction's state.
    unsafe { pg_sys::PreventCommandIfReadOnly(c"zerodb.emit()".as_ptr()) }
    let event = Event {
        data: text_datum(data.as_bytes()),
        user_id: user_id.map(|id| *id.as_bytes()).filter(|id| *id != settings::NIL),
        project_id: project_id.map(|id| *id.as_bytes()),
        bank_id: bank_id.map(|id| text_datum(id.as_bytes())),
    };
    append(event_type.as_bytes(), pg_sys::InvalidOid, &[event])
}

/// The columns that all events of one call have in common.
struct Shared {
    xid: u64,
    now: pg_sys::TimestampTz,
    slot: usize,
    relid: pg_sys::Oid,
    event_type: Datum,
    traceparent: Option<Datum>,
}

impl Shared {
    /// One row, in the order of the table's columns. It points into the event.
    fn row(&self, ord: i32, event: &Event) -> LogRow {
        [
            Some(Datum::from(self.xid)),
            self.now.into_datum(),
            Some(Datum::from(ord)),
            Some(Datum::from(self.relid)),
            Some(Datum::from(self.slot as i16)),
            event.user_id.as_ref().map(uuid_datum),
            event.project_id.as_ref().map(uuid_datum),
            Some(self.event_type),
            Some(event.data),
            event.bank_id,
            self.traceparent,
        ]
    }
}

/// The partition for a point in time: eight of them take turns, each for a sixth of the retention. When one begins, all
/// in the next has just become older than the retention, and there is the whole turn to empty it.
fn current_slot(now: pg_sys::TimestampTz) -> usize {
    let seconds = (now + POSTGRES_EPOCH).div_euclid(1_000_000);
    let turn = seconds
        .div_euclid(settings::slot_seconds())
        .rem_euclid(LOG_PARTITIONS as i64);
    usize::try_from(turn).unwrap_or(0)
}

/// `zerodb._current_slot`: the partition that events are written to now.
#[pg_extern(name = "_current_slot", stable)]
fn current_slot_sql() -> i32 {
    // SAFETY: only reads the clock.
    current_slot(unsafe { pg_sys::GetCurrentTimestamp() }) as i32
}

unsafe fn partitions() -> [pg_sys::Oid; LOG_PARTITIONS] {
    if let Some(known) = PARTITIONS.get() {
        return known;
    }
    const NAMES: [&std::ffi::CStr; LOG_PARTITIONS] = [
        c"outbox_0",
        c"outbox_1",
        c"outbox_2",
        c"outbox_3",
        c"outbox_4",
        c"outbox_5",
        c"outbox_6",
        c"outbox_7",
    ];
    // SAFETY: catalog look-ups by C strings.
    let found = unsafe {
        let schema = pg_sys::get_namespace_oid(c"zerodb".as_ptr(), false);
        NAMES.map(|name| pg_sys::get_relname_relid(name.as_ptr(), schema))
    };
    PARTITIONS.set(Some(found));
    found
}

/// A text datum, palloc'd in the current context. The type `json` has the same form.
pub fn text_datum(bytes: &[u8]) -> Datum {
    // SAFETY: copies the bytes; a length over 1 GB is refused by palloc.
    unsafe {
        let length = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
        Datum::from(pg_sys::cstring_to_text_with_len(bytes.as_ptr().cast(), length))
    }
}

/// A uuid datum that points into the event; valid as long as the event is.
fn uuid_datum(id: &[u8; 16]) -> Datum {
    Datum::from(id.as_ptr())
}
